import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Revision } from '../../base/ids.ts';
import { PASTS_MAX } from '../../base/limits.ts';
import type { AlertHistory, Answer, ListedAlert } from '../../statemachine/alert-api.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import { historyOf } from '../../statemachine/queries/alert-history.ts';
import { Past } from '../../statemachine/queries/past.ts';
import type { AlertSlice, PageOptions } from '../../statemachine/queries/queries.ts';
import type { Alert, AlertFilter, AlertId } from '../../statemachine/types.ts';
import { ListAnswer } from '../../wire/clients/answers.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import { SlicedWork } from '../slices.ts';

/** Answers that look back from the state at hand: further pages of a list, and what happened to an alert. */
export class Pages {
  readonly #state: AppliedState;
  /** Those used last, so that each page undoes only what has happened since the one before; the newest last. */
  readonly #pasts = new Map<Revision, Past>();
  readonly #work: SlicedWork;

  constructor(state: AppliedState, clock: Clock) {
    this.#state = state;
    this.#work = new SlicedWork(clock);
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

  /** Makes the answer that a page is, a slice at a time and after those that wait already; then calls back. */
  write(answer: Answer<AlertSlice>, done: (body: readonly Uint8Array[]) => void): void {
    const { machine } = this.#state;
    const { alerts } = answer.value;
    const body = new ListAnswer();
    let at = 0;
    this.#work.add(() => {
      const alert = alerts[at];
      at += 1;
      if (alert !== undefined && body.add(shown(machine, alert))) return true;
      done(body.finish(answer));
      return false;
    });
  }

  /** Undefined = there is no such alert. @throws TocsinError BAD_REQUEST */
  history(id: AlertId, from: Revision | undefined, limit: number): AlertHistory | undefined {
    const { machine, history } = this.#state;
    const alert = machine.get({ id });
    return alert && historyOf(history, id, from ?? alert.revision, limit);
  }
}

/** An alert with what is to be said of it now. */
export function shown(machine: AlertMachine, alert: Alert): ListedAlert {
  const badges = machine.badgesOf(alert);
  return badges === undefined ? alert : { ...alert, badges };
}
