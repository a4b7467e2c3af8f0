import { Command } from 'commander';
import { LIST_PAGE_MAX } from '../../src/base/limits.ts';
import type { AlertPage, Answer, ListCursor } from '../../src/statemachine/alert-api.ts';
import type { Alert, AlertFilter, AlertId, AlertRef } from '../../src/statemachine/types.ts';
import { type AlertView, alertJson, renderAlert } from '../output/alerts.ts';
import { printable } from '../output/escape.ts';
import type { TableOptions } from '../output/table.ts';
import { formatDuration } from '../output/time.ts';
import { addFilterOptions, type FilterFlags, filterOf } from './filter.ts';
import type { Io } from './io.ts';
import { alertNotFound } from './not-found.ts';
import {
  addClientOptions,
  addConsistencyOption,
  consistencyOf,
  type ReadFlags,
  withExamples,
} from './options.ts';
import { readOptionsOf, report, type Session, withClient } from './session.ts';
import { parseAfter, parseRef, whole } from './values.ts';

/** The commands that look at alerts. */

interface ListFlags extends ReadFlags, FilterFlags {
  readonly limit: number;
  readonly after?: AlertId | ListCursor;
}

const LIMIT_DEFAULT = 100;

export function getCommand(io: Io): Command {
  const command = new Command('get')
    .description('show everything about one alert')
    .argument('<alert>', 'alert id such as A1042, or the dedup key of an open alert', parseRef);
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin alert get A1042', 'by id'],
    ['tocsin alert get bed:B12:HR:HI', 'the open one under a key'],
    ['tocsin alert get A1042 -o json', 'for programs'],
  ]).action(async (ref: AlertRef, flags: ReadFlags) => {
    await withClient(io, flags, async (session) => {
      const answer = await session.client.get(ref, readOptionsOf(session, flags));
      const { value } = answer;
      if (value === undefined) throw alertNotFound(ref);
      await report(io, flags, {
        value: { ...seenAt(answer), alert: alertJson(value) },
        rows: [alertJson(value)],
        text: (options) =>
          renderAlert(value, { ...options, now: io.wall() }) + freshness(answer, flags, options),
      });
    });
  });
}

/** As of when an answer is: the revision, and how old the state is if that is known. */
const seenAt = ({ revision, ageMs }: Seen): Seen => ({
  revision,
  ...(ageMs === undefined ? {} : { ageMs }),
});

/** What people have to know of an answer that need not be the newest; empty for one that is. */
function freshness({ ageMs }: Seen, flags: ReadFlags, { paint }: TableOptions): string {
  const consistency = consistencyOf(flags);
  if (consistency === 'linearizable' || consistency === 'lease') return '';
  const age =
    ageMs === undefined
      ? 'it does not know how old that is'
      : `nothing is missing that was answered ${formatDuration(ageMs)} ago`;
  return `\n${paint('dim', `as one replica has it; ${age}`)}\n`;
}

export function listCommand(io: Io): Command {
  const command = new Command('list')
    .description('list alerts in order of their ids: what is open, unless flags say otherwise')
    .option(
      '--limit <number>',
      `at most so many, up to ${LIST_PAGE_MAX}`,
      whole(1, LIST_PAGE_MAX),
      LIMIT_DEFAULT,
    )
    .option(
      '--after <id>',
      'continue after this alert; with the @ of a page, in its state',
      parseAfter,
    );
  return withExamples(addConsistencyOption(addClientOptions(addFilterOptions(command), '10s')), [
    ['tocsin alert list', 'what is open now'],
    ['tocsin alert list --priority high,medium', 'what should not wait'],
    ['tocsin alert list --bed B12 --all', 'a bed, what is resolved too'],
    ['tocsin alert list --max-age 2s', 'from any replica, at most that old'],
    ['tocsin alert list -o json', 'for programs'],
  ]).action(async (flags: ListFlags) => {
    await withClient(io, flags, async (session) => {
      const page = await collect(session, flags);
      const alerts = page.alerts.map(alertJson);
      await report(io, flags, {
        value: { ...seenAt(page), alerts, next: page.next ?? null },
        rows: alerts,
        text: async (options) =>
          (await renderPage(page, { ...options, now: io.wall() })) +
          freshness(page, flags, options),
      });
    });
  });
}

type Seen = Pick<Answer<unknown>, 'revision' | 'ageMs'>;

interface Page extends Seen {
  readonly alerts: readonly Alert[];
  readonly next: ListCursor | undefined;
}

/** A replica may answer with fewer alerts than asked for and more to come: asks on until the list is full or at its end. */
async function collect(session: Session, flags: ListFlags): Promise<Page> {
  const filter = listFilterOf(flags);
  const alerts: Alert[] = [];
  let after: AlertId | ListCursor | undefined = flags.after;
  for (;;) {
    const answer: Answer<AlertPage> = await session.client.list(filter, {
      ...readOptionsOf(session, flags),
      limit: flags.limit - alerts.length,
      ...(after === undefined ? {} : { after }),
    });
    alerts.push(...answer.value.alerts);
    const { value } = answer;
    after = value.next;
    // The revision is the same of all pages.
    if (value.next === undefined || alerts.length >= flags.limit)
      return { ...seenAt(answer), alerts, next: value.next };
  }
}

/** Open ones by default; a state that was named speaks for itself. */
function listFilterOf(flags: ListFlags): AlertFilter {
  const filter = filterOf(flags);
  const isNarrowed = filter.open !== undefined || flags.all === true || flags.state !== undefined;
  return isNarrowed ? filter : { ...filter, open: true };
}

async function renderPage({ alerts, next, revision }: Page, view: AlertView): Promise<string> {
  if (alerts.length === 0) return `no alerts match at revision ${revision}\n`;
  const { renderAlerts } = await import('../output/alert-table.ts');
  const table = renderAlerts(alerts, view);
  if (next === undefined) return table;
  return `${table}\n${view.paint('dim', `there are more: --after ${printable(next)}`)}\n`;
}
