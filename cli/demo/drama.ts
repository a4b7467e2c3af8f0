import { setTimeout as pause } from 'node:timers/promises';
import { TocsinError } from '../../src/base/errors.ts';
import type { ReplicaId } from '../../src/base/ids.ts';
import type { LocalCluster } from '../local/local-cluster.ts';
import type { Commands } from './ledger.ts';
import { unlessAborted } from './waiting.ts';

/** What happens to the cluster while the ward plays. */

export interface DramaParts {
  readonly cluster: LocalCluster;
  readonly probe: Commands;
  readonly story: (text: string) => void;
  readonly signal: AbortSignal;
}

const PROBE_KEY = 'demo:probe';
const PROBE_MS_MAX = 15_000;
const LOOK_MS = 20;
const CATCH_UP_MS_MAX = 20_000;

/**
 * Kills the leader. `failoverMs` runs from just before SIGKILL was sent until a command was answered that had been sent
 * after the process was gone, so that only a new leader can have committed it; undefined = none was within PROBE_MS_MAX.
 */
export async function killLeader(
  parts: DramaParts,
): Promise<{ readonly killed: ReplicaId; readonly failoverMs: number | undefined }> {
  const { cluster, story, signal } = parts;
  const killed = await unlessAborted(cluster.leader(), signal);
  story(`SIGKILL to replica ${killed}, the leader`);
  const killedAt = performance.now();
  await cluster.kill(killed);
  const answeredAt = await unlessAborted(firstAnswer(parts, killedAt + PROBE_MS_MAX), signal);
  if (answeredAt === undefined) {
    story(`no command was committed within ${PROBE_MS_MAX / 1_000} s of the kill`);
    return { killed, failoverMs: undefined };
  }
  const failoverMs = answeredAt - killedAt;
  story(`commands are committed again, ${failoverMs.toFixed(0)} ms after the kill`);
  return { killed, failoverMs };
}

async function firstAnswer(
  { probe, signal }: DramaParts,
  deadline: number,
): Promise<number | undefined> {
  for (;;) {
    const leftMs = Math.floor(deadline - performance.now());
    if (leftMs < 1) return undefined;
    try {
      await probe.raise(
        {
          dedupKey: PROBE_KEY,
          kind: 'advisory',
          priority: 'none',
          condition: 'DEMO:PROBE',
          text: 'Asks whether commands are committed',
        },
        { timeoutMs: leftMs, signal },
      );
      return performance.now();
    } catch (error) {
      if (!TocsinError.is(error) || signal.aborted) throw error;
    }
  }
}

/** Starts a killed replica again, and waits until it has applied all that was committed when it was back. */
export async function catchUp(parts: DramaParts, id: ReplicaId): Promise<void> {
  const { cluster, story, signal, probe } = parts;
  story(`restarting replica ${id}`);
  await unlessAborted(cluster.restart(id), signal);
  const startedAt = performance.now();
  const statuses = await unlessAborted(cluster.statuses(), signal);
  const commit = Math.max(0, ...statuses.map((status) => status?.commit ?? 0));
  for (;;) {
    const [own] = (await unlessAborted(cluster.statuses(), signal)).filter(
      (status) => status?.replicaId === id,
    );
    const tookMs = performance.now() - startedAt;
    if (own !== undefined && own.applied >= commit) {
      story(
        `replica ${id} caught up: applied ${own.applied}, ${tookMs.toFixed(0)} ms after it listened`,
      );
      break;
    }
    if (tookMs > CATCH_UP_MS_MAX)
      throw new TocsinError('UNAVAILABLE', `replica ${id} did not catch up to entry ${commit}`);
    await pause(LOOK_MS);
  }
  await probe.clear({ target: { dedupKey: PROBE_KEY } }, { signal }).catch(unlessNotFound);
}

/** If no probe was answered, there may be nothing to clear. */
function unlessNotFound(error: unknown): void {
  if (!TocsinError.is(error)) throw error;
}

/**
 * Waits until all replicas have applied the newest entry that any of them has.
 * @throws TocsinError UNAVAILABLE when they do not
 */
export async function comeToRest(cluster: LocalCluster, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const statuses = await unlessAborted(cluster.statuses(), signal);
    const last = Math.max(0, ...statuses.map((status) => status?.lastIndex ?? 0));
    if (statuses.every((status) => status?.applied === last)) return;
    if (performance.now() - startedAt > CATCH_UP_MS_MAX) {
      const said = statuses.map((status) => status?.applied ?? 'nothing').join(', ');
      throw new TocsinError(
        'UNAVAILABLE',
        `the replicas did not come to rest: applied ${said} of ${last}`,
      );
    }
    await pause(LOOK_MS);
  }
}
