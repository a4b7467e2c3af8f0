import { must } from '../../base/assert.ts';
import type { AlertLimits } from '../alert-limits.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { Asked, EscalationState, Kept, Priority, Refusal } from '../types.ts';

export interface EscalationStep {
  /** Who is told: `user:anna`, `role:charge-nurse`, `schedule:icu`, `webhook:pager`. None = the step only waits. */
  readonly targets: readonly string[];
  /** For how long an answer is waited for before the next step. */
  readonly delaySeconds: number;
}

/** Who is told, in which order, while nobody acknowledges. */
export interface EscalationPolicy {
  readonly id: string;
  /** Rises with every change; an alert keeps the version that was in force when it was opened. */
  readonly version: number;
  readonly steps: readonly EscalationStep[];
  /** How often the steps are gone through again. */
  readonly repeat: number;
  /** Alerts of lower priority are not escalated. */
  readonly minPriority: Priority;
  /** A notification that is not confirmed within this time has expired. */
  readonly confirmSeconds: number;
}

/** Makes the next version of a policy. */
export interface SetPolicyCommand extends Asked {
  readonly type: 'set-policy';
  readonly id: string;
  readonly steps: readonly EscalationStep[];
  readonly repeat: number;
  readonly minPriority: Priority;
  readonly confirmSeconds: number;
}

/** No new alert gets the policy; those that have it keep it. */
export interface RemovePolicyCommand extends Asked {
  readonly type: 'remove-policy';
  readonly id: string;
}

export type PolicyCommand = SetPolicyCommand | RemovePolicyCommand;

/** Applies to an alert whose raise names no policy. */
const DEFAULT_ID = 'default';

interface Pinned {
  readonly policy: EscalationPolicy;
  alerts: number;
}

/** A version that a capture holds: the one in force under its id, or an older one that open alerts go by. */
export interface CapturedPolicy {
  readonly policy: EscalationPolicy;
  readonly isCurrent: boolean;
}

/** The policies in force, and the older versions that open alerts still go by. */
export class Policies {
  readonly #current = new Map<string, EscalationPolicy>();
  readonly #pinned = new Map<string, Pinned>();
  /** Versions are counted over all policies, so one that comes back after it was removed is another. */
  #newest = 0;

  get size(): number {
    return this.#current.size;
  }

  /** How many versions open alerts go by. */
  get pinnedCount(): number {
    return this.#pinned.size;
  }

  /** The newest version given so far. */
  get newest(): number {
    return this.#newest;
  }

  get(id: string): EscalationPolicy | undefined {
    return this.#current.get(id);
  }

  /** By id. */
  list(): EscalationPolicy[] {
    return [...this.#current.values()].sort(byId);
  }

  /** Puts the next version in force. */
  set(policy: Omit<EscalationPolicy, 'version'>): EscalationPolicy {
    this.#newest += 1;
    const { id, steps, repeat, minPriority, confirmSeconds } = policy;
    const made = { id, version: this.#newest, steps, repeat, minPriority, confirmSeconds };
    this.#current.set(id, made);
    return made;
  }

  remove(id: string): void {
    this.#current.delete(id);
  }

  /** What applies to an alert that names this policy. An alarm is not refused for a name: one that is unknown is the default. */
  chosen(id: string | undefined): EscalationPolicy | undefined {
    return this.#current.get(id ?? DEFAULT_ID) ?? this.#current.get(DEFAULT_ID);
  }

  /** The version that an open alert goes by. */
  of(state: EscalationState): EscalationPolicy {
    const key = keyOf(state.policy, state.version);
    return must(this.#pinned.get(key), 'policy % is gone', key).policy;
  }

  /** An alert was opened that goes by the policy in force under its id. */
  pin({ policy: id, version }: EscalationState): void {
    const key = keyOf(id, version);
    const pinned = this.#pinned.get(key);
    if (pinned !== undefined) pinned.alerts += 1;
    else
      this.#pinned.set(key, {
        policy: must(this.#current.get(id), 'no policy %', id),
        alerts: 1,
      });
  }

  /** An alert has ended that went by this version. */
  unpin(state: EscalationState): void {
    const key = keyOf(state.policy, state.version);
    const pinned = must(this.#pinned.get(key), 'policy % is gone', key);
    pinned.alerts -= 1;
    if (pinned.alerts === 0) this.#pinned.delete(key);
  }

  /** Every version that is needed, in order of ids and versions. */
  capture(): readonly CapturedPolicy[] {
    const isCurrent = ({ id, version }: EscalationPolicy): boolean =>
      this.#current.get(id)?.version === version;
    const old = [...this.#pinned.values()].map(({ policy }) => policy);
    const policies = [...this.#current.values(), ...old.filter((policy) => !isCurrent(policy))];
    return policies.sort(byId).map((policy) => ({ policy, isCurrent: isCurrent(policy) }));
  }

  /** Versions go on after this one. */
  begin(newest: number): void {
    this.#newest = newest;
  }

  /** Takes in what was captured, before the alerts that go by it. */
  restore({ policy, isCurrent }: CapturedPolicy): void {
    if (isCurrent) this.#current.set(policy.id, policy);
    else this.#pinned.set(keyOf(policy.id, policy.version), { policy, alerts: 0 });
  }

  /** Whether an alert can go by this version. */
  knows({ policy: id, version }: EscalationState): boolean {
    return this.#pinned.has(keyOf(id, version)) || this.#current.get(id)?.version === version;
  }
}

/** Makes or removes a policy, as far as there is room for more. */
export function changePolicy(
  command: PolicyCommand,
  ledger: Ledger,
  { policiesMax, policyVersionsMax }: Pick<AlertLimits, 'policiesMax' | 'policyVersionsMax'>,
): Kept | Refusal {
  const { policies } = ledger;
  const { id } = command;
  const before = policies.get(id);
  if (command.type === 'remove-policy') {
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no policy ${id}`);
    policies.remove(id);
    ledger.foldRecord({ removed: before });
    return { ok: true, effect: 'removed', id, version: before.version };
  }
  if (before === undefined && policies.size >= policiesMax)
    return refuse('OVER_LIMIT', `there are ${policies.size} policies already`);
  if (policies.pinnedCount >= policyVersionsMax)
    return refuse('OVER_LIMIT', `open alerts go by ${policies.pinnedCount} versions already`);
  const { steps, repeat, minPriority, confirmSeconds } = command;
  const policy = policies.set({ id, steps, repeat, minPriority, confirmSeconds });
  ledger.foldRecord(policy);
  return { ok: true, effect: 'kept', id, version: policy.version };
}

const keyOf = (id: string, version: number): string => `${version}@${id}`;

const byId = (a: EscalationPolicy, b: EscalationPolicy): number =>
  a.id === b.id ? a.version - b.version : a.id < b.id ? -1 : 1;
