import { Command } from 'commander';
import { revision } from '../../src/base/ids.ts';
import {
  AlarmMetrics,
  type AlarmReport,
  type BadActor,
  type ExposedWaits,
} from '../../src/statemachine/queries/metrics.ts';
import { printable } from '../output/escape.ts';
import { renderPairs } from '../output/pairs.ts';
import type { TableOptions } from '../output/table.ts';
import { formatDuration, formatInstant } from '../output/time.ts';
import { addFilterOptions, type FilterFlags, filterOf } from './filter.ts';
import type { Io } from './io.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, type Session, withClient } from './session.ts';

/** `tocsin alert metrics`: how the alarms behave, from the history that the cluster still holds. */
export function metricsCommand(io: Io): Command {
  const command = new Command('metrics').description(
    'how alarms behave: per bed and day, floods, chattering, time to acknowledgement',
  );
  return withExamples(addClientOptions(addFilterOptions(command), '30s'), [
    ['tocsin alert metrics', 'of everything'],
    ['tocsin alert metrics --unit icu-2 -o json', 'of a unit, for programs'],
  ]).action(async (flags: ClientFlags & FilterFlags) => {
    await withClient(io, flags, async (session) => {
      const told = await measure(session, flags);
      await report(io, flags, { value: told, text: (options) => renderMetrics(told, options) });
    });
  });
}

/** Goes through the history once, up to where it stands now. */
async function measure(
  { client, timeoutMs, signal }: Session,
  flags: FilterFlags,
): Promise<AlarmReport> {
  const metrics = new AlarmMetrics();
  const { revision: until } = await client.list({}, { limit: 1, timeoutMs, signal });
  if (until === 0) return metrics.report();
  for await (const message of client.watch({
    from: revision(1),
    filter: filterOf(flags),
    signal,
  })) {
    if (message.type === 'event') metrics.add(message.event);
    if (message.type === 'compacted') metrics.begin(message.alerts);
    const at = message.type === 'event' ? message.event.revision : message.revision;
    if (at >= until) break;
  }
  return metrics.report();
}

type Row = readonly [string, string | undefined];

const worstRow = ({ dedupKey, annunciations }: BadActor): Row => [
  `  ${annunciations} times`,
  printable(dedupKey),
];

const exposureRow = ({ from, count, waits }: ExposedWaits): Row => [
  `  after ${from} or more false`,
  waits && `${formatDuration(waits.median)}, of ${count}`,
];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function renderMetrics(told: AlarmReport, { paint }: TableOptions): string {
  const { from, until, byPriority, acknowledgedAfter: waits } = told;
  const span = from === undefined || until === undefined ? undefined : until - from;
  return renderPairs(
    [
      ['From', from === undefined ? 'nothing happened' : formatInstant(from)],
      ['Before that', told.isWhole ? undefined : 'no longer kept; by day: tocsin tally list'],
      ['For', span === undefined ? undefined : formatDuration(span)],
      ['Annunciations', String(told.annunciations)],
      ['High, medium, low, none', Object.values(byPriority).join(', ')],
      ['Per bed and day', `${told.perBedDay.toFixed(1)}, over ${told.bedDays.toFixed(1)} bed-days`],
      ['Floods', `${told.floods}, ${percent(told.floodShare)} of the time`],
      ['Chattering', String(told.chattering)],
      ['Standing for a day', String(told.standing)],
      ['Ten worst conditions', percent(told.worstShare)],
      ...told.worst.map(worstRow),
      [
        'Acknowledged after',
        waits && `${formatDuration(waits.median)}, 95 % within ${formatDuration(waits.p95)}`,
      ],
      ...told.afterFalseAlarms.map(exposureRow),
      ['By reflex', `${told.reflex}, ${percent(told.reflexShare)} of those acknowledged`],
      ['Escalated', percent(told.escalatedShare)],
    ],
    paint,
  );
}
