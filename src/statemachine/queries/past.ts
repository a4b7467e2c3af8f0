import { must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { type Revision, revision } from '../../base/ids.ts';
import { idNumber } from '../alerts/alert-id.ts';
import type { AlertTable, Met } from '../alerts/alert-table.ts';
import { type Cursor, SortedMap } from '../collections/sorted-map.ts';
import type { Alert, AlertFilter, AlertId } from '../types.ts';
import type { History } from './history.ts';
import { type AlertSlice, candidates, checkedAfter, type PageOptions, pageOf } from './queries.ts';

/**
 * The alerts as they were at an earlier revision: those of now, with what happened since undone. So every replica whose
 * history reaches back far enough can go on with a list that another one began, and none keeps a list for anybody.
 */
export class Past {
  readonly revision: Revision;
  /** Everything up to here is undone. */
  #undone: Revision;
  /** What changed since, by number, as it was then; undefined = it was not there yet. */
  readonly #then = new SortedMap<Then>();

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
    const after = checkedAfter(options.after);
    this.undo(history);
    return pageOf(this.#merged(candidates(table, filter, after), after), filter, options, scanMax);
  }

  /**
   * Undoes what has happened meanwhile, until `isOver` says that it is enough for now. Whether nothing is left.
   * @throws TocsinError CURSOR_EXPIRED when the history no longer reaches back to it
   */
  undo(history: History, isOver: () => boolean = () => false): boolean {
    if (history.oldest > this.#undone + 1)
      throw new TocsinError(
        'CURSOR_EXPIRED',
        `what was at revision ${this.revision} is no longer known: the history begins at ${history.oldest}`,
      );
    while (this.#undone < history.newest) {
      this.#undone = revision(this.#undone + 1);
      const event = must(history.at(this.#undone), 'no event %', this.#undone);
      this.#note(event.alert.id, event.before);
      if (event.dropped !== undefined) this.#note(event.dropped.id, event.dropped);
      if (isOver()) break;
    }
    return this.#undone === history.newest;
  }

  /** Only the first change since then says what was then. */
  #note(id: AlertId, alert: Alert | undefined): void {
    const number = numberOf(id);
    if (this.#then.get(number) === undefined) this.#then.add(number, { alert });
  }

  /** What did not change since, and what did as it was, in order of the numbers. */
  *#merged(now: Iterable<Met>, after: number): Generator<Met> {
    const then = this.#then.after(after);
    let isThen = then.next();
    for (const one of now) {
      for (; isThen && then.id < one.id; isThen = then.next()) yield* wasThen(then);
      if (!isThen || then.id !== one.id) yield one;
    }
    for (; isThen; isThen = then.next()) yield* wasThen(then);
  }
}

/** Undefined = it was not there yet. */
interface Then {
  readonly alert: Alert | undefined;
}

function* wasThen({ id, value: { alert } }: Cursor<Then>): Generator<Met> {
  if (alert !== undefined) yield { id, glance: alert, value: alert };
}

const numberOf = (id: AlertId): number => must(idNumber(id), 'not an alert id: %', id);
