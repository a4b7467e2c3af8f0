import { expect, test } from 'vitest';
import { ALERTS_GROUP } from '../../src/base/ids.ts';
import { INTAKE_HELD_BYTES_MAX, TURN_MS_MAX } from '../../src/base/limits.ts';
import { ClientSession, type Host } from '../../src/replica/service/client-session.ts';
import { Intake, type Taker } from '../../src/replica/service/intake.ts';
import { Turns } from '../../src/replica/turns.ts';
import { encodeWatch } from '../../src/wire/clients/client-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { BusyClock, VirtualClock } from '../client/virtual-clock.ts';
import { ScriptedChannel } from './scripted.ts';

/** A connection that is read only while it is not paused, as those of the product are. */
class Line implements Taker {
  readonly channel: ScriptedChannel = new ScriptedChannel();
  readonly #intake: Intake;
  readonly #name: string;
  readonly #taken: string[];
  readonly #unread: number[] = [];
  isPaused = false;

  constructor(name: string, intake: Intake, taken: string[]) {
    this.#name = name;
    this.#intake = intake;
    this.#taken = taken;
    this.channel.pause = () => {
      this.isPaused = true;
    };
    this.channel.resume = () => {
      this.isPaused = false;
      queueMicrotask(() => this.#read());
    };
  }

  take(_type: FrameType, _group: number, id: number): void {
    this.#taken.push(`${this.#name}${id}`);
  }

  brings(...ids: readonly number[]): void {
    this.#unread.push(...ids);
    this.#read();
  }

  #read(): void {
    while (!this.isPaused) {
      const id = this.#unread.shift();
      if (id === undefined) return;
      this.#intake.admit(this, FrameType.GET, ALERTS_GROUP, id, new Uint8Array());
    }
  }
}

const BODY = encodeWatch({ from: undefined, filter: undefined });

test('a turn takes what there is time for; the rest waits unread, one frame of a connection at most, and is taken in order', async () => {
  const clock = new BusyClock();
  const taken: string[] = [];
  const intake = new Intake(new Turns(clock));
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Line(name, intake, taken));
  clock.stepMs = TURN_MS_MAX / 4;
  a?.brings(1, 2, 3, 4, 5);
  b?.brings(1, 2);
  c?.brings(1);
  expect(taken).toEqual(['a1', 'a2', 'a3']);
  expect([a?.isPaused, b?.isPaused, c?.isPaused]).toEqual([true, true, true]);
  await clock.run(1);
  expect(taken).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'a5', 'b2']);
  expect([a?.isPaused, b?.isPaused, c?.isPaused]).toEqual([false, false, false]);
});

test('whoever comes while others wait goes behind them', () => {
  const clock = new BusyClock();
  const taken: string[] = [];
  const intake = new Intake(new Turns(clock, 1));
  const [a, b] = ['a', 'b'].map((name) => new Line(name, intake, taken));
  a?.brings(1, 2);
  b?.brings(1);
  expect(taken).toEqual(['a1']);
  expect(b?.isPaused).toBe(true);
});

test('each turn begins anew, and one that takes little holds nobody', async () => {
  const clock = new VirtualClock();
  const taken: string[] = [];
  const line = new Line('a', new Intake(new Turns(clock, 3)), taken);
  for (let turn = 0; turn < 4; turn += 1) {
    line.brings(3 * turn, 3 * turn + 1, 3 * turn + 2);
    expect(line.isPaused).toBe(false);
    await clock.run(1);
  }
  expect(taken).toHaveLength(12);
});

test('of a connection that breaks while its frame waits nothing is taken: no watch is left behind', async () => {
  const clock = new VirtualClock();
  const intake = new Intake(new Turns(clock, 1));
  const added: number[] = [];
  const watches = {
    remove: () => false,
    countOf: () => 0,
    removeAll: () => {},
    add: (_channel: unknown, id: number) => added.push(id),
  };
  const host = { intake, watches, clock } as unknown as Host;
  const channels = [new ScriptedChannel(), new ScriptedChannel(), new ScriptedChannel()];
  for (const channel of channels) new ClientSession(channel, host);
  for (const [at, channel] of channels.entries()) channel.take(FrameType.WATCH, at, BODY);
  expect(added).toEqual([0]);
  channels[1]?.close();
  await clock.run(1);
  expect(added).toEqual([0, 2]);
});

test('frames that wait take no more memory than their limit: what is beyond is taken at once', () => {
  const intake = new Intake(new Turns(new VirtualClock(), 0));
  const half = new Uint8Array(INTAKE_HELD_BYTES_MAX / 2);
  const taken: number[] = [];
  for (const id of [1, 2, 3, 4]) {
    const taker = { channel: new ScriptedChannel(), take: () => taken.push(id) };
    intake.admit(taker, FrameType.GET, ALERTS_GROUP, id, half);
  }
  expect(taken).toEqual([3, 4]);
});

test('after a frame that fails by a bug the others are taken', async () => {
  const clock = new VirtualClock();
  const intake = new Intake(new Turns(clock, 1));
  const taken: number[] = [];
  const takers = [1, 2, 3, 4].map((id) => ({
    channel: new ScriptedChannel(),
    take: (): void => {
      if (id === 2) throw new Error('a bug');
      taken.push(id);
    },
  }));
  for (const taker of takers.slice(0, 3))
    intake.admit(taker, FrameType.GET, ALERTS_GROUP, 1, new Uint8Array(1));
  await expect(clock.run(1)).rejects.toThrow('a bug');
  await clock.run(1);
  for (const taker of takers.slice(3))
    intake.admit(taker, FrameType.GET, ALERTS_GROUP, 1, new Uint8Array(1));
  await clock.run(1);
  expect(taken).toEqual([1, 3, 4]);
});
