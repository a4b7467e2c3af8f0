import { randomInt } from 'node:crypto';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import { HANDOVER_MS_MAX } from '../base/limits.ts';
import type { Sender } from '../notify/types.ts';
import { openFolder } from '../storage/data-folder.ts';
import { freeBytesAt } from '../storage/space.ts';
import type { Identity } from '../storage/types.ts';
import { SystemClock } from '../transport/system-clock.ts';
import { TcpTransport } from '../transport/tcp-transport.ts';
import { Notifier } from './notifier.ts';
import { TrendsFeed } from './peers/trends-feed.ts';
import { RulesFeed } from './pipeline/rules-feed.ts';
import { rehearseOnce } from './rehearsal/once.ts';
import type { Replica } from './replica.ts';
import { Residence } from './residence.ts';
import { cancelled, openInRoom } from './room-again.ts';
import type { Rota } from './rota.ts';
import type { SnapshotPolicy } from './snapshots/snapshotter.ts';

export interface ServeOptions {
  /** A formatted data folder. */
  readonly folder: string;
  /** Refuse a folder of another cluster. */
  readonly clusterId?: string;
  /** Where to listen, if not at the address that the members know. */
  readonly listen?: string;
  readonly log?: (line: string) => void;
  /** Program and version, as others see them. @defaultValue tocsin */
  readonly agent?: string;
  /** Gives up starting, which takes as long as it takes peers to repair a damaged log, or a full disk to have room. */
  readonly signal?: AbortSignal;
  /** Where its trend tier is to listen, if it has one: the other members learn of it. */
  readonly trend?: string | undefined;
  /** Leaders answer reads of the level `lease` by themselves; the same on all replicas. @defaultValue false */
  readonly leases?: boolean | undefined;
  /** When snapshots are taken. @defaultValue the limits */
  readonly snapshots?: SnapshotPolicy | undefined;
  /** How notifications leave while this replica leads, by the kind of their targets; undefined = somebody else sees to it. */
  readonly senders?: ReadonlyMap<string, Sender>;
}

export interface RunningReplica {
  readonly identity: Identity;
  /** Another one after the disk was full. */
  readonly replica: Replica;
  /** The rules by which samples are judged, as this replica has applied them. */
  readonly rules: RulesFeed;
  /** The trend tiers of the other members, as this replica knows of them. */
  readonly trends: TrendsFeed;
  /** Multiaddr, with the port that was really taken. */
  readonly address: string;
  /** Resolves when it has stopped: with the fault that stopped it, or undefined after `close`. */
  readonly closed: Promise<TocsinError | undefined>;
  /** Hands over the leadership if it has it, answers what waits, and stops. */
  close(): Promise<void>;
}

const AGENT = 'tocsin';

/**
 * Runs one member of a cluster in this process, from its data folder.
 * @throws TocsinError DATA_*, BAD_ADDRESS, ADDRESS_IN_USE; CANCELLED
 */
export async function startReplica(options: ServeOptions): Promise<RunningReplica> {
  const { clusterId, folder } = options;
  const clock = new SystemClock();
  const log = options.log ?? (() => {});
  const freeBytes = (): Promise<number> => freeBytesAt(folder);
  // Before anything is held that others could want.
  await unlessAborted(rehearseOnce(clock, log), options.signal);
  const { identity, store } = await openInRoom(
    () => openFolder(folder, { clusterId }),
    { clock, log, freeBytes },
    options.signal ?? new AbortController().signal,
  );
  let stopped: (fault: TocsinError | undefined) => void = () => {};
  const closed = new Promise<TocsinError | undefined>((resolve) => {
    stopped = resolve;
  });
  let notifier: Notifier | undefined;
  let rota: Rota | undefined;
  let ending: Promise<void> | undefined;
  function end(fault: TocsinError | undefined): Promise<void> {
    notifier?.stop();
    ending ??= residence.leave().then(() => stopped(fault));
    return ending;
  }
  const own = identity.members.find((member) => member.id === identity.replicaId);
  const feeds = { rules: new RulesFeed(), trends: new TrendsFeed() };
  const residence = new Residence({
    identity,
    address: options.listen ?? own?.address ?? '',
    open: async () => (await openFolder(folder, { clusterId })).store,
    freeBytes,
    transport: new TcpTransport(),
    clock,
    seed: randomInt(2 ** 47),
    agent: options.agent ?? AGENT,
    log,
    onUp: (replica) => {
      notifier?.stop();
      rota?.stop();
      if (options.senders === undefined) return;
      notifier = new Notifier({ clock, replica, senders: options.senders, log });
      notifier.start();
    },
    onFault: (error) => void end(asFault(error)),
    snapshots: options.snapshots,
    ...feeds,
    trend: options.trend,
    leases: options.leases,
  });
  try {
    await residence.enter(store, options.signal);
  } catch (error) {
    // What went wrong first is what the caller has to hear.
    await end(undefined);
    throw (await closed) ?? error;
  }
  return {
    identity,
    get replica() {
      return residence.replica;
    },
    ...feeds,
    address: residence.address,
    closed,
    close: async () => {
      if (ending === undefined) await handOver(residence.replica, clock);
      await end(undefined);
    },
  };
}

/** Goes on with what is shared by others, unless `signal` gives up before. @throws TocsinError CANCELLED */
function unlessAborted(shared: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return shared;
  if (signal.aborted) throw cancelled();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(cancelled());
    signal.addEventListener('abort', giveUp);
    void shared.then(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
  });
}

/** Gives a successor the chance to be elected before this replica falls silent. */
async function handOver(replica: Replica, clock: SystemClock): Promise<void> {
  if (!replica.handOver()) return;
  const deadline = clock.monotonic() + HANDOVER_MS_MAX;
  while (replica.standing.role === 'leader' && clock.monotonic() < deadline)
    await new Promise<void>((resolve) => {
      clock.after(millis(5), resolve);
    });
}

const asFault = (error: unknown): TocsinError =>
  TocsinError.is(error)
    ? error
    : new TocsinError(
        'INTERNAL',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
        {
          cause: error,
        },
      );
