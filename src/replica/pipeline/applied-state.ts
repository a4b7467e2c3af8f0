import type { AlertMachine } from '../../statemachine/machine.ts';
import { History } from '../../statemachine/queries/history.ts';

/** What a replica has applied: the alerts, and the newest events that led to them. A snapshot takes the place of both. */
export class AppliedState {
  readonly #historyEventsMax: number | undefined;
  #machine: AlertMachine;
  #history: History;

  constructor(machine: AlertMachine, historyEventsMax?: number) {
    this.#historyEventsMax = historyEventsMax;
    this.#machine = machine;
    this.#history = new History(historyEventsMax, machine.revision);
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
  }
}
