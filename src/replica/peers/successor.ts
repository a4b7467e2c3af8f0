import type { ReplicaId } from '../../base/ids.ts';
import type { CoreDriver } from '../core-driver.ts';
import type { Members } from './members.ts';
import type { PeerLinks } from './peer-links.ts';

/** Who should lead next: a voter that can be reached now, with most of the log; undefined = no other voter would. */
export function successorOf(
  members: Members,
  links: PeerLinks,
  driver: CoreDriver,
): ReplicaId | undefined {
  const declining = driver.peers.filter(({ declines }) => declines).map(({ id }) => id);
  const voters = members.others.filter(
    ({ id, roles }) => roles.includes('voter') && !declining.includes(id),
  );
  // One that is down may hold as much of the log as one that is not.
  const reach = (id: ReplicaId): number => (links.isConnected(id) ? 1 : 0);
  const [best] = voters.sort(
    (a, b) =>
      reach(b.id) - reach(a.id) ||
      driver.matchOf(b.id) - driver.matchOf(a.id) ||
      b.priority - a.priority,
  );
  return best?.id;
}
