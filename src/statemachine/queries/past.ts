import { must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { type Revision, revision } from '../../base/ids.ts';
import { type AlertTable, idNumber } from '../alerts/alert-table.ts';
import type { Alert, AlertFilter, AlertId } from '../types.ts';
import { matches } from './filter.ts';
import type { History } from './history.ts';
import {
  type AlertSlice,
  candidates,
  checkedAfter,
  checkedLimit,
  type PageOptions,
} from './queries.ts';

/**
 * The alerts as they were at an earlier revision: those of now, with what happened since undone. So every replica whose
 * history reaches back far enough can go on with a list that another one began, and none keeps a list for anybody.
 */
export class Past {
  readonly revision: Revision;
  /** Everything up to here is undone. */
  #undone: Revision;
  /** What changed since, by number, as it was then; undefined = it was not there yet. */
  readonly #then = new Map<number, Alert | undefined>();
  /** The same, of what was there, in order of the numbers; undefined = to be made anew. */
  #inOrder: readonly Alert[] | undefined;

  constructor(at: Revision) {
    this.revision = at;
    this.#undone = at;
  }

  /**
   * One page of the alerts that matched then, as `listAlerts` gives one of now.
   * @throws TocsinError CURSOR_EXPIRED when the history no longer reaches back to it
   */
  list(
    table: AlertTable,
    history: History,
    filter: AlertFilter,
    options: PageOptions,
    scanMax: number,
  ): AlertSlice {
    const limit = checkedLimit(options.limit);
    const after = checkedAfter(options.after);
    this.#undo(history);
    const alerts: Alert[] = [];
    let scanned = 0;
    let newest: AlertId | undefined;
    for (const alert of this.#merged(candidates(table, filter, after), after)) {
      if (alerts.length === limit || scanned === scanMax) return { alerts, next: newest };
      if (matches(alert, filter)) alerts.push(alert);
      scanned += 1;
      newest = alert.id;
    }
    return { alerts, next: undefined };
  }

  #undo(history: History): void {
    if (history.oldest > this.#undone + 1)
      throw new TocsinError(
        'CURSOR_EXPIRED',
        `what was at revision ${this.revision} is no longer known: the history begins at ${history.oldest}`,
      );
    while (this.#undone < history.newest) {
      this.#undone = revision(this.#undone + 1);
      const event = must(history.at(this.#undone), () => `no event ${this.#undone}`);
      this.#note(event.alert.id, event.before);
      if (event.dropped !== undefined) this.#note(event.dropped.id, event.dropped);
    }
  }

  /** Only the first change since then says what was then. */
  #note(id: AlertId, before: Alert | undefined): void {
    const number = numberOf(id);
    if (this.#then.has(number)) return;
    this.#then.set(number, before);
    this.#inOrder = undefined;
  }

  /** What did not change since, and what did as it was, in order of the numbers. */
  *#merged(now: Iterable<Alert>, after: number): Generator<Alert> {
    const then = this.#after(after);
    let at = 0;
    for (const alert of now) {
      const number = numberOf(alert.id);
      for (let one = then[at]; one !== undefined && numberOf(one.id) < number; one = then[at]) {
        yield one;
        at += 1;
      }
      if (!this.#then.has(number)) yield alert;
    }
    yield* then.slice(at);
  }

  #after(number: number): readonly Alert[] {
    this.#inOrder ??= [...this.#then.values()]
      .filter((alert) => alert !== undefined)
      .sort((a, b) => numberOf(a.id) - numberOf(b.id));
    const from = this.#inOrder.findIndex(({ id }) => numberOf(id) > number);
    return from < 0 ? [] : this.#inOrder.slice(from);
  }
}

const numberOf = (id: AlertId): number => must(idNumber(id), () => `not an alert id: ${id}`);
