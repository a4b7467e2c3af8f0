import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Millis, Revision } from '../../base/ids.ts';
import { LIST_LIMIT_DEFAULT, LIST_TURNS_MAX, PASTS_MAX } from '../../base/limits.ts';
import type { AlertHistory, Answer, ListedAlert } from '../../statemachine/alert-api.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import { historyOf } from '../../statemachine/queries/alert-history.ts';
import { Past } from '../../statemachine/queries/past.ts';
import type { AlertSlice, PageOptions } from '../../statemachine/queries/queries.ts';
import type { Alert, AlertFilter, AlertId } from '../../statemachine/types.ts';
import { ListAnswer } from '../../wire/clients/answers.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import type { IsOver, Turns } from '../turns.ts';
import { AnswerLine } from './answer-line.ts';
import { ageOf, type Freshness } from './read-desk.ts';

/** Which page of which list; `at`: as it was at a revision, else of now. */
export interface Wanted extends Freshness {
  readonly at?: Revision | undefined;
  readonly filter: AlertFilter;
  readonly options: PageOptions;
  /** After it nobody waits for the page any more. */
  readonly deadline: Millis;
}

/** A page that is looked for, a turn at a time. */
interface Search {
  /** What is left of it. */
  wanted: Wanted;
  readonly found: Alert[];
  turns: number;
}

/** A page on its way to being an answer. */
interface Page {
  readonly answer: Answer<AlertSlice>;
  readonly body: ListAnswer;
  written: number;
}

/** An answer that is made in steps. */
export interface Answering {
  /** Makes the next one. Whether there are more. */
  step(): boolean;
  finish(): readonly Uint8Array[];
}

/** Adds one item after another, as long as there is room. */
export function adding<T>(
  items: readonly T[],
  add: (item: T) => boolean,
  finish: () => readonly Uint8Array[],
): Answering {
  const rest = items.values();
  return {
    step: () => {
      const { done, value } = rest.next();
      return done !== true && add(value);
    },
    finish,
  };
}

/** Whoever asked has stopped waiting: an answer would cost much and reach nobody. */
export const tooLate = (): TocsinError =>
  new TocsinError('DEADLINE_EXCEEDED', 'the time allowed ran out before the answer was built');

export function answerOf<T>(value: T, at: Revision, freshness: Freshness, now: Millis): Answer<T> {
  const ageMs = ageOf(freshness, now);
  return { value, revision: at, ...(ageMs === undefined ? {} : { ageMs }) };
}

const pageOf = (answer: Answer<AlertSlice>): Page => ({
  answer,
  body: new ListAnswer(),
  written: 0,
});

/** No page that anybody was given is of it. */
const notYet = (at: Revision, newest: Revision): TocsinError =>
  new TocsinError('BAD_REQUEST', `revision ${at} has not happened yet, the newest is ${newest}`);

/** Answers that look back from the state at hand: further pages of a list, and what happened to an alert. */
export class Pages {
  readonly #state: AppliedState;
  /** Those used last, so that each page undoes only what has happened since the one before; the newest last. */
  readonly #pasts = new Map<Revision, Past>();
  readonly #clock: Clock;
  readonly #pages: AnswerLine;
  /** Of what is short as a rule, and does not wait for pages of lists. */
  readonly #others: AnswerLine;

  constructor(state: AppliedState, clock: Clock, turns: Turns) {
    this.#state = state;
    this.#clock = clock;
    this.#pages = new AnswerLine(turns);
    this.#others = new AnswerLine(turns);
  }

