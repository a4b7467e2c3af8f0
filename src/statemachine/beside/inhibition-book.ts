import { INHIBITIONS_MAX } from '../../base/limits.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { Asked, Kept, Refusal } from '../types.ts';
import {
  DEFAULT_INHIBITIONS,
  type Inhibition,
  type InhibitionCommand,
  namesMeasurement,
  type RemoveInhibitionCommand,
  type SetInhibitionCommand,
} from './inhibition.ts';
import type { Suppressions } from './suppressions.ts';
import type { Sweeps } from './sweeps.ts';

/** Changes which alerts explain which others; what is no longer explained is audible again (T18). */
export class InhibitionBook {
  readonly #ledger: Ledger;
  readonly #suppressions: Suppressions;
  readonly #sweeps: Sweeps;

  constructor(ledger: Ledger, suppressions: Suppressions, sweeps: Sweeps) {
    this.#ledger = ledger;
    this.#sweeps = sweeps;
    this.#suppressions = suppressions;
  }

  execute(command: InhibitionCommand): Kept | Refusal {
    switch (command.type) {
      case 'set-inhibition':
        return this.#findRefusal(command) ?? this.#changed(command, () => this.#set(command));
      case 'remove-inhibition':
        return this.#remove(command);
      case 'restore-inhibitions':
        return this.#restore(command);
    }
  }

  get #registry(): Ledger['inhibitions']['registry'] {
    return this.#ledger.inhibitions.registry;
  }

  #findRefusal({ id, expectedVersion, targets }: SetInhibitionCommand): Refusal | undefined {
    const at = this.#registry.get(id)?.version ?? 0;
    if (expectedVersion !== undefined && expectedVersion !== at)
      return refuse(
        'REVISION_MISMATCH',
        `inhibition ${id} is at version ${at}, not ${expectedVersion}`,
      );
    const broad = targets.find((target) => !namesMeasurement(target));
    if (broad !== undefined)
      return refuse('TOO_BROAD', `${broad} names no measurement: a target begins as HR: does`);
    if (at > 0 || !this.#registry.isFull) return undefined;
    return refuse('OVER_LIMIT', `there are ${INHIBITIONS_MAX} inhibitions already`);
  }

  #remove(command: RemoveInhibitionCommand): Kept | Refusal {
    const { id } = command;
    if (this.#registry.get(id) === undefined)
      return refuse('RECORD_NOT_FOUND', `there is no inhibition ${id}`);
    return this.#changed(command, () => this.#forget(id));
  }

  /** Looks through all open alerts, which is why rules are not for every day. */
  #changed(asked: Asked, change: () => Kept): Kept {
    this.#sweeps.finishExplanations();
    const inhibited = this.#suppressions.inhibited();
    const kept = change();
    if (this.#ledger.inhibitions.renew()) this.#ledger.subjects.renewExplaining();
    this.#suppressions.sound(inhibited, asked);
    return kept;
  }

  #set({
    id,
    sources,
    targets,
    actor,
  }: Inhibition & { readonly id: string } & Pick<Asked, 'actor'>): Kept {
    const version = (this.#registry.get(id)?.version ?? 0) + 1;
    const changedAt = this.#ledger.time;
    const after = { id, version, sources, targets, by: actor, changedAt };
    this.#registry.put(after);
    this.#ledger.foldRecord(after);
    return { ok: true, effect: 'kept', id, version };
  }

  #forget(id: string): Kept {
    const before = this.#registry.get(id);
    this.#registry.remove(id);
    this.#ledger.foldRecord({ removed: before });
    return { ok: true, effect: 'removed', id, version: before?.version ?? 0 };
  }

  #restore(command: Asked): Kept {
    const added = [...this.#registry.liveOnes()].filter(
      ({ id }) => !DEFAULT_INHIBITIONS.some((one) => one.id === id),
    );
    const altered = DEFAULT_INHIBITIONS.filter((one) => !isEqual(this.#registry.get(one.id), one));
    const version = added.length + altered.length;
    if (version === 0) return { ok: true, effect: 'unchanged', id: 'defaults', version };
    return this.#changed(command, () => {
      for (const { id } of added) this.#forget(id);
      for (const one of altered) this.#set({ ...one, actor: command.actor });
      return { ok: true, effect: 'kept', id: 'defaults', version };
    });
  }
}

const textOf = ({ sources, targets }: Inhibition): string => JSON.stringify([sources, targets]);

const isEqual = (a: Inhibition | undefined, b: Inhibition): boolean =>
  a !== undefined && textOf(a) === textOf(b);
