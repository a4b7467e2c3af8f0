import type { KeptRule } from '../../base/rules/listed-rules.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';

export type RulesFollower = (rules: readonly KeptRule[]) => void;

/** Tells, in this process, of the rules that this replica has applied: all of them, whenever they have changed. */
export class RulesFeed {
  #machine: AlertMachine | undefined;
  #version = 0;
  #follower: RulesFollower | undefined;

  /** The one follower is told at once of what is in force, and then of each change. */
  follow(follower: RulesFollower): void {
    this.#follower = follower;
    if (this.#machine !== undefined) follower(this.#machine.rules);
  }

  /** Something was applied, or the machine is another one. */
  look(machine: AlertMachine): void {
    if (machine === this.#machine && machine.rulesVersion === this.#version) return;
    this.#machine = machine;
    this.#version = machine.rulesVersion;
    this.#follower?.(machine.rules);
  }
}
