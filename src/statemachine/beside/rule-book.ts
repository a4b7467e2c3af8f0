import { RULES_MAX } from '../../base/limits.ts';
import {
  idOfRule,
  type KeptRule,
  type ListedRule,
  setOfRules,
} from '../../base/rules/listed-rules.ts';
import { findFault } from '../../base/rules/rule-faults.ts';
import { findProblem } from '../../base/rules/rules.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { Asked, Kept, Refusal } from '../types.ts';
import { Registry } from './registry.ts';

/** Makes the next version of a rule by which samples are judged, on every replica alike. */
export interface SetRuleCommand extends Asked {
  readonly type: 'set-rule';
  readonly rule: ListedRule;
}

/** Samples are no longer judged by the rule; what it has raised is cleared. */
export interface RemoveRuleCommand extends Asked {
  readonly type: 'remove-rule';
  readonly id: string;
}

export type RuleCommand = SetRuleCommand | RemoveRuleCommand;

/** The rules in force. Together they are always a set that an engine can judge by: a change that would end that is refused. */
export class RuleBook {
  readonly #ledger: Ledger;
  readonly registry: Registry<KeptRule>;
  #version = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.registry = new Registry(RULES_MAX, 1, () => true);
  }

  /** Changes with every change of the rules; 0 = there never were any in this machine. */
  get version(): number {
    return this.#version;
  }

  set({ rule }: SetRuleCommand): Kept | Refusal {
    const id = idOfRule(rule);
    const fault = findFault(rule);
    if (fault !== undefined)
      return refuse('BAD_REQUEST', `rule ${id}, ${fault.field}: ${fault.message}`);
    const refusal = this.#refusalOf([...this.#without(id), { id, version: 0, rule }]);
    if (refusal !== undefined) return refusal;
    const kept: KeptRule = { id, version: this.#ledger.nextNumber(), rule };
    this.restore(kept);
    this.#ledger.foldRecord(kept);
    return { ok: true, effect: 'kept', id, version: kept.version };
  }

  remove({ id }: RemoveRuleCommand): Kept | Refusal {
    const before = this.registry.get(id);
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no rule ${id}`);
    const refusal = this.#refusalOf(this.#without(id));
    if (refusal !== undefined) return refusal;
    this.registry.remove(id);
    this.#version = this.#ledger.nextNumber();
    this.#ledger.foldRecord({ removed: before });
    return { ok: true, effect: 'removed', id, version: before.version };
  }

  /** Takes in a rule of a snapshot, or one that was found to be right. */
  restore(rule: KeptRule): void {
    this.registry.put(rule);
    this.#version = Math.max(this.#version, rule.version);
  }

  #without(id: string): readonly KeptRule[] {
    return [...this.registry.liveOnes()].filter((one) => one.id !== id);
  }

  #refusalOf(kept: readonly KeptRule[]): Refusal | undefined {
    const set = setOfRules('rules', kept);
    const problem = findProblem(set);
    if (problem === undefined) return undefined;
    const { list, index, field, message } = problem;
    const one = set[list]?.[index];
    const name = one === undefined ? list : 'id' in one ? one.id : one.name;
    return refuse('BAD_REQUEST', `rule ${name}, ${field}: ${message}`);
  }
}
