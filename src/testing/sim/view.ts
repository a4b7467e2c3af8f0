import type { Standing } from '../../raft/types.ts';
import type { Replica } from '../../replica/replica.ts';
import type { View, Voters } from './invariants.ts';

/** A running replica as the invariants see it. Made once a life: they look after every step. */
export class ReplicaView implements View {
  readonly id: number;
  readonly #replica: Replica;

  constructor(id: number, replica: Replica) {
    this.id = id;
    this.#replica = replica;
  }

  get standing(): Standing {
    return this.#replica.standing;
  }
  get applied(): number {
    return this.#replica.machine.applied;
  }
  get digest(): number {
    return this.#replica.machine.digest;
  }
  get time(): number {
    return this.#replica.machine.time;
  }

  committed(): number {
    return this.#replica.log.committed;
  }
  lastIndex(): number {
    return this.#replica.log.lastIndex;
  }
  /** Those who vote now; while that changes, those who did as well. */
  voters(): readonly Voters[] {
    const { voters, outgoing } = this.#replica.log.configuration;
    return outgoing.length === 0 ? [voters] : [voters, outgoing];
  }
}
