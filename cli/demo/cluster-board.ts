import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import type { LocalReplica } from '../local/local-cluster.ts';
import type { ReplicaScene } from './scene.ts';

/** What the replicas said of themselves when they were last asked. */
export class ClusterBoard {
  #replicas: readonly ReplicaScene[] = [];
  #term = 0;
  #leader: number | undefined;

  get replicas(): readonly ReplicaScene[] {
    return this.#replicas;
  }

  /** Takes a round of answers, in the order of the replicas; returns a sentence when somebody else leads. */
  take(
    replicas: readonly LocalReplica[],
    statuses: readonly (ReplicaStatus | undefined)[],
  ): string | undefined {
    this.#replicas = replicas.map(({ id, pid }, at) => {
      const status = statuses[at];
      const before = this.#replicas[at];
      return {
        id,
        state: status?.role ?? stateWithoutAnswer(pid, before?.state),
        term: status?.term ?? before?.term,
        commit: status?.commit ?? before?.commit,
        applied: status?.applied ?? before?.applied,
      };
    });
    return this.#newLeader(statuses);
  }

  #newLeader(statuses: readonly (ReplicaStatus | undefined)[]): string | undefined {
    const leads = statuses.find((one) => one?.role === 'leader' && one.term > this.#term);
    if (leads === undefined) return undefined;
    this.#term = leads.term;
    if (leads.replicaId === this.#leader) return undefined;
    this.#leader = leads.replicaId;
    return `replica ${leads.replicaId} leads in term ${leads.term}`;
  }
}

function stateWithoutAnswer(pid: number | undefined, before = 'starting'): string {
  if (pid === undefined) return 'down';
  return before === 'down' || before === 'starting' ? 'starting' : 'silent';
}
