import { parseDocument } from 'yaml';
import { z } from 'zod';
import { TocsinError } from '../../src/base/errors.ts';
import { type UnixMillis, unixMillis } from '../../src/base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { Schedule } from '../../src/statemachine/beside/schedule.ts';
import { firstLine } from './first-line.ts';
import { plainWords } from './plain-words.ts';

const name = z.string().min(1, 'is empty');

const NO_INSTANT = { error: 'is no instant such as 2026-12-24T08:00:00Z' };

/** Milliseconds, or `2026-12-24T08:00:00Z`. */
const instant = z
  .union([z.int().min(0).max(UNIX_MILLIS_MAX), z.string()], NO_INSTANT)
  .refine(
    (value) =>
      typeof value === 'number' || z.iso.datetime({ offset: true }).safeParse(value).success,
    NO_INSTANT,
  );

const override = z.strictObject({ user: name, from: instant, until: instant });

const layer = z.strictObject({
  name,
  users: z.array(name),
  rotation: z.strictObject({
    start: z.string(),
    every: z.int('is not a whole number').default(1),
    unit: z.enum(['hour', 'day', 'week'], { error: 'is not one of hour, day, week' }),
  }),
  restrictions: z
    .array(
      z.strictObject({
        days: z.array(z.int()).default([]),
        from: z.string(),
        to: z.string(),
      }),
    )
    .default([]),
});

/** What `schedule get` prints beside the rules: read, and left aside. */
const KEPT_ALONG = ['id', 'version', 'from', 'until', 'shifts', 'by', 'changedAt'] as const;

const schedule = z.strictObject({
  timeZone: name,
  layers: z.array(layer),
  overrides: z.array(override).default([]),
});

const EXAMPLES = {
  timeZone: 'Europe/Berlin',
  layers:
    '[{ name: weeks, users: [anna, ben], rotation: { start: 2026-11-02T07:00, unit: week } }]',
  name: 'weeks',
  users: '[anna, ben]',
  user: 'anna',
  rotation: '{ start: 2026-11-02T07:00, unit: week }',
  start: '2026-11-02T07:00',
};

/**
 * Reads a schedule from a JSON or YAML text; `path` is for messages.
 * @throws TocsinError BAD_REQUEST naming the file and the field
 */
export function parseSchedule(text: string, path: string): Schedule {
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw badFile(path, firstLine(problem.message), problem);
  const raw: unknown = document.toJS({ maxAliasCount: 100 });
  const parsed = schedule.safeParse(rulesOf(raw), plainWords(EXAMPLES));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    throw badFile(path, `${where === '' ? 'file' : `field ${where}`}: ${issue?.message}`);
  }
  const { timeZone, layers, overrides } = parsed.data;
  return {
    timeZone,
    layers,
    overrides: overrides.map(({ user, from, until }) => ({
      user,
      from: millisOf(from),
      until: millisOf(until),
    })),
  };
}

function rulesOf(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null) return raw;
  const aside: ReadonlySet<string> = new Set(KEPT_ALONG);
  return Object.fromEntries(Object.entries(raw).filter(([key]) => !aside.has(key)));
}

const millisOf = (value: number | string): UnixMillis =>
  unixMillis(typeof value === 'number' ? value : Date.parse(value));

const badFile = (path: string, what: string, cause?: unknown): TocsinError =>
  new TocsinError('BAD_REQUEST', `${path}: ${what}`, { cause });
