import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, type ReplicaId } from '../../base/ids.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import type { LogPlace } from '../../storage/types.ts';
import { type MachineOptions, newMachine } from '../snapshots/machine-image.ts';
import type { FetchedSnapshot } from '../snapshots/snapshot-fetch.ts';

export interface QuarantineParts {
  readonly machine: MachineOptions;
  /** The log begins after this. */
  readonly base: () => LogIndex;
  readonly applied: () => LogIndex;
  readonly committed: () => LogIndex;
  /** Own snapshots of the wrong state go, and none is taken any more when it resolves. */
  readonly discard: () => Promise<void>;
  /** The newest snapshot of a peer that reaches `reaching`; undefined = not now. */
  readonly fetch: (peer: ReplicaId, reaching: LogIndex) => Promise<FetchedSnapshot | undefined>;
  /** This is the state from now on, as of `place`, or of an empty log; what the log holds beyond is applied again. */
  readonly rebuild: (machine: AlertMachine, place: LogPlace | undefined) => void;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** Since when, and what has been done about it. */
interface Case {
  /** Where the state was seen to differ. */
  readonly index: LogIndex;
  /** Whose state is right. */
  readonly agreeing: readonly ReplicaId[];
  /** The rebuilt state is right once it has got here; undefined = it is not rebuilt yet. */
  cured: LogIndex | undefined;
  /** No snapshot of the wrong state is left. */
  isCleared: boolean;
  isBusy: boolean;
}

/**
 * A state that differs from that of a majority is wrong, whatever made it so. Nobody is served from it; it is built anew,
 * from a snapshot of a replica whose state is right, or from the beginning, and from the log, which is known to be right.
 */
export class Quarantine {
  readonly #parts: QuarantineParts;
  #case: Case | undefined;

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
  }

  /** Why nobody is served now; undefined = everybody is. */
  get problem(): TocsinError | undefined {
    return this.#case === undefined
      ? undefined
      : new TocsinError(
          'UNAVAILABLE',
          `the state at entry ${this.#case.index} was not that of a majority; it is being rebuilt`,
        );
  }

  /** The state differs. A second time, after it was rebuilt, is a bug that no snapshot mends. */
  enter(index: LogIndex, agreeing: readonly ReplicaId[]): void {
    const { log, onFault } = this.#parts;
    if (this.#case?.cured === undefined) {
      if (this.#case === undefined)
        log(`the state at entry ${index} is not that of replicas ${agreeing.join(', ')}`);
      this.#case ??= { index, agreeing, cured: undefined, isCleared: false, isBusy: false };
      return;
    }
    const says = `the state at entry ${index} differs again, though it was rebuilt`;
    onFault(new TocsinError('STATE_DIVERGED', says));
  }

  /** Called once a tick. */
  tick(): void {
    const { applied, log, onFault } = this.#parts;
    const sick = this.#case;
    if (sick === undefined || sick.isBusy) return;
    if (sick.cured !== undefined) {
      if (applied() < sick.cured) return;
      log('the state is rebuilt');
      this.#case = undefined;
      return;
    }
    sick.isBusy = true;
    this.#rebuild(sick).then(
      () => {
        sick.isBusy = false;
      },
      (error: unknown) => onFault(error),
    );
  }

  async #rebuild(sick: Case): Promise<void> {
    const { base, discard, fetch, machine, rebuild, committed } = this.#parts;
    // Before a right one is fetched, and only then: a restart must not begin with a wrong one.
    if (!sick.isCleared) await discard();
    sick.isCleared = true;
    if (base() === 0) {
      rebuild(newMachine(machine), undefined);
    } else {
      const fetched = await this.#fetchFrom(sick.agreeing, fetch);
      if (fetched === undefined) return;
      rebuild(fetched.machine, fetched.meta);
    }
    sick.cured = logIndex(Math.max(committed(), sick.index));
  }

  async #fetchFrom(
    peers: readonly ReplicaId[],
    fetch: QuarantineParts['fetch'],
  ): Promise<FetchedSnapshot | undefined> {
    for (const peer of peers) {
      const fetched = await fetch(peer, this.#parts.base());
      // The log may have been compacted while it was fetched.
      if (fetched !== undefined && fetched.meta.index >= this.#parts.base()) return fetched;
    }
    return undefined;
  }
}
