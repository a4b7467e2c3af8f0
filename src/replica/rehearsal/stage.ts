import { assert, must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type Millis, millis, type ReplicaId, replicaId } from '../../base/ids.ts';
import { JumpingClock } from '../../base/jumping-clock.ts';
import {
  ALERT_SLAB_BYTES,
  REHEARSED_MS_MAX,
  REHEARSED_TURN_MS,
  TICK_MS,
} from '../../base/limits.ts';
import { MemoryDisk } from '../../storage/log/memory-log-store.ts';
import type { LogStore, Member } from '../../storage/types.ts';
import { MemoryNetwork } from '../../transport/memory-transport.ts';
import type { Channel } from '../../transport/types.ts';
import { decodeFail } from '../../wire/clients/client-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { type BroughtUp, bringUp } from '../bring-up.ts';

const CLUSTER = '0'.repeat(32);
const AGENT = 'rehearsal';
const MEMBERS: readonly Member[] = [1, 2].map((id) => ({
  id: replicaId(id),
  address: `/memory/${id}`,
}));
const CLIENT: Hello = {
  ...{ role: 'client', lane: 'client', clusterId: '', agent: AGENT },
  ...{ replicaId: undefined, incarnation: 0 },
};
const STEPS_PER_TURN = 4;
/** So few that a watch from the beginning begins with the state. */
const HISTORY_EVENTS = 16;

/**
 * A cluster of two whole replicas, with disks, a network and a time of its own, all in memory: nobody outside can tell that it is there.
 * Its time jumps to whatever is next, so it waits for nothing.
 */
export class Stage {
  readonly #loop: Clock;
  readonly #clock = new JumpingClock();
  readonly #network: MemoryNetwork = new MemoryNetwork({ clock: this.#clock });
  readonly #cast = new Map<ReplicaId, BroughtUp>();
  readonly #disks = new Map(MEMBERS.map(({ id }) => [id, new MemoryDisk(CLUSTER)]));
  readonly #stores = new Map<ReplicaId, LogStore>();
  #fault: unknown;

  /** `loop`: of which each turn has time for some tasks on the stage. */
  constructor(loop: Clock) {
    this.#loop = loop;
  }

  /**
   * What `play` waits for on the stage goes on, until the play ends.
   * @throws whatever goes wrong there; UNAVAILABLE when nothing more happens, or after REHEARSED_MS_MAX
   */
  async perform(play: () => Promise<void>): Promise<void> {
    const deadline = this.#loop.monotonic() + REHEARSED_MS_MAX;
    let isOver = false;
    const playing = play().finally(() => {
      isOver = true;
    });
    // Who waits for it hears of it below.
    playing.catch(() => {});
    while (!isOver) {
      await this.#turn();
      const now = this.#loop.monotonic();
      if (now > deadline) throw new TocsinError('UNAVAILABLE', 'it takes too long');
      await this.#tasks(millis(now + REHEARSED_TURN_MS), () => isOver);
    }
    await playing;
  }

  /** One task after another until `end`, and after each whatever promises have made ready. */
  async #tasks(end: Millis, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const isMore = this.#clock.runNext(Number.POSITIVE_INFINITY);
      await microtasks();
      if (this.#fault !== undefined) throw this.#fault;
      if (!isMore && !isOver()) throw new TocsinError('UNAVAILABLE', 'nothing more happens');
      if (this.#loop.monotonic() >= end) return;
    }
  }

  /** Brings both replicas up, until one leads; a client's connection to it. */
  async open(): Promise<Caller> {
    for (const { id } of MEMBERS) await this.#enter(id);
    while (this.#leader === undefined) await this.pause(TICK_MS);
    const { address } = this.#leader.listener;
    const { signal } = new AbortController();
    return new Caller(await this.#network.transport('client').dial(address, CLIENT, signal));
  }

  /** One that follows takes a snapshot, stops, and starts again from it. */
  async startAgain(): Promise<void> {
    const follows = ({ replica }: BroughtUp): boolean => replica.standing.role === 'follower';
    const [id, before] = must(
      [...this.#cast].find(([, up]) => follows(up)),
      'nobody follows',
    );
    const snapshot = must(await before.replica.snapshots.take(), 'no snapshot is taken');
    before.replica.stop();
    await before.listener.close();
    await this.#stores.get(id)?.close();
    await this.#enter(id);
    const { machine } = must(this.#cast.get(id), 'nobody came back').replica;
    assert(machine.revision >= snapshot.revision, 'it does not begin with the snapshot');
  }

  get #leader(): BroughtUp | undefined {
    return [...this.#cast.values()].find(({ replica }) => replica.standing.role === 'leader');
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(millis(ms), resolve);
    });
  }

  async #enter(id: ReplicaId): Promise<void> {
    const store = must(this.#disks.get(id), 'a disk for each').open();
    this.#stores.set(id, store);
    const identity = { clusterId: CLUSTER, replicaId: id, incarnation: id, members: MEMBERS };
    const up = await bringUp(
      {
        ...{ identity, clock: this.#clock, seed: id, agent: AGENT, log: () => {} },
        store,
        transport: this.#network.transport(`replica-${id}`),
        historyEventsMax: HISTORY_EVENTS,
        packing: { unpackedMax: 1, slabBytes: ALERT_SLAB_BYTES },
        stepsPerTurnMax: STEPS_PER_TURN,
        onFault: (error) => {
          this.#fault ??= error;
        },
      },
      `/memory/${id}`,
    );
    this.#cast.set(id, up);
    up.replica.start();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#loop.soon(resolve);
    });
  }
}

/** A tick runs when all microtasks have. */
const microtasks = (): Promise<void> =>
  new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve));
  });

type Heard = (type: FrameType, body: Uint8Array) => void;

/** A client's connection, without what a client does when things go wrong. */
export class Caller {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Heard>();
  #calls = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onFrame = (type, _group, id, body) => this.#waiting.get(id)?.(type, body);
  }

  /** The body of the answer. @throws TocsinError what it fails with */
  ask(type: FrameType, body: readonly Uint8Array[]): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const id = this.follow(type, body, (answer, bytes) => {
        this.#waiting.delete(id);
        if (answer !== FrameType.FAIL) resolve(bytes);
        // Not here: what is thrown on the stage must not reach the process.
        else void Promise.resolve(bytes).then(decodeFail).then(reject, reject);
      });
    });
  }

  /** Every frame that answers is heard. */
  follow(type: FrameType, body: readonly Uint8Array[], heard: Heard): number {
    this.#calls += 1;
    this.#waiting.set(this.#calls, heard);
    this.#channel.send(type, ALERTS_GROUP, this.#calls, body);
    return this.#calls;
  }
}
