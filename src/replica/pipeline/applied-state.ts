import { assert } from '../../base/assert.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import { History } from '../../statemachine/queries/history.ts';
import type { AppliedEvent } from '../../statemachine/types.ts';
import type { RulesFeed } from './rules-feed.ts';

/** What a replica has applied: the alerts, and the newest events that led to them. A snapshot takes the place of both. */
export class AppliedState {
  readonly #historyEventsMax: number | undefined;
  readonly #rules: RulesFeed | undefined;
  #machine: AlertMachine;
  /** What waits for the end of the entry under way. */
  #waiting: (() => void) | undefined;
  #history: History;

  constructor(machine: AlertMachine, historyEventsMax?: number, rules?: RulesFeed) {
    this.#historyEventsMax = historyEventsMax;
    this.#rules = rules;
    this.#machine = machine;
    this.#history = new History(historyEventsMax, machine.revision);
    rules?.look(machine);
  }

  get machine(): AlertMachine {
    return this.#machine;
  }
  /** Begins where the machine did when it was put here. */
  get history(): History {
    return this.#history;
  }

  /** What has just happened to the alerts. */
  note(events: readonly AppliedEvent[]): void {
    for (const event of events) this.#history.push(event);
  }

  replace(machine: AlertMachine): void {
    this.#machine = machine;
    this.#history = new History(this.#historyEventsMax, machine.revision);
    this.#rules?.look(machine);
    this.letGo();
  }

  /**
   * Calls `step` when no entry is applied by half: now, or as soon as the one under way has ended, or never will. One at a time waits, since
   * one snapshot at a time is taken.
   */
  whole(step: () => void): void {
    if (this.#machine.isMidway) {
      assert(this.#waiting === undefined, 'something waits for the end of the entry already');
      this.#waiting = step;
    } else step();
  }

  /** There is no entry under way, or it will not be gone on with: whoever waits for its end waits no more. */
  letGo(): void {
    const step = this.#waiting;
    this.#waiting = undefined;
    step?.();
  }

  /** Commands have been applied. */
  advanced(): void {
    this.#rules?.look(this.#machine);
  }
}
