import { type Tally, WAIT_BOUNDS } from '../../src/statemachine/beside/tallies.ts';
import { printable } from './escape.ts';
import { renderTable, type TableOptions } from './table.ts';
import { formatInstant } from './time.ts';

/** Counts by day and unit as a table. */

const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);

const WITHIN_A_MINUTE: number = WAIT_BOUNDS.filter((bound) => bound <= 60).length;

const percentOf = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${Math.round((100 * part) / whole)} %`;

const annunciationsOf = ({ annunciations }: Tally): number => sum(Object.values(annunciations));

export const renderTallies = (
  tallies: readonly Tally[],
  _now: number,
  options: TableOptions,
): string =>
  renderTable<Tally>(
    [
      { title: 'DAY', cell: ({ day }) => formatInstant(day).slice(0, 10) },
      { title: 'UNIT', cell: ({ unit }) => printable(unit === '' ? '-' : unit), shrinkTo: 12 },
      { title: 'ALARMS', cell: (one) => String(annunciationsOf(one)), align: 'right' },
      { title: 'HIGH', cell: ({ annunciations }) => String(annunciations.high), align: 'right' },
      { title: 'BEDS', cell: ({ beds }) => String(beds), align: 'right' },
      {
        title: 'PER BED',
        cell: (one) => (one.beds === 0 ? '-' : (annunciationsOf(one) / one.beds).toFixed(1)),
        align: 'right',
      },
      { title: 'ACKED', cell: ({ acknowledged }) => String(acknowledged), align: 'right' },
      {
        title: 'IN A MINUTE',
        cell: ({ waits }) => percentOf(sum(waits.slice(0, WITHIN_A_MINUTE)), sum(waits)),
        align: 'right',
      },
      { title: 'BACK AT ONCE', cell: ({ returned }) => String(returned), align: 'right', drop: 2 },
      {
        title: 'GONE ALONE',
        cell: ({ endedAlone, ended }) => percentOf(endedAlone, ended),
        align: 'right',
        drop: 1,
      },
      { title: 'ESCALATED', cell: ({ escalated }) => String(escalated), align: 'right', drop: 1 },
    ],
    tallies,
    options,
  );
