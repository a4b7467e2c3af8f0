import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { type UnixMillis, unixMillis } from '../../src/base/ids.ts';
import type { KeptSchedule } from '../../src/statemachine/beside/schedule.ts';
import type { TableOptions } from '../output/table.ts';
import type { Io } from './io.ts';
import { addClientOptions, addConsistencyOption, type ReadFlags, withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { allSchedules, findSchedule } from './schedule-find.ts';
import { overrideCommand, removeCommand, setCommand } from './schedule-write.ts';
import { readOptionsOf, report, withClient } from './session.ts';
import { readText } from './text-file.ts';
import { parseInstant, parseText, whole } from './values.ts';

/** `tocsin schedule …`. */
export function scheduleCommand(io: Io): Command {
  const group = new Command('schedule')
    .description('on-call schedules: who is told where a policy says schedule:NAME')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'schedule',
        line: 'tocsin schedule list',
        says: 'list the schedules, and who is on call now',
        none: 'on-call schedules',
        render: async (...view) =>
          (await import('../output/schedule-tables.ts')).renderSchedules(...view),
      }),
    )
    .addCommand(getCommand(io))
    .addCommand(whoCommand(io))
    .addCommand(previewCommand(io))
    .addCommand(setCommand(io))
    .addCommand(overrideCommand(io))
    .addCommand(removeCommand(io));
  return withExamples(group, [
    ['tocsin schedule list', 'who is on call'],
    ['tocsin schedule set icu -f icu.yaml', 'layers, rotations and a time zone, from a file'],
    ['tocsin schedule preview icu --days 28', 'who will be on call, and where nobody is'],
    ['tocsin schedule override icu --user cara --for 8h', 'cara instead, from now on'],
    ['tocsin policy set icu --step schedule:icu=45s', 'alerts tell whoever is on call'],
  ]);
}

function getCommand(io: Io): Command {
  const command = new Command('get')
    .description('show a schedule; what -o yaml prints can be edited and set again')
    .argument('<name>', 'its name', parseText);
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin schedule get icu', 'its layers, overrides and next shifts'],
    ['tocsin schedule get icu -o yaml', 'to edit it, and to set it again'],
  ]).action(async (id: string, flags: ReadFlags) => {
    await withClient(io, flags, async (session) => {
      const found = await findSchedule(session.client, id, readOptionsOf(session, flags));
      const text = async (options: TableOptions): Promise<string> =>
        (await import('../output/schedule-tables.ts')).renderSchedule(found, io.wall(), options);
      await report(io, flags, { value: found, text });
    });
  });
}

interface WhoFlags extends ReadFlags {
  readonly at?: number;
}

function whoCommand(io: Io): Command {
  const command = new Command('who')
    .description('who is on call, by each schedule or by one')
    .argument('[name]', 'a schedule', parseText)
    .option('--at <time>', 'then, not now: 2026-12-24T20:00:00Z', parseInstant);
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin schedule who', 'who is on call'],
    ['tocsin schedule who icu --at 2026-12-24T20:00:00Z', 'who will be at Christmas'],
  ]).action(async (id: string | undefined, flags: WhoFlags) => {
    await withClient(io, flags, async (session) => {
      const { client } = session;
      const options = readOptionsOf(session, flags);
      const chosen =
        id === undefined
          ? await allSchedules(client, options)
          : [await findSchedule(client, id, options)];
      const at = unixMillis(flags.at ?? io.wall());
      const duties = await Promise.all(chosen.map((one) => dutyAt(one, at)));
      const text = async (view: TableOptions): Promise<string> =>
        (await import('../output/schedule-tables.ts')).renderDuties(duties, at, view);
      await report(io, flags, { value: { at, onCall: duties }, rows: duties, text });
    });
  });
}

/** Who is on call at an instant: by the shifts in the log, and beyond those by the rules. */
export interface Duty {
  readonly schedule: string;
  /** Null = nobody. */
  readonly user: string | null;
  readonly timeZone: string;
  readonly until?: UnixMillis;
}

async function dutyAt(schedule: KeptSchedule, at: UnixMillis): Promise<Duty> {
  const { id, timeZone } = schedule;
  const isKnown = schedule.from <= at && at < schedule.until;
  const { coverageFrom } = await import('../../src/oncall/coverage.ts');
  const { shifts } = isKnown ? schedule : coverageFrom(schedule, at);
  const shift = shifts.find(({ from, until }) => from <= at && at < until);
  return shift === undefined
    ? { schedule: id, user: null, timeZone }
    : { schedule: id, user: shift.user, timeZone, until: shift.until };
}

interface PreviewFlags extends ReadFlags {
  readonly file?: string;
  readonly days: number;
  readonly from?: number;
}

function previewCommand(io: Io): Command {
  const command = new Command('preview')
    .description('work out who will be on call, and where nobody is; nothing is changed')
    .argument('[name]', 'a schedule of the cluster', parseText)
    .option('-f, --file <path>', 'one in a file instead; - is standard input', parseText)
    .option('--days <number>', 'for so many days', whole(1, 366), 14)
    .option('--from <time>', 'from then on (default: now)', parseInstant);
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin schedule preview icu --days 28', 'the next four weeks'],
    ['tocsin schedule preview -f icu.yaml', 'before it is set; no cluster is asked'],
  ]).action(async (id: string | undefined, flags: PreviewFlags) => {
    if ((id === undefined) === (flags.file === undefined))
      throw new TocsinError('USAGE', 'preview needs either a name or a file');
    const { shiftsAndGaps } = await import('../output/schedule-tables.ts');
    const from = unixMillis(flags.from ?? io.wall());
    const until = unixMillis(from + flags.days * 86_400_000);
    const show = async (schedule: Pick<KeptSchedule, 'timeZone' | 'layers' | 'overrides'>) => {
      const { mustBeSensible } = await import('../../src/oncall/check.ts');
      const { shiftsBetween } = await import('../../src/oncall/shifts.ts');
      mustBeSensible(schedule);
      const rows = shiftsAndGaps(shiftsBetween(schedule, from, until), from, until);
      const { timeZone } = schedule;
      const text = async (view: TableOptions): Promise<string> =>
        (await import('../output/schedule-tables.ts')).renderShifts(rows, timeZone, view);
      await report(io, flags, { value: { timeZone, from, until, shifts: rows }, rows, text });
    };
    if (flags.file !== undefined) {
      const { parseSchedule } = await import('../input/schedule-file.ts');
      await show(parseSchedule(await readText(io, flags.file), flags.file));
      return;
    }
    await withClient(io, flags, async (session) => {
      await show(await findSchedule(session.client, id ?? '', readOptionsOf(session, flags)));
    });
  });
}
