import { Command, Option } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { unixMillis } from '../../src/base/ids.ts';
import type { Override } from '../../src/statemachine/beside/schedule.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { findSchedule } from './schedule-find.ts';
import { readText } from './text-file.ts';
import { parseInstant, parseText, whole } from './values.ts';
import { addRecordOptions, keep, parseSeconds, type WriteFlags } from './writing.ts';

/** What changes on-call schedules. */

interface SetFlags extends WriteFlags {
  readonly file: string;
  readonly ifVersion?: number;
}

export function setCommand(io: Io): Command {
  const command = new Command('set')
    .description('make a schedule, or the next version of one, from a YAML or JSON file')
    .argument('<name>', 'its name: targets of policies are schedule:NAME', parseText)
    .requiredOption('-f, --file <path>', 'the file; - is standard input', parseText)
    .option(
      '--if-version <number>',
      'refuse unless it is at this version (0: not there)',
      whole(0),
    );
  return withExamples(addRecordOptions(command), [
    ['tocsin schedule set icu -f examples/icu-schedule.yaml', 'weeks, nights and weekends'],
    ['tocsin schedule set icu -f icu.yaml --if-version 0', 'only if there is none yet'],
  ]).action(async (id: string, flags: SetFlags) => {
    const { parseSchedule } = await import('../input/schedule-file.ts');
    const { setSchedule } = await import('../../src/client/schedules.ts');
    const schedule = parseSchedule(await readText(io, flags.file), flags.file);
    const { ifVersion } = flags;
    const guard = ifVersion === undefined ? {} : { expectedVersion: ifVersion };
    const now = unixMillis(io.wall());
    await keep(io, flags, (client, said, options) =>
      setSchedule(client, { id, now, ...schedule, ...guard, ...said }, options),
    );
  });
}

interface OverrideFlags extends WriteFlags {
  readonly user?: string;
  readonly from?: number;
  readonly until?: number;
  readonly for?: number;
  readonly clear?: boolean;
}

export function overrideCommand(io: Io): Command {
  const command = new Command('override')
    .description('put one person on call instead of whoever it would be, for a time')
    .argument('<name>', 'the schedule', parseText)
    .option('--user <name>', 'who', parseText)
    .option('--from <time>', 'from when on (default: now)', parseInstant)
    .option('--until <time>', 'until when', parseInstant)
    .addOption(
      new Option('--for <duration>', 'or for how long: 30m, 8h')
        .argParser(parseSeconds)
        .conflicts('until'),
    )
    .addOption(
      new Option(
        '--clear',
        'take back the overrides that are not over, of --user or all',
      ).conflicts(['from', 'until', 'for']),
    );
  return withExamples(addRecordOptions(command), [
    ['tocsin schedule override icu --user cara --for 8h', 'from now on'],
    [
      'tocsin schedule override icu --user cara --from 2026-12-24T06:00:00Z --until 2026-12-27T06:00:00Z',
      'over Christmas',
    ],
    ['tocsin schedule override icu --clear --user cara', 'she cannot after all'],
  ]).action(async (id: string, flags: OverrideFlags) => {
    const { setSchedule } = await import('../../src/client/schedules.ts');
    const now = unixMillis(io.wall());
    const change = changeOf(flags, now);
    await keep(io, flags, async (client, said, options) => {
      const { timeoutMs, signal } = options;
      const timed = {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      };
      const before = await findSchedule(client, id, timed);
      const { version, timeZone, layers } = before;
      // Those that are over say nothing any more.
      const overrides = change(before.overrides.filter(({ until }) => until > now));
      const schedule = { timeZone, layers, overrides, expectedVersion: version };
      return setSchedule(client, { id, now, ...schedule, ...said }, options);
    });
  });
}

type Change = (before: readonly Override[]) => readonly Override[];

/** @throws TocsinError USAGE; what it answers may throw, too */
function changeOf(flags: OverrideFlags, now: number): Change {
  const { user, from = now, clear = false } = flags;
  const until = flags.until ?? (flags.for === undefined ? undefined : from + flags.for * 1_000);
  if (clear) return (before) => withoutThoseOf(user, before);
  if (user === undefined || until === undefined)
    throw new TocsinError('USAGE', 'an override needs --user, and --for or --until');
  const added = { user, from: unixMillis(from), until: unixMillis(until) };
  return (before) => [...before, added];
}

/** Whoever mistypes a name must not believe that somebody else is on call now. @throws TocsinError RECORD_NOT_FOUND */
function withoutThoseOf(
  user: string | undefined,
  before: readonly Override[],
): readonly Override[] {
  if (user === undefined) return [];
  const after = before.filter((one) => one.user !== user);
  if (after.length < before.length) return after;
  const users = [...new Set(before.map((one) => one.user))].join(', ');
  throw new TocsinError(
    'RECORD_NOT_FOUND',
    `no override of ${user} is left to take back${users === '' ? '' : `; there are some of ${users}`}`,
  );
}

export function removeCommand(io: Io): Command {
  const command = new Command('remove')
    .description('remove a schedule; steps that name it reach nobody, and an alert says so')
    .argument('<name>', 'its name', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin schedule remove icu', 'change the policies that name it first'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'remove-schedule', id, ...said }, options),
    );
  });
}