  /** Makes a page, a slice at a time and after those that wait already; then calls back. */
  ask(wanted: Wanted, done: (outcome: readonly Uint8Array[] | TocsinError) => void): void {
    const search: Search = { wanted, found: [], turns: 0 };
    let page: Page | undefined;
    this.#pages.later((isOver) => {
      try {
        page ??= this.#look(search, isOver);
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        done(error);
        return false;
      }
      if (page === undefined || this.#write(page)) return true;
      const { value, revision } = page.answer;
      done(page.body.finish(answerOf(value, revision, wanted, this.#clock.monotonic())));
      return false;
    });
  }

  /** Makes an answer of what is at hand, a step at a time: now if there is time. `begin`, and then `done`, is called when it is its turn. */
  make(
    deadline: Millis,
    begin: (isOver: IsOver) => Answering,
    done: (outcome: readonly Uint8Array[] | TocsinError) => void,
  ): void {
    let answering: Answering | undefined;
    this.#others.now((isOver) => {
      try {
        if (answering === undefined) {
          if (this.#clock.monotonic() > deadline) throw tooLate();
          answering = begin(isOver);
          if (isOver(true)) return true;
        }
        while (answering.step()) if (isOver(true)) return true;
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        done(error);
        return false;
      }
      done(answering.finish());
      return false;
    });
  }

  /** One turn. Undefined = there are more to come. @throws TocsinError as #find; DEADLINE_EXCEEDED */
  #look(search: Search, isOver: () => boolean): Page | undefined {
    const { wanted, found } = search;
    if (this.#clock.monotonic() > wanted.deadline) throw tooLate();
    let isCut = false;
    const answer = this.#find(wanted, () => {
      isCut = isOver();
      return isCut;
    });
    if (answer === undefined) return undefined;
    const { alerts, next } = answer.value;
    found.push(...alerts);
    search.turns += 1;
    const { limit = LIST_LIMIT_DEFAULT } = wanted.options;
    const left = limit - alerts.length;
    if (!isCut || next === undefined || left === 0 || search.turns === LIST_TURNS_MAX)
      return pageOf({ ...answer, value: { alerts: found, next } });
    // A page is of one state: by the next turn this one may be past.
    const options = { limit: left, after: next };
    search.wanted = { ...wanted, at: answer.revision, options };
    return undefined;
  }

  /** Undefined = there is more to undo first. @throws TocsinError CURSOR_EXPIRED, BAD_REQUEST */
  #find(
    { at, filter, options: asked }: Wanted,
    isOver: () => boolean,
  ): Answer<AlertSlice> | undefined {
    const options = { ...asked, isOver };
    const { machine, history } = this.#state;
    const { revision } = machine;
    if (at !== undefined && at > revision) throw notYet(at, revision);
    if (at === undefined || at === revision)
      return { value: machine.list(filter, options), revision };
    const past = this.#past(at);
    if (!past.undo(history, isOver)) return undefined;
    const value = machine.listAt(past, history, filter, options);
    return { value, revision: at };
  }

  #past(at: Revision): Past {
    const past = this.#pasts.get(at) ?? new Past(at);
    this.#pasts.delete(at);
    this.#pasts.set(at, past);
    const [oldest] = this.#pasts.keys();
    if (this.#pasts.size > PASTS_MAX && oldest !== undefined) this.#pasts.delete(oldest);
    return past;
  }

  /** Takes in the next alert. Whether there is more to do. */
  #write(page: Page): boolean {
    const alert = page.answer.value.alerts[page.written];
    if (alert === undefined) return false;
    page.written += 1;
    return page.body.add(shown(this.#state.machine, alert));
  }

  /** Undefined = there is no such alert. @throws TocsinError BAD_REQUEST */
  history(id: AlertId, from: Revision | undefined, limit: number): AlertHistory | undefined {
    const { machine, history } = this.#state;
    if (from !== undefined && from > machine.revision) throw notYet(from, machine.revision);
    const alert = machine.get({ id });
    return alert && historyOf(history, id, from ?? alert.revision, limit);
  }
}

/** An alert with what is to be said of it now. */
export function shown(machine: AlertMachine, alert: Alert): ListedAlert {
  const badges = machine.badgesOf(alert);
  return badges === undefined ? alert : { ...alert, badges };
}
