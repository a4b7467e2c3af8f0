import fc from 'fast-check';
import {
  DEDUP_KEY_CHARS_MAX,
  LABELS_MAX,
  MATCHER_VALUES_MAX,
  NAME_CHARS_MAX,
  PLACE_CHARS_MAX,
  POLICY_STEPS_MAX,
  STEP_TARGETS_MAX,
  TEXT_CHARS_MAX,
  UNIX_MILLIS_MAX,
} from '../../src/base/limits.ts';

/**
 * Commands as they are drawn, and the same at the borders of what a client may say: each text as long as it may be, or
 * nearly, each list as full, each moment as late. Equal texts stay equal and different ones different, so that a stretched
 * story goes as the story does.
 */

export interface Stretch {
  /** What texts are filled up with: one character, of one or two UTF-16 units. */
  readonly filling: string;
  /** How many units are left free. */
  readonly spare: number;
  /** How much later everything happens. */
  readonly laterMs: number;
  /** Whether what clients say of moments is the last one that a Date can hold, where that changes little. */
  readonly isLast: boolean;
  /** Whether lists are filled up too. */
  readonly fills: boolean;
}

/** So long before the last moment that a Date can hold a story begins that comes to it, or is at it all along. */
const LEFT_MS: readonly number[] = [86_400_000, 10_000, 0];

/** There all that is due is due at once, which takes long: few stories go so far. */
const laterMs: fc.Arbitrary<number> = fc.oneof(
  { weight: 19, arbitrary: fc.constantFrom(0, 2 ** 31, 2 ** 42, UNIX_MILLIS_MAX - 2 ** 35) },
  { weight: 1, arbitrary: fc.constantFrom(...LEFT_MS.map((left) => UNIX_MILLIS_MAX - left)) },
);

/** Whether the story comes to the last moment. */
export const isLate = (how: Stretch): boolean => LEFT_MS.includes(UNIX_MILLIS_MAX - how.laterMs);

export const stretch: fc.Arbitrary<Stretch> = fc.record({
  filling: fc.constantFrom('x', 'é', '心', '\uffff', '🫀', '\u{10ffff}'),
  spare: fc.nat(4),
  laterMs,
  isLast: fc.boolean(),
  fills: fc.boolean(),
});

const SCHEDULE = 'schedule:';
/** A target names the schedule behind its kind, so the id of a schedule of use is shorter than a name. */
const SCHEDULE_CHARS_MAX: number = NAME_CHARS_MAX - SCHEDULE.length;

/** How long the text of a field may be; those not named here are words of closed sets, or ids. */
const CHARS_MAX: Readonly<Record<string, number>> = {
  dedupKey: DEDUP_KEY_CHARS_MAX,
  present: DEDUP_KEY_CHARS_MAX,
  bed: PLACE_CHARS_MAX,
  unit: PLACE_CHARS_MAX,
  text: TEXT_CHARS_MAX,
  note: TEXT_CHARS_MAX,
  reason: TEXT_CHARS_MAX,
  title: TEXT_CHARS_MAX,
  rootCause: TEXT_CHARS_MAX,
  actions: TEXT_CHARS_MAX,
  detail: TEXT_CHARS_MAX,
};
for (const field of [
  'actor',
  'by',
  'commander',
  'confirmedBy',
  'user',
  'to',
  'patient',
  'patients',
])
  Object.assign(CHARS_MAX, { [field]: NAME_CHARS_MAX });
for (const field of [
  'device',
  'devices',
  'model',
  'source',
  'condition',
  'policy',
  'metric',
  'rule',
])
  Object.assign(CHARS_MAX, { [field]: NAME_CHARS_MAX });

const MOMENTS: ReadonlySet<string> = new Set(['raisedAt', 'startAt', 'from', 'until']);
/** Of these it matters little when they are. */
const ENDS: ReadonlySet<string> = new Set(['observedAt', 'at', 'endAt']);

/** Fills up to so many units; the last one stays free if the filling has two of them and does not fit. */
function filled(text: string, charsMax: number, { filling, spare }: Stretch): string {
  const free = charsMax - spare - text.length;
  return text + filling.repeat(Math.max(0, Math.floor(free / filling.length)));
}

/** Later, as far as a Date goes. */
export const later = (moment: number, { laterMs }: Stretch): number =>
  Math.min(moment + laterMs, UNIX_MILLIS_MAX);

