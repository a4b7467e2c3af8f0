import { type ReplicaId, unixMillis } from '../../src/base/ids.ts';
import type { AlertApi } from '../../src/statemachine/alert-api.ts';
import type { LocalCluster } from '../local/local-cluster.ts';

export interface Failover {
  readonly killed: ReplicaId;
  readonly leader: ReplicaId;
  /** From the signal to the answer to the first command that was sent after it. */
  readonly failoverMs: number;
}

export interface FailoverOptions {
  readonly cluster: LocalCluster;
  readonly api: Pick<AlertApi, 'raise' | 'clear'>;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Kills the leader's process. Resolves when the signal is sent; `over` resolves when another replica has committed a
 * command and the dead one runs again.
 */
export async function killLeader(
  options: FailoverOptions,
): Promise<{ readonly over: Promise<Failover> }> {
  const { cluster, log } = options;
  const killed = await cluster.leader();
  const killedAt = performance.now();
  const gone = cluster.kill(killed);
  log(`replica ${killed}, the leader, is killed`);
  const over = recover(options, killed, killedAt, gone);
  // Whoever awaits it later hears of the failure; until then it is nobody's unhandled rejection.
  over.catch(() => {});
  return { over };
}

async function recover(
  { cluster, api, runId, signal, log }: FailoverOptions,
  killed: ReplicaId,
  killedAt: number,
  gone: Promise<void>,
): Promise<Failover> {
  const dedupKey = `advisory:${runId}:failover`;
  const probe = {
    dedupKey,
    kind: 'advisory',
    priority: 'low',
    condition: 'REPLAY:FAILOVER',
    text: 'the leader was killed on purpose',
  } as const;
  await api.raise(probe, { idempotencyKey: `${runId}/failover`, signal });
  const failoverMs = performance.now() - killedAt;
  await gone;
  await cluster.restart(killed);
  const leader = await cluster.leader();
  log(`replica ${leader} leads after ${Math.round(failoverMs)} ms; replica ${killed} runs again`);
  const observedAt = unixMillis(Date.now());
  await api.clear({ target: { dedupKey }, observedAt }, { signal });
  return { killed, leader, failoverMs };
}
