import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { type Revision, revision } from '../../src/base/ids.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { alertJson, renderAlertLine, renderEvent } from '../output/alerts.ts';
import { isForPeople } from '../output/formats.ts';
import { toSafeJson } from '../output/json.ts';
import type { Paint } from '../output/paint.ts';
import { streamRenderer } from '../output/stream.ts';
import type { TableOptions } from '../output/table.ts';
import { formatInstant } from '../output/time.ts';
import { Exit } from './failure.ts';
import { addFilterOptions, type FilterFlags, filterOf } from './filter.ts';
import type { Io } from './io.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { INTERRUPTED, type Session, tableOptions, watchInterrupts, withClient } from './session.ts';
import { whole } from './values.ts';

interface WatchFlags extends ClientFlags, FilterFlags {
  readonly from?: number;
}

/** Follows the alert history until it is interrupted or nobody reads any more. */
export function watchCommand(io: Io): Command {
  const command = new Command('watch')
    .description(
      'follow the alert history as it happens, each event once and in order; Ctrl-C ends it',
    )
    .option(
      '--from <revision>',
      'begin with the event of this revision; 1 is the beginning (default: now)',
      whole(1),
    )
    .argument(
      '[program...]',
      'after --: run for each event, which it gets as JSON on standard input',
    );
  return withExamples(addClientOptions(addFilterOptions(command), '10s'), [
    ['tocsin alert watch', 'what happens from now on'],
    ['tocsin alert watch --priority high --unit ICU', 'what is urgent on one unit'],
    ['tocsin alert watch --from 1', 'from the beginning'],
    ['tocsin alert watch -o json', 'one JSON object a line'],
    ['tocsin alert watch --priority high -- ./page-somebody', 'a program for each event'],
  ]).action(async (program: readonly string[], flags: WatchFlags) => {
    const told: Told = { revision: undefined };
    const patience = watchInterrupts(io, () => true);
    try {
      await Promise.race([
        withClient(io, flags, (session) => follow(io, flags, session, program, told)),
        patience.isOver,
      ]);
    } catch (error) {
      const isInterrupted = error instanceof Exit && error.status === INTERRUPTED;
      if (isInterrupted && isForPeople(flags.output) && told.revision !== undefined)
        io.stderr.write(`tocsin: to go on from here: --from ${told.revision + 1}\n`);
      throw error;
    } finally {
      patience.dispose();
    }
  });
}

/** Everything up to here was written out. */
interface Told {
  revision: Revision | undefined;
}

async function follow(
  io: Io,
  flags: WatchFlags,
  session: Session,
  program: readonly string[],
  told: Told,
): Promise<void> {
  const printer = new Printer(tableOptions(io, flags));
  const forms = {
    value: messageJson,
    columns: COLUMNS,
    text: (message: WatchMessage) => printer.render(message),
  };
  const render = await streamRenderer(forms, flags.output);
  await warnOfFuture(io, flags, session);
  const options = {
    filter: filterOf(flags),
    signal: AbortSignal.any([session.signal, io.outputGone]),
    ...(flags.from === undefined ? {} : { from: revision(flags.from) }),
  };
  for await (const message of session.client.watch(options)) {
    if (io.outputGone.aborted) return;
    io.stdout.write(render(message));
    // The next one waits until this one is out: a slow reader slows the watch and fills no queue.
    await io.stdout.flush();
    if (program.length > 0 && message.type === 'event')
      await hand(io, program, messageJson(message), session.signal);
    told.revision = message.type === 'event' ? message.event.revision : message.revision;
  }
}

/** A revision that is far ahead would be waited for in silence; nobody who mistypes a number means that. */
async function warnOfFuture(io: Io, { from }: WatchFlags, session: Session): Promise<void> {
  if (from === undefined || from === 1) return;
  const { client, timeoutMs, signal } = session;
  const { revision: newest } = await client.list({}, { limit: 1, timeoutMs, signal });
  if (from > newest + 1)
    io.stderr.write(`tocsin: the newest revision is ${newest}; nothing is told before ${from}\n`);
}

/** A program that fails ends the watch: what it was not told of must not be passed over in silence. */
async function hand(
  io: Io,
  program: readonly string[],
  event: unknown,
  signal: AbortSignal,
): Promise<void> {
  const status = await io.services.runProgram(program, `${toSafeJson(event)}\n`, signal);
  if (status === 0) return;
  throw new TocsinError(
    'USAGE',
    `${program.join(' ')} ended with ${status}; the watch ends with it`,
  );
}

/** The messages as lines for people: on a terminal the date is said once a day, elsewhere in each line. */
class Printer {
  readonly #paint: Paint;
  readonly #isTerminal: boolean;
  #isFirst = true;
  #day = '';

  constructor({ paint, width }: TableOptions) {
    this.#paint = paint;
    this.#isTerminal = width !== undefined;
  }

  render(message: WatchMessage): string {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    switch (message.type) {
      case 'event':
        return this.#event(message.event) + (message.leaves ? this.#left(message.event) : '');
      case 'progress':
        // Later ones are for programs: to people, an event is progress enough.
        return isFirst ? this.#aside(`watching from revision ${message.revision + 1}`) : '';
      case 'compacted': {
        const { alerts, revision: until } = message;
        const lines = alerts.map((alert) => `  ${renderAlertLine(alert, this.#paint)}\n`);
        return `${this.#aside(`what led to revision ${until} is no longer kept; what it led to:`)}${lines.join('')}`;
      }
    }
  }

  #event(event: AlertEvent): string {
    const stamp = formatInstant(event.time);
    if (!this.#isTerminal) return renderEvent(event, stamp, this.#paint);
    const [day = '', clock = ''] = stamp.split('T');
    const head = day === this.#day ? '' : this.#aside(day);
    this.#day = day;
    return head + renderEvent(event, clock, this.#paint);
  }

  #left({ alert }: AlertEvent): string {
    return this.#aside(`${alert.id} is no longer among what is watched`);
  }

  #aside(text: string): string {
    return `${this.#paint('dim', text)}\n`;
  }
}

function messageJson(message: WatchMessage): unknown {
  if (message.type === 'event') {
    const { event } = message;
    return { ...message, event: { ...event, alert: alertJson(event.alert) } };
  }
  if (message.type === 'progress') return message;
  return { ...message, alerts: message.alerts.map(alertJson) };
}

/** Of a watch as CSV: a fixed set, since what comes later is not known when the head is written. */
const COLUMNS: readonly string[] = [
  'type',
  'revision',
  ...['revision', 'time', 'effect', 'actor'].map((name) => `event.${name}`),
  ...['id', 'state', 'priority', 'condition', 'text', 'dedupKey', 'activation'].map(
    (name) => `event.alert.${name}`,
  ),
  ...['unit', 'bed', 'patient', 'device'].map((name) => `event.alert.subject.${name}`),
];
