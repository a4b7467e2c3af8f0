import { must } from '../../src/base/assert.ts';
import type { Damage, LogStore, Restored } from '../../src/storage/types.ts';

/** Copies the newest snapshot of `peer`. */
async function copySnapshot(store: LogStore, peer: LogStore): Promise<void> {
  const meta = must(peer.snapshots.list[0], 'the peer has no snapshot');
  const staged = await store.snapshots.stage(meta);
  for (let next = staged.missing; next !== undefined; next = staged.missing)
    await staged.put(next, await peer.snapshots.readChunk(meta.id, next));
  await staged.finish();
}

/** One answer of the peer; undefined = load again. */
async function healOne(
  store: LogStore,
  peer: LogStore,
  damage: Damage,
  bytesMax: number,
): Promise<Damage | undefined> {
  const [range] = damage.ranges;
  if (range === undefined) {
    await copySnapshot(store, peer);
    return undefined;
  }
  const answer = await peer.lookUp(range, bytesMax);
  switch (answer.found) {
    case 'entries':
      return store.repair(answer.entries);
    case 'absent':
      return store.giveUp(range.to);
    case 'compacted':
      await copySnapshot(store, peer);
      return undefined;
    case 'damaged':
      throw new Error(`the peer has lost ${range.to} too`);
    case 'unsure':
      throw new Error(`the peer cannot tell of ${range.to}`);
  }
}

/** Loads `store`, repaired from a peer that has everything, as a replica does. */
export async function heal(store: LogStore, peer: LogStore, bytesMax = 5000): Promise<Restored> {
  let restored = await store.load();
  while (restored.damage !== undefined) {
    let left: Damage | undefined = restored.damage;
    while (left !== undefined) left = await healOne(store, peer, left, bytesMax);
    restored = await store.load();
  }
  return restored;
}
