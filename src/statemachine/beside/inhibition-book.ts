import { INHIBITIONS_MAX } from '../../base/limits.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { Asked, Kept, Refusal } from '../types.ts';
import {
  DEFAULT_INHIBITIONS,
  type Inhibition,
  type InhibitionCommand,
  type KeptInhibition,
  namesMeasurement,
  type RemoveInhibitionCommand,
  type SetInhibitionCommand,
} from './inhibition.ts';
import type { Sweeps } from './sweeps.ts';

/** Changes which alerts explain which others; what is no longer explained is audible again (T18). */
export class InhibitionBook {
  readonly #ledger: Ledger;
  readonly #sweeps: Sweeps;

  constructor(ledger: Ledger, sweeps: Sweeps) {
    this.#ledger = ledger;
    this.#sweeps = sweeps;
  }

  execute(command: InhibitionCommand): Kept | Refusal {
    switch (command.type) {
      case 'set-inhibition':
        return this.#findRefusal(command) ?? this.#replace(command);
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

  #replace(command: SetInhibitionCommand): Kept | Refusal {
    const before = this.#registry.get(command.id);
    const isOver = before !== undefined && !isEqual(before, command);
    return this.#change(command, isOver ? [before] : [], () => this.#set(command));
  }

  #remove(command: RemoveInhibitionCommand): Kept | Refusal {
    const { id } = command;
    const before = this.#registry.get(id);
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no inhibition ${id}`);
    return this.#change(command, [before], () => this.#forget(before));
  }

  /** What these rules explained is looked for among all open alerts, little by little; until then they are kept in mind. */
  #change(asked: Asked, over: readonly KeptInhibition[], change: () => Kept): Kept | Refusal {
    if (over.length > this.#sweeps.registry.room)
      return refuse('OVER_LIMIT', 'what earlier rules explained has not been told so yet: wait');
    const kept = change();
    const { inhibitions, revision, time } = this.#ledger;
    inhibitions.renew();
    for (const { sources, targets } of over)
      this.#sweeps.begin({ over: 'rule', rule: { sources, targets } }, time, asked, revision);
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

  #forget(before: KeptInhibition): Kept {
    const { id, version } = before;
    this.#registry.remove(id);
    this.#ledger.foldRecord({ removed: before });
    return { ok: true, effect: 'removed', id, version };
  }

  #restore(command: Asked): Kept | Refusal {
    const added = [...this.#registry.liveOnes()].filter(
      ({ id }) => !DEFAULT_INHIBITIONS.some((one) => one.id === id),
    );
    const altered = DEFAULT_INHIBITIONS.filter((one) => !isEqual(this.#registry.get(one.id), one));
    const version = added.length + altered.length;
    if (version === 0) return { ok: true, effect: 'unchanged', id: 'defaults', version };
    const over = [...added, ...altered.flatMap(({ id }) => this.#registry.get(id) ?? [])];
    return this.#change(command, over, () => {
      for (const one of added) this.#forget(one);
      for (const one of altered) this.#set({ ...one, actor: command.actor });
      return { ok: true, effect: 'kept', id: 'defaults', version };
    });
  }
}

const textOf = ({ sources, targets }: Inhibition): string => JSON.stringify([sources, targets]);

const isEqual = (a: Inhibition | undefined, b: Inhibition): boolean =>
  a !== undefined && textOf(a) === textOf(b);
