import { Command } from 'commander';
import type { Revision } from '../../src/base/ids.ts';
import { LIST_PAGE_MAX } from '../../src/base/limits.ts';
import type { AlertEvent, AlertId } from '../../src/statemachine/types.ts';
import { alertJson, renderEvent } from '../output/alerts.ts';
import type { TableOptions } from '../output/table.ts';
import { formatInstant } from '../output/time.ts';
import type { Io } from './io.ts';
import { alertNotFound } from './not-found.ts';
import { addClientOptions, addConsistencyOption, type ReadFlags, withExamples } from './options.ts';
import { readOptionsOf, report, type Session, withClient } from './session.ts';
import { parseAlertId, whole } from './values.ts';

interface HistoryFlags extends ReadFlags {
  readonly limit: number;
}

/** `tocsin alert history`: what happened to one alert, as far as the cluster still knows. */
export function historyCommand(io: Io): Command {
  const command = new Command('history')
    .description('what happened to one alert, step by step, as far as it is kept')
    .argument('<id>', 'alert id such as A1042', parseAlertId)
    .option('--limit <number>', 'at most so many steps, the newest', whole(1, LIST_PAGE_MAX), 100);
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin alert history A1042', 'who did what, and when'],
    ['tocsin alert history A1042 -o json', 'for programs'],
  ]).action(async (id: AlertId, flags: HistoryFlags) => {
    await withClient(io, flags, async (session) => {
      const told = await collect(session, id, flags);
      const events = told.events.map((event) => ({ ...event, alert: alertJson(event.alert) }));
      await report(io, flags, {
        value: {
          revision: told.revision,
          events,
          next: told.next ?? null,
          compacted: told.isCompacted,
        },
        rows: events,
        text: (options) => render(told, options),
      });
    });
  });
}

interface Told {
  readonly events: readonly AlertEvent[];
  readonly next: Revision | undefined;
  readonly isCompacted: boolean;
  readonly revision: Revision;
}

/** An answer holds as many steps as fit a frame; asks on, back in time. */
async function collect(session: Session, id: AlertId, flags: HistoryFlags): Promise<Told> {
  const { limit } = flags;
  const options = readOptionsOf(session, flags);
  let events: readonly AlertEvent[] = [];
  let from: Revision | undefined;
  for (;;) {
    const left = { limit: limit - events.length, ...(from === undefined ? {} : { from }) };
    const answer = await session.client.history(id, { ...options, ...left });
    if (answer.value === undefined) throw alertNotFound({ id });
    const { next, isCompacted } = answer.value;
    events = [...answer.value.events, ...events];
    from = next;
    if (next === undefined || events.length >= limit)
      return { events, next, isCompacted, revision: answer.revision };
  }
}

function render({ events, next, isCompacted }: Told, { paint }: TableOptions): string {
  const older = isCompacted
    ? 'what was before is no longer kept'
    : next !== undefined && `there is more before: --limit, up to ${LIST_PAGE_MAX}`;
  const head = older ? `${paint('dim', older)}\n` : '';
  return head + events.map((one) => renderEvent(one, formatInstant(one.time), paint)).join('');
}