function momentOf(moment: number, how: Stretch, field: string): number {
  if (ENDS.has(field)) return how.isLast ? UNIX_MILLIS_MAX : later(moment, how);
  return MOMENTS.has(field) ? later(moment, how) : moment;
}

/** The command, or a part of it that stands in `field`, of the same meaning. */
export function stretched<T>(value: T, how: Stretch, field = ''): T {
  return stretchedPart(value, how, field) as T;
}

function stretchedPart(value: unknown, how: Stretch, field: string): unknown {
  if (typeof value === 'number') return momentOf(value, how, field);
  if (typeof value === 'string') return stretchedText(value, how, field);
  if (Array.isArray(value)) {
    const items = value.map((one) => stretchedPart(one, how, field));
    return how.fills ? filledList(items, how, field) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const { type, field: about, record } = value as Record<string, unknown>;
  const parts = Object.entries(value).map(([name, part]) => {
    if (name === 'labels') return [name, stretchedLabels(part as Record<string, string>, how)];
    if (name === 'rule' && typeof part === 'object') return [name, stretchedRule(part, how)];
    if (name === 'values') return [name, stretchedPart(part, how, `${about}`)];
    if (name === 'id' && record === 'bed') return [name, stretchedBed(`${part}`, how)];
    if (name === 'id' && record !== undefined) return [name, stretchedPart(part, how, `${record}`)];
    if (name === 'id') return [name, stretchedId(`${part}`, `${type}`, how)];
    return [name, stretchedPart(part, how, name)];
  });
  return Object.fromEntries(parts);
}

function stretchedText(text: string, how: Stretch, field: string): string {
  // Alerts that name no policy go by this one.
  if (field === 'policy' && text === 'default') return text;
  if (field === 'targets' && text.startsWith(SCHEDULE))
    return SCHEDULE + filled(text.slice(SCHEDULE.length), SCHEDULE_CHARS_MAX, how);
  // The targets of inhibitions are beginnings of conditions, those of steps have a kind.
  if (field === 'targets') return /^[a-z]+:/.test(text) ? filled(text, NAME_CHARS_MAX, how) : text;
  const charsMax = CHARS_MAX[field];
  return charsMax === undefined ? text : filled(text, charsMax, how);
}

const stretchedBed = (id: string, how: Stretch): string =>
  id
    .split('/')
    .map((part) => filled(part, PLACE_CHARS_MAX, how))
    .join('/');

/** Some records are called what somebody chose, the others by letter and number. */
function stretchedId(id: string, type: string, how: Stretch): string {
  if (type.endsWith('-policy')) return stretchedText(id, how, 'policy');
  if (type.endsWith('-inhibition')) return filled(id, NAME_CHARS_MAX, how);
  if (type.endsWith('-schedule')) return filled(id, SCHEDULE_CHARS_MAX, how);
  return id;
}

/** Rules and profiles have names of a narrower kind; patients have not. */
const stretchedRule = (rule: unknown, how: Stretch): unknown =>
  Object.fromEntries(
    Object.entries(rule as object).map(([name, part]) => [
      name,
      name === 'patients' ? stretchedPart(part, how, name) : part,
    ]),
  );

function stretchedLabels(labels: Record<string, string>, how: Stretch): Record<string, string> {
  const more = how.fills ? LABELS_MAX : Object.keys(labels).length;
  const all = [...Object.entries(labels)];
  for (let at = all.length; at < more; at += 1) all.push([`more${at}`, '']);
  return Object.fromEntries(
    all.map(([name, value]) => [
      filled(name, NAME_CHARS_MAX, how),
      filled(value, NAME_CHARS_MAX, how),
    ]),
  );
}

/** Lists of which more items change nothing of what happens, but who else is told. */
function filledList(items: readonly unknown[], how: Stretch, field: string): readonly unknown[] {
  const [first] = items;
  if (field === 'steps')
    return [
      ...items,
      ...Array.from({ length: POLICY_STEPS_MAX - items.length }, () => items.at(-1)),
    ];
  if (field === 'targets' && typeof first === 'string' && /^[a-z]+:/.test(first))
    return [...items, ...others(STEP_TARGETS_MAX - items.length, 'user:', how)];
  if (['patient', 'bed', 'device', 'unit', 'condition'].includes(field))
    return [...items, ...others(MATCHER_VALUES_MAX - items.length, '', how)];
  return items;
}

const others = (count: number, kind: string, how: Stretch): string[] =>
  Array.from({ length: count }, (_, at) => filled(`${kind}other${at}`, NAME_CHARS_MAX, how));
