import { raiseAndClear } from './alerts.ts';
import { type Row, Stage } from './stage.ts';

const IN_FLIGHT = [1, 64, 1_000] as const;

/** Where the time goes inside the leader, by its own account; each number in flight on a cluster of its own. */
export async function stages(told: (row: Row) => void, seconds: number): Promise<void> {
  for (const inFlight of IN_FLIGHT) {
    const stage = await Stage.open(3, seconds);
    try {
      const row = await stage.closed(
        { workload: `stages-${inFlight}`, asks: `stages of the leader, ${inFlight} in flight` },
        raiseAndClear(stage.client, 'stages'),
        inFlight,
      );
      const leader = await stage.cluster.leader();
      const status = (await stage.cluster.statuses()).find((one) => one?.replicaId === leader);
      const entries = (status?.stages ?? []).map(({ name, p50Us }) => [`${name}Us`, p50Us]);
      told({ ...row, extra: Object.fromEntries(entries) });
    } finally {
      await stage.close();
    }
  }
}
