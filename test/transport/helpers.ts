import type { Clock, Timer } from '../../src/base/clock.ts';
import {
  type GroupId,
  groupId,
  type Millis,
  type ReplicaId,
  replicaId,
} from '../../src/base/ids.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';
import type { Channel, Listener, Transport } from '../../src/transport/types.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Hello } from '../../src/wire/handshake.ts';

/** The machine's clock, which knows how many of its timers are under way. */
export class CountingClock extends SystemClock implements Clock {
  readonly live: Set<Timer> = new Set<Timer>();

  override after(delay: Millis, task: () => void): Timer {
    const inner = super.after(delay, () => {
      this.live.delete(timer);
      task();
    });
    const timer = {
      cancel: () => {
        this.live.delete(timer);
        inner.cancel();
      },
    };
    this.live.add(timer);
    return timer;
  }
}

export const CLUSTER = '0123456789abcdef0123456789abcdef';
export const GROUP: GroupId = groupId(7);

export const peerHello = (id: number, clusterId: string = CLUSTER): Hello => ({
  role: 'peer',
  lane: 'control',
  clusterId,
  replicaId: replicaId(id),
  incarnation: 42,
  agent: `replica ${id}`,
});

export const never = (): AbortSignal => new AbortController().signal;

/** Resolves in the turn of the loop in which the condition holds; the caller's time-out is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export interface Received {
  readonly type: FrameType;
  readonly group: GroupId;
  readonly id: number;
  readonly body: Uint8Array;
}

/** Notes what a channel tells. Taking it means listening. */
export class Ear {
  readonly channel: Channel;
  readonly frames: Received[] = [];
  readonly closes: (Error | undefined)[] = [];
  drains = 0;

  constructor(channel: Channel) {
    this.channel = channel;
    channel.onFrame = (type, group, id, body) => this.frames.push({ type, group, id, body });
    channel.onClose = (reason) => this.closes.push(reason);
    channel.onDrain = () => {
      this.drains += 1;
    };
  }

  async closed(): Promise<Error | undefined> {
    await until(() => this.closes.length > 0);
    return this.closes[0];
  }
}

export interface Rig {
  readonly listening: Transport;
  readonly dialling: Transport;
  /** An address whose number the system chooses. */
  readonly address: string;
  /** Whether nothing of any connection is left. */
  clean(): boolean;
}

/** A listener that keeps the channels it let in. */
export class Host {
  readonly channels: Channel[] = [];
  readonly ears: Ear[] = [];
  listener: Listener | undefined;
  judge: (remote: Hello) => void = () => {};
  open: (channel: Channel) => void = () => {};

  async start(rig: Rig, self: Hello = peerHello(1)): Promise<string> {
    this.listener = await rig.listening.listen(rig.address, self, {
      judge: (remote) => this.judge(remote),
      open: (channel) => {
        this.channels.push(channel);
        this.ears.push(new Ear(channel));
        this.open(channel);
      },
    });
    return this.listener.address;
  }

  async stop(): Promise<void> {
    await this.listener?.close();
  }
}

export interface Pair {
  readonly host: Host;
  readonly near: Channel;
  readonly far: Channel;
  readonly address: string;
}

/** Runs `body` with the two ends of one connection, and closes them whatever happens. */
export async function withPair(rig: Rig, body: (pair: Pair) => Promise<void>): Promise<void> {
  const host = new Host();
  const address = await host.start(rig);
  try {
    const near = await rig.dialling.dial(address, peerHello(2), never());
    await until(() => host.channels.length > 0);
    const far = host.channels[0] as Channel;
    try {
      await body({ host, near, far, address });
    } finally {
      near.close();
    }
  } finally {
    await host.stop();
  }
  await until(() => rig.clean());
}

/** Runs `body` with a listener, and closes it whatever happens. */
export async function withHost(
  rig: Rig,
  body: (host: Host, address: string) => Promise<void>,
): Promise<void> {
  const host = new Host();
  const address = await host.start(rig);
  try {
    await body(host, address);
  } finally {
    await host.stop();
  }
  await until(() => rig.clean());
}

export const post = (channel: Channel, id: number, ...parts: Uint8Array[]): boolean =>
  channel.send(FrameType.ANSWER, GROUP, id, parts);

export const idsOf = (ear: Ear): number[] => ear.frames.map((frame) => frame.id);

export const replica = (id: number): ReplicaId => replicaId(id);

/** Runs `body` while uncaught exceptions are noted instead of ending the run. */
export async function catchingUncaught(body: (caught: unknown[]) => Promise<void>): Promise<void> {
  const before = process.listeners('uncaughtException');
  const caught: unknown[] = [];
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => caught.push(error));
  try {
    await body(caught);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
  }
}
