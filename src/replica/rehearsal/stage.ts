import { must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, millis, type ReplicaId, replicaId } from '../../base/ids.ts';
import { JumpingClock } from '../../base/jumping-clock.ts';
import { ALERT_SLAB_BYTES, REHEARSED_MS_MAX, TICK_MS } from '../../base/limits.ts';
import { MemoryDisk } from '../../storage/log/memory-log-store.ts';
import type { Member } from '../../storage/types.ts';
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
 * A cluster of two whole replicas, with disks, a network and a time of its own, all in memory: nobody outside can tell that it is there,
 * and of one that is let go nothing is left. Its time jumps to whatever is next, so it waits for nothing.
 */
export class Stage {
  readonly #loop: Clock;
  readonly #clock = new JumpingClock();
  readonly #network: MemoryNetwork = new MemoryNetwork({ clock: this.#clock });
  readonly #cast: BroughtUp[] = [];
  #fault: unknown;

  /** `loop`: each task on the stage has a turn of it. */
  constructor(loop: Clock) {
    this.#loop = loop;
  }

  /** What of `play` waits for anything on the stage goes on. @throws whatever goes wrong there; UNAVAILABLE if it does not end */
  async perform(play: () => Promise<void>): Promise<void> {
    let isOver = false;
    const playing = play().finally(() => {
      isOver = true;
    });
    // Who waits for it hears of it below.
    playing.catch(() => {});
    while (!isOver) {
      await this.#turn();
      const isMore = this.#clock.runNext(REHEARSED_MS_MAX);
      if (this.#fault !== undefined) throw this.#fault;
      if (!isMore && !isOver) throw new TocsinError('UNAVAILABLE', 'nothing more happens');
    }
    await playing;
  }

  /** Brings both replicas up, until one leads; a client's connection to it. */
  async open(): Promise<Caller> {
    for (const { id } of MEMBERS) this.#cast.push(await this.#enter(id));
    const leads = ({ replica }: BroughtUp): boolean => replica.standing.role === 'leader';
    while (!this.#cast.some(leads)) await this.pause(TICK_MS);
    const { address } = must(this.#cast.find(leads), 'nobody leads').listener;
    const { signal } = new AbortController();
    return new Caller(await this.#network.transport('client').dial(address, CLIENT, signal));
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(millis(ms), resolve);
    });
  }

  async #enter(id: ReplicaId): Promise<BroughtUp> {
    const identity = { clusterId: CLUSTER, replicaId: id, incarnation: id, members: MEMBERS };
    const up = await bringUp(
      {
        ...{ identity, clock: this.#clock, seed: id, agent: AGENT, log: () => {} },
        store: new MemoryDisk(CLUSTER).open(),
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
    up.replica.start();
    return up;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#loop.soon(resolve);
    });
  }
}

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
        if (answer === FrameType.FAIL) reject(decodeFail(bytes));
        else resolve(bytes);
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
