import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALERTS_GROUP } from '../../src/base/ids.ts';
import { INTAKE_HELD_BYTES_MAX, TURN_MS_MAX } from '../../src/base/limits.ts';
import type { Proposal } from '../../src/replica/pipeline/proposals.ts';
import { ClientSession, type Host } from '../../src/replica/service/client-session.ts';
import { Intake, type Taker } from '../../src/replica/service/intake.ts';
import { Turns } from '../../src/replica/turns.ts';
import { checksum } from '../../src/wire/checksum.ts';
import { encodeSubmit, encodeWatch } from '../../src/wire/clients/client-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { BusyClock, VirtualClock } from '../client/virtual-clock.ts';
import { raiseRecord, ScriptedChannel } from './scripted.ts';

/** A connection that is read only while it is not paused, as those of the product are. */
class Line {
  readonly channel: ScriptedChannel = new ScriptedChannel();
  readonly #unread: { readonly type: FrameType; readonly id: number; readonly body: Uint8Array }[] =
    [];
  isPaused = false;

  constructor() {
    this.channel.pause = () => {
      this.isPaused = true;
    };
    this.channel.resume = () => {
      this.isPaused = false;
      queueMicrotask(() => this.#read());
    };
  }

  /** Frames 1, 2, 3 …, each with nothing in it, for a taker that notes them. */
  static noting(name: string, intake: Intake, taken: string[]): Line {
    const line = new Line();
    const { channel } = line;
    const take: Taker['take'] = (_type, _group, id): undefined => {
      taken.push(`${name}${id}`);
    };
    channel.onFrame = (...frame) => intake.admit({ channel, take }, ...frame);
    return line;
  }

  brings(...ids: readonly number[]): void {
    for (const id of ids) this.sends(FrameType.GET, id, new Uint8Array());
  }

  sends(type: FrameType, id: number, body: Uint8Array): void {
    this.#unread.push({ type, id, body });
    this.#read();
  }

  #read(): void {
    while (!this.isPaused) {
      const frame = this.#unread.shift();
      if (frame === undefined) return;
      this.channel.take(frame.type, frame.id, frame.body);
    }
  }
}

const BODY = encodeWatch({ from: undefined, filter: undefined });

test('a turn takes what there is time for; the rest waits unread, one frame of a connection at most, and is taken in order', async () => {
  const clock = new BusyClock();
  const taken: string[] = [];
  const intake = new Intake(new Turns(clock));
  const [a, b, c] = ['a', 'b', 'c'].map((name) => Line.noting(name, intake, taken));
  clock.stepMs = TURN_MS_MAX / 7;
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
  const [a, b] = ['a', 'b'].map((name) => Line.noting(name, intake, taken));
  a?.brings(1, 2);
  b?.brings(1);
  expect(taken).toEqual(['a1']);
  expect(b?.isPaused).toBe(true);
});

test('each turn begins anew, and one that takes little holds nobody', async () => {
  const clock = new VirtualClock();
  const taken: string[] = [];
  const line = Line.noting('a', new Intake(new Turns(clock, 3)), taken);
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
    const take = (): undefined => {
      taken.push(id);
    };
    const taker = { channel: new ScriptedChannel(), take };
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
    take: (): undefined => {
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

/** Frames of commands, one connection each, of which some hold one that is not valid. */
const aSubmit = fc.record({
  line: fc.nat(2),
  commands: fc.integer({ min: 1, max: 12 }),
  spoilt: fc.option(fc.nat(11), { freq: 4 }),
});
type Submitted = typeof aSubmit extends fc.Arbitrary<infer T> ? T : never;

function bodyOf({ commands, spoilt }: Submitted, frame: number): Uint8Array {
  const records = Array.from({ length: commands }, (_, n) => raiseRecord(`f${frame}-${n}`));
  const bad = spoilt === null ? undefined : records[spoilt];
  bad?.fill(0xc1, bad.byteLength - 40); // MessagePack never uses it
  return Buffer.concat(encodeSubmit(1_000, records));
}

interface Outcome {
  /** Of each request that the replica is asked to write. */
  readonly proposed: readonly number[];
  readonly refused: readonly number[];
}

/** What becomes of what each connection submits, in order, when a turn has so many steps. */
async function submitted(stepsMax: number, submits: readonly Submitted[]): Promise<Outcome[]> {
  const clock = new VirtualClock();
  const intake = new Intake(new Turns(clock, stepsMax));
  const outcomes = [0, 1, 2].map((number) => {
    const proposed: number[] = [];
    const line = new Line();
    const propose = ({ commands }: Proposal): unknown =>
      proposed.push(checksum(commands, 0, commands.byteLength));
    new ClientSession(line.channel, { intake, clock, propose } as unknown as Host);
    for (const [frame, submit] of submits.entries())
      if (submit.line === number) line.sends(FrameType.SUBMIT, frame, bodyOf(submit, frame));
    return { proposed, line };
  });
  await clock.run(1);
  return outcomes.map(({ proposed, line }) => ({
    proposed,
    refused: line.channel.sent.map(({ id }) => id),
  }));
}

test('however few commands a turn checks, each connection’s requests are proposed and refused as if all were checked at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aSubmit, { maxLength: 12 }),
      fc.integer({ min: 1, max: 20 }),
      async (submits, stepsMax) => {
        const atOnce = await submitted(Number.POSITIVE_INFINITY, submits);
        expect(await submitted(stepsMax, submits)).toEqual(atOnce);
      },
    ),
  );
});

test('no turn checks more commands than it has time for, be they in one frame, and of a connection that breaks meanwhile nothing is proposed', async () => {
  const clock = new VirtualClock();
  const intake = new Intake(new Turns(clock, 4));
  const seen: number[] = [];
  const host = {
    intake,
    clock,
    watches: { removeAll: () => {} },
    propose: ({ count }: Proposal): unknown => seen.push(count),
  } as unknown as Host;
  const [first, second, third] = [new Line(), new Line(), new Line()];
  for (const { channel } of [first, second, third]) new ClientSession(channel, host);
  for (const [at, line] of [first, second, third].entries())
    line.sends(FrameType.SUBMIT, at, bodyOf({ line: at, commands: 9, spoilt: null }, at));
  expect([first, second, third].map(({ isPaused }) => isPaused)).toEqual([true, true, true]);
  first.channel.close();
  const turns: string[] = [];
  const note = (): void => {
    turns.push(seen.join());
    if (turns.length < 7) clock.soon(note);
  };
  note();
  await clock.run(0);
  expect(turns).toEqual(['', '', '', '', '9', '9', '9,9']);
});
