import { TocsinError } from '../../base/errors.ts';
import type { Revision } from '../../base/ids.ts';
import { PASTS_MAX } from '../../base/limits.ts';
import type { AlertHistory } from '../../statemachine/alert-api.ts';
import { historyOf } from '../../statemachine/queries/alert-history.ts';
import { Past } from '../../statemachine/queries/past.ts';
import type { AlertSlice, PageOptions } from '../../statemachine/queries/queries.ts';
import type { AlertFilter, AlertId } from '../../statemachine/types.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';

/** Answers that look back from the state at hand: further pages of a list, and what happened to an alert. */
export class Pages {
  readonly #state: AppliedState;
  /** Those used last, so that each page undoes only what has happened since the one before; the newest last. */
  readonly #pasts = new Map<Revision, Past>();

  constructor(state: AppliedState) {
    this.#state = state;
  }

  /** A page of now. @throws TocsinError BAD_REQUEST */
  list(filter: AlertFilter, options: PageOptions): AlertSlice {
    return this.#state.machine.list(filter, options);
  }

  /** A page of the list as it was at a revision. @throws TocsinError CURSOR_EXPIRED, UNAVAILABLE, BAD_REQUEST */
  listAt(at: Revision, filter: AlertFilter, options: PageOptions): AlertSlice {
    const { machine, history } = this.#state;
    if (at > machine.revision)
      throw new TocsinError('UNAVAILABLE', `revision ${at} has not happened yet`);
    if (at === machine.revision) return machine.list(filter, options);
    const past = this.#pasts.get(at) ?? new Past(at);
    this.#pasts.delete(at);
    const page = machine.listAt(past, history, filter, options);
    this.#pasts.set(at, past);
    const [oldest] = this.#pasts.keys();
    if (this.#pasts.size > PASTS_MAX && oldest !== undefined) this.#pasts.delete(oldest);
    return page;
  }

  /** Undefined = there is no such alert. @throws TocsinError BAD_REQUEST */
  history(id: AlertId, from: Revision | undefined, limit: number): AlertHistory | undefined {
    const { machine, history } = this.#state;
    const alert = machine.get({ id });
    return alert && historyOf(history, id, from ?? alert.revision, limit);
  }
}
