import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, millis, revision, unixMillis } from '../../src/base/ids.ts';
import { WATCH_PROGRESS_MS, WATCH_UNSENT_BYTES_MAX } from '../../src/base/limits.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { WatchHub } from '../../src/replica/service/watch-hub.ts';
import { Turns } from '../../src/replica/turns.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { History } from '../../src/statemachine/queries/history.ts';
import type { AlertFilter } from '../../src/statemachine/types.ts';
import { WatchReader } from '../../src/wire/clients/watch-messages.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { raiseOf, ScriptedChannel } from './scripted.ts';

/** A machine whose history the watchers are told. */
class Stage {
  readonly clock: VirtualClock = new VirtualClock();
  readonly state: AppliedState;
  readonly hub: WatchHub;

  constructor(historyEventsMax = 1_000, stepsPerTurn = Number.POSITIVE_INFINITY) {
    this.state = new AppliedState(new AlertMachine(), historyEventsMax);
    this.hub = new WatchHub(this.state, this.clock, new Turns(this.clock, stepsPerTurn));
  }

  get machine(): AlertMachine {
    return this.state.machine;
  }
  get history(): History {
    return this.state.history;
  }

  get newest(): number {
    return this.history.newest;
  }

  raise(dedupKey: string, text?: string): void {
    const out: Applied = { replies: [], events: [] };
    const index = logIndex(this.machine.applied + 1);
    const key = `${index}`.padStart(32, '0');
    const submissions = [{ key, fingerprint: index, command: raiseOf(dedupKey, text) }];
    this.machine.apply({ index, time: unixMillis(1), submissions }, out);
    for (const event of out.events) this.history.push(event);
    this.hub.wake();
  }

  raiseMany(count: number, text?: string): void {
    for (let n = 0; n < count; n += 1) this.raise(`k${this.newest}`, text);
  }

  /** Lets the watchers have their turns, but no timer. */
  turns(): Promise<void> {
    return this.clock.run(0);
  }

  watch(channel: ScriptedChannel, id: number, from?: number, filter: AlertFilter = {}): void {
    channel.onDrain = () => this.hub.wake();
    this.hub.add(channel, id, from === undefined ? undefined : revision(from), filter);
  }
}

function messagesOf(channel: ScriptedChannel, id: number): WatchMessage[] {
  const reader = new WatchReader();
  return channel.watched(id).flatMap((body) => reader.read(body));
}

/** In short: e1 an event, p1 progress, c5 a state as of revision 5. */
const wordsOf = (channel: ScriptedChannel, id: number): string[] =>
  messagesOf(channel, id).map((message) =>
    message.type === 'event'
      ? `e${message.event.revision}`
      : `${message.type === 'progress' ? 'p' : 'c'}${message.revision}`,
  );

/** Checks one watcher's stream from its first revision; answers how far it was told. */
function follow(channel: ScriptedChannel, id: number, from: number, matching: number[]): number {
  let told = from - 1;
  for (const message of messagesOf(channel, id)) {
    if (message.type === 'event') {
      const at = message.event.revision;
      const due = matching.find((candidate) => candidate > told);
      expect(at).toBe(due);
      told = at;
    } else {
      expect(message.revision).toBeGreaterThanOrEqual(told);
      if (message.type === 'compacted') {
        const before = matching.filter((candidate) => candidate <= message.revision);
        expect(message.alerts.map((alert) => alert.revision)).toEqual(before);
      } else {
        const missed = matching.filter((at) => at > told && at <= message.revision);
        expect(missed, `progress ${message.revision} after ${told}`).toEqual([]);
      }
      told = message.revision;
    }
  }
  return told;
}

const aStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('raise' as const), count: fc.nat(6) }) },
  fc.record({
    do: fc.constant('watch' as const),
    from: fc.integer({ min: 1, max: 30 }),
    bed: fc.boolean(),
  }),
  fc.constantFrom(
    { do: 'turns' as const },
    { do: 'time' as const },
    { do: 'stall' as const },
    { do: 'drain' as const },
  ),
);

