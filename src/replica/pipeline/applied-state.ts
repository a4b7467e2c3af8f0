import type { AlertMachine } from '../../statemachine/machine.ts';
import { History } from '../../statemachine/queries/history.ts';
import type { RulesFeed } from './rules-feed.ts';

/** What a replica has applied: the alerts, and the newest events that led to them. A snapshot takes the place of both. */
export class AppliedState {
  readonly #historyEventsMax: number | undefined;
  readonly #rules: RulesFeed | undefined;
  #machine: AlertMachine;
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

  replace(machine: AlertMachine): void {
    this.#machine = machine;
    this.#history = new History(this.#historyEventsMax, machine.revision);
    this.#rules?.look(machine);
  }

  /** Entries have been applied. */
  advanced(): void {
    this.#rules?.look(this.#machine);
  }
}
