import { TocsinError } from '../base/errors.ts';
import type { Restored } from '../storage/types.ts';
import type { Listener } from '../transport/types.ts';
import { aloud } from './health/long-wait.ts';
import { Repairing } from './health/repairing.ts';
import type { ReplicaParts } from './parts.ts';
import { Members } from './peers/members.ts';
import { Replica } from './replica.ts';
import { cancelled } from './room-again.ts';
import { listenFor } from './service/front-door.ts';
import { newMachine, readImage } from './snapshots/machine-image.ts';
import { Turns } from './turns.ts';

export interface BringUpParts extends Omit<ReplicaParts, 'restored' | 'machine' | 'turns'> {
  /** Steps of long work in one turn of the loop: see Turns. @defaultValue as many as there is time for */
  readonly stepsPerTurnMax?: number;
}

type Rising = BringUpParts & Pick<ReplicaParts, 'turns'>;

export interface BroughtUp {
  /** Not started yet. */
  readonly replica: Replica;
  /** What it shares its turns of the loop with. */
  readonly turns: Turns;
  readonly listener: Listener;
}

/**
 * Brings a replica up from its disk: the log, repaired by peers if it has lost something, and the machine out of the
 * newest snapshot. What the log holds beyond the snapshot is applied when the replica runs.
 * @throws TocsinError DATA_CORRUPT, DATA_LOST, DATA_NEWER_FORMAT, DISK_FAILED, BAD_ADDRESS, ADDRESS_IN_USE; CANCELLED
 */
export async function bringUp(
  given: BringUpParts,
  address: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<BroughtUp> {
  const { store, clock, transport, stepsPerTurnMax } = given;
  const turns = new Turns(clock, stepsPerTurnMax);
  const parts: Rising = { ...given, turns };
  const restored = await loadWhole(parts, address, signal);
  const { snapshot } = restored;
  const machine =
    snapshot === undefined
      ? await turns.make(() => newMachine(parts))
      : await aloud(
          parts,
          'reading the newest snapshot',
          readImage(store.snapshots, snapshot, parts, turns),
        );
  const replica = await turns.make(() => new Replica({ ...parts, restored, machine }));
  try {
    const listener = await turns.make(() => listenFor(replica, transport, address));
    return { replica, turns, listener };
  } catch (error) {
    replica.stop();
    throw error;
  }
}

/** Who may have forgotten something waits for a leader to take it in; alone it would wait for ever. */
function mustHavePeers({ identity }: BringUpParts, restored: Restored): Restored {
  const isAlone = new Members(identity, restored).others.length === 0;
  if (isAlone && restored.hardState.abstain === true)
    throw new TocsinError(
      'DATA_CORRUPT',
      'the newest writes may be lost, and there is no other replica to ask; only tocsin recover --accept-loss goes on without',
    );
  return restored;
}

/** The log, as soon as nothing of it is missing any more. */
async function loadWhole(parts: Rising, address: string, signal: AbortSignal): Promise<Restored> {
  for (;;) {
    const restored = await aloud(parts, 'reading the log', parts.store.load());
    if (signal.aborted) throw cancelled();
    if (restored.damage === undefined) return mustHavePeers(parts, restored);
    parts.log('the log has lost entries that it acknowledged; asking the other replicas for them');
    const repairing = new Repairing(parts, restored);
    const stop = (): void => repairing.stop();
    signal.addEventListener('abort', stop);
    const listener = await listenFor(repairing, parts.transport, address);
    try {
      if (!(await aloud(parts, 'waiting for what the log has lost', repairing.run())))
        throw cancelled();
    } finally {
      signal.removeEventListener('abort', stop);
      repairing.stop();
      await listener.close();
    }
  }
}
