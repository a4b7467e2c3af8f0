import { localText } from '../../src/oncall/local-time.ts';
import type { KeptSchedule, Layer, Shift } from '../../src/statemachine/beside/schedule.ts';
import { printable } from './escape.ts';
import { renderTable, renderTableOr, type TableOptions } from './table.ts';
import { formatDuration } from './time.ts';

/** On-call schedules as tables; times are those of their own zones. */

const NOBODY = 'NOBODY';

/** A stretch of time, and who is on call then; null = nobody. */
export interface Stretch {
  readonly user: string | null;
  readonly from: number;
  readonly until: number;
}

/** All of the time between, the gaps included. */
export function shiftsAndGaps(
  shifts: readonly Shift[],
  from: number,
  until: number,
): readonly Stretch[] {
  const found: Stretch[] = [];
  let end = from;
  for (const shift of shifts) {
    if (shift.from > end) found.push({ user: null, from: end, until: shift.from });
    found.push(shift);
    end = shift.until;
  }
  return end < until ? [...found, { user: null, from: end, until }] : found;
}

const userNow = ({ shifts }: KeptSchedule, now: number): string =>
  shifts.find(({ from, until }) => from <= now && now < until)?.user ?? NOBODY;

export const renderSchedules = (
  schedules: readonly KeptSchedule[],
  now: number,
  options: TableOptions,
): string =>
  renderTable<KeptSchedule>(
    [
      { title: 'NAME', cell: ({ id }) => printable(id) },
      { title: 'VERSION', cell: ({ version }) => String(version), align: 'right' },
      { title: 'ON CALL', cell: (one) => printable(userNow(one, now)) },
      { title: 'ZONE', cell: ({ timeZone }) => printable(timeZone) },
      { title: 'LAYERS', cell: ({ layers }) => String(layers.length), align: 'right' },
      {
        title: 'KNOWN FOR',
        cell: ({ until }) => (until > now ? formatDuration(until - now) : 'no more'),
        align: 'right',
        drop: 1,
      },
    ],
    schedules,
    options,
  );

interface DutyRow {
  readonly schedule: string;
  readonly user: string | null;
  readonly timeZone: string;
  readonly until?: number;
}

export const renderDuties = (
  duties: readonly DutyRow[],
  at: number,
  options: TableOptions,
): string =>
  renderTableOr<DutyRow>(
    'no on-call schedules',
    [
      { title: 'SCHEDULE', cell: ({ schedule }) => printable(schedule) },
      { title: 'ON CALL', cell: ({ user }) => printable(user ?? NOBODY) },
      { title: 'AT', cell: ({ timeZone }) => localText(at, timeZone) },
      {
        title: 'UNTIL',
        cell: ({ until, timeZone }) => (until === undefined ? '-' : localText(until, timeZone)),
      },
      { title: 'ZONE', cell: ({ timeZone }) => printable(timeZone), drop: 1 },
    ],
    duties,
    options,
  );

export const renderShifts = (
  stretches: readonly Stretch[],
  timeZone: string,
  options: TableOptions,
): string =>
  renderTable<Stretch>(
    [
      { title: 'ON CALL', cell: ({ user }) => printable(user ?? NOBODY) },
      { title: 'FROM', cell: ({ from }) => localText(from, timeZone) },
      { title: 'UNTIL', cell: ({ until }) => localText(until, timeZone) },
      { title: 'FOR', cell: ({ from, until }) => formatDuration(until - from), align: 'right' },
    ],
    stretches,
    options,
  );

/** A few lines of rules, and the shifts that come next. */
export function renderSchedule(schedule: KeptSchedule, now: number, options: TableOptions): string {
  const { id, version, timeZone, layers, overrides, from, until, shifts } = schedule;
  const stretches = shiftsAndGaps(shifts, from, until).filter((one) => one.until > now);
  const lines = [
    `${id}, version ${version}, times of ${timeZone}`,
    ...layers.map(layerText),
    ...overrides.map(
      (one) =>
        `override: ${one.user} from ${localText(one.from, timeZone)} until ${localText(one.until, timeZone)}`,
    ),
  ];
  const rules = lines.map((line) => `${printable(line)}\n`).join('');
  return `${rules}\n${renderShifts(stretches, timeZone, options)}`;
}

function layerText({ name, users, rotation, restrictions }: Layer): string {
  const { start, every, unit } = rotation;
  const turn = every === 1 ? `each ${unit}` : `every ${every} ${unit}s`;
  const only = restrictions.map(({ days, from, to }) => {
    const when = days.length === 0 ? '' : `on days ${days.join(',')} `;
    return `${when}${from} to ${to}`;
  });
  const limits = only.length === 0 ? '' : `, only ${only.join(' and ')}`;
  return `layer ${name}: ${users.join(', ')}, ${turn} from ${start}${limits}`;
}