test('each watcher is told every matching event once and in order, or a state that holds it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 40 }), async (steps) => {
      const stage = new Stage(7);
      const channels = [new ScriptedChannel(), new ScriptedChannel()];
      const [fast, slow] = channels as [ScriptedChannel, ScriptedChannel];
      const watches: { channel: ScriptedChannel; id: number; from: number; narrow: boolean }[] = [];
      for (const step of [...steps, { do: 'drain' as const }, { do: 'time' as const }]) {
        if (step.do === 'raise') stage.raiseMany(step.count);
        else if (step.do === 'turns') await stage.turns();
        else if (step.do === 'time') await stage.clock.run(600);
        else if (step.do === 'stall') slow.queuedBytes = WATCH_UNSENT_BYTES_MAX;
        else if (step.do === 'drain') slow.drain();
        else
          for (const channel of channels) {
            const watch = { channel, id: watches.length, from: step.from, narrow: step.bed };
            stage.watch(channel, watch.id, step.from, step.bed ? { dedupKey: 'k3' } : {});
            watches.push(watch);
          }
      }
      for (const { channel, id, from, narrow } of watches) {
        const all = Array.from({ length: stage.newest }, (_, at) => at + 1);
        const matching = narrow ? all.filter((at) => at === 4) : all;
        const told = follow(channel, id, from, matching);
        expect(told).toBe(Math.max(stage.newest, from - 1));
      }
      expect(fast.isClosed || slow.isClosed).toBe(false);
      stage.hub.close();
      expect(stage.clock.pending).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('a watch resumes exactly at each revision that the history still holds', async () => {
  const stage = new Stage(10);
  stage.raiseMany(25);
  for (let from = 1; from <= 30; from += 1) {
    const channel = new ScriptedChannel();
    stage.watch(channel, 1, from);
    await stage.turns();
    const events = Array.from({ length: Math.max(0, 26 - from) }, (_, at) => `e${from + at}`);
    expect(wordsOf(channel, 1), `from ${from}`).toEqual(from < 16 ? ['c25'] : events);
  }
  stage.hub.close();
});

test('who watches from now on is told at once how far now is', async () => {
  const stage = new Stage();
  stage.raiseMany(3);
  const channel = new ScriptedChannel();
  stage.watch(channel, 1);
  stage.raiseMany(1);
  await stage.turns();
  expect(wordsOf(channel, 1)).toEqual(['p3', 'e4']);
  stage.hub.close();
});

test('of very many watchers a turn tells some how far they have been told, and later ones the others', async () => {
  const stage = new Stage(1_000, 10);
  const channel = new ScriptedChannel();
  for (let id = 1; id <= 50; id += 1) stage.watch(channel, id, 1, { bed: `B${id}` });
  await stage.turns();
  stage.raiseMany(3);
  await stage.turns();
  const inOneTurn: number[] = [];
  const soon = stage.clock.soon.bind(stage.clock);
  let told = 0;
  stage.clock.soon = (work) =>
    soon(() => {
      const before = channel.sent.length;
      work();
      inOneTurn.push(channel.sent.length - before);
    });
  await stage.clock.run(millis(WATCH_PROGRESS_MS + 1));
  for (let id = 1; id <= 50; id += 1)
    if (wordsOf(channel, id).at(-1) === `p${stage.newest}`) told += 1;
  expect(told).toBe(50);
  expect(Math.max(...inOneTurn)).toBeLessThanOrEqual(10);
  stage.hub.close();
});

test('who watches the future is told nothing before it comes', async () => {
  const stage = new Stage();
  const channel = new ScriptedChannel();
  stage.watch(channel, 1, 3);
  stage.raiseMany(1);
  await stage.clock.run(2_000);
  expect(wordsOf(channel, 1)).toEqual([]);
  stage.raiseMany(3);
  await stage.turns();
  expect(wordsOf(channel, 1)).toEqual(['e3', 'e4']);
  stage.hub.close();
});

test('a watcher that does not read holds up no other, and gets the state later', async () => {
  const stage = new Stage(400);
  const slow = new ScriptedChannel();
  slow.isSlow = true;
  const fast = new ScriptedChannel();
  stage.watch(slow, 1, 1);
  stage.watch(fast, 1, 1);
  const text = 'x'.repeat(1_000);
  for (let n = 0; n < 16; n += 1) {
    stage.raiseMany(100, text);
    await stage.turns();
  }
  expect(messagesOf(fast, 1)).toHaveLength(1_600);
  expect(slow.queuedBytes).toBeLessThan(WATCH_UNSENT_BYTES_MAX * 2);
  for (let n = 0; n < 20; n += 1) {
    slow.drain();
    await stage.turns();
  }
  const all = Array.from({ length: 1_600 }, (_, at) => at + 1);
  expect(follow(slow, 1, 1, all)).toBe(1_600);
  stage.hub.close();
});

test('many watches of one connection take turns, a frame each', async () => {
  const stage = new Stage(10_000);
  stage.raiseMany(1_500, 'x'.repeat(1_000));
  const channel = new ScriptedChannel();
  channel.isSlow = true;
  for (let id = 1; id <= 3; id += 1) stage.watch(channel, id, 1);
  await stage.turns();
  expect(new Set(channel.sent.map(({ id }) => id))).toEqual(new Set([1, 2, 3]));
  stage.hub.close();
});

test('of the watches of one connection only one at a time is sent a state', async () => {
  const stage = new Stage(5);
  stage.raiseMany(600, 'x'.repeat(1_000));
  const channel = new ScriptedChannel();
  for (let id = 1; id <= 3; id += 1) stage.watch(channel, id, 1);
  channel.isSlow = true;
  for (let n = 0; n < 20; n += 1) {
    await stage.turns();
    channel.drain();
  }
  const order = channel.sent.map(({ id }) => id);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  for (let id = 1; id <= 3; id += 1) expect(wordsOf(channel, id)).toEqual(['c600']);
  stage.hub.close();
});

test('a watch that is called off within its state makes room for the next one', async () => {
  const stage = new Stage(5);
  stage.raiseMany(3_000, 'x'.repeat(1_000));
  const channel = new ScriptedChannel();
  channel.isSlow = true;
  stage.watch(channel, 1, 1);
  stage.watch(channel, 2, 1);
  await stage.turns();
  expect(wordsOf(channel, 2)).toEqual([]);
  expect(stage.hub.remove(channel, 1)).toBe(true);
  for (let n = 0; n < 20; n += 1) {
    channel.drain();
    await stage.turns();
  }
  expect(wordsOf(channel, 2)).toEqual(['c3000']);
  stage.hub.close();
});

test('a connection that refuses a frame is closed, and its watches go with it', async () => {
  const stage = new Stage();
  const channel = new ScriptedChannel();
  const other = new ScriptedChannel();
  channel.onClose = () => stage.hub.removeAll(channel);
  channel.sendBytesMax = 10;
  stage.watch(channel, 1, 1);
  stage.watch(channel, 2, 1);
  stage.watch(other, 1, 1);
  stage.raiseMany(5);
  await stage.turns();
  expect(channel.isClosed).toBe(true);
  expect(stage.hub.countOf(channel)).toBe(0);
  expect(messagesOf(other, 1)).toHaveLength(5);
  stage.hub.close();
});

test('a closed hub takes no more watches and leaves no timer', async () => {
  const stage = new Stage();
  stage.watch(new ScriptedChannel(), 1, 1);
  stage.hub.close();
  expect(() => stage.watch(new ScriptedChannel(), 1, 1)).toThrow('stopping');
  stage.hub.wake();
  await stage.clock.run(0);
  expect(stage.clock.pending).toBe(0);
});

test('a state that is being sent is of one revision, whatever is applied meanwhile', async () => {
  const stage = new Stage(10);
  stage.raiseMany(50, 'x'.repeat(1_000));
  const channel = new ScriptedChannel();
  channel.isSlow = true;
  channel.queuedBytes = 0;
  stage.watch(channel, 1, 1);
  for (let n = 0; n < 40; n += 1) {
    await stage.turns();
    stage.raise(`later${n}`);
    channel.drain();
  }
  await stage.turns();
  const [state] = messagesOf(channel, 1);
  if (state?.type !== 'compacted') throw new Error('no state came first');
  expect(state.alerts.map(({ revision: at }) => at)).toEqual(
    Array.from({ length: state.revision }, (_, at) => at + 1),
  );
  const told = messagesOf(channel, 1).at(-1);
  expect(told).toMatchObject({ event: { revision: stage.newest } });
});

test('a replaced state is told as a state to whoever was behind it, and goes on from there', async () => {
  const stage = new Stage();
  stage.raiseMany(3);
  const channel = new ScriptedChannel();
  stage.watch(channel, 1, 1);
  await stage.turns();
  const other = new Stage();
  other.raiseMany(9);
  stage.state.replace(other.machine);
  stage.hub.wake();
  await stage.turns();
  stage.raise('after');
  await stage.turns();
  expect(wordsOf(channel, 1)).toEqual(['e1', 'e2', 'e3', 'c9', 'e10']);
});
