import { expect, test } from 'vitest';
import { logIndex, revision, unixMillis } from '../../src/base/ids.ts';
import { WATCH_UNSENT_BYTES_MAX } from '../../src/base/limits.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { WatchHub } from '../../src/replica/service/watch-hub.ts';
import { Turns } from '../../src/replica/turns.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { AlertFilter } from '../../src/statemachine/types.ts';
import { decodeShared, WatchReader } from '../../src/wire/clients/watch-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { raiseOf, ScriptedChannel, type SentFrame } from './scripted.ts';

/** A hub, one connection, and alerts raised one by one. */
class Scene {
  readonly clock: VirtualClock = new VirtualClock();
  readonly state: AppliedState = new AppliedState(new AlertMachine(), 1_000);
  readonly hub: WatchHub = new WatchHub(this.state, this.clock, new Turns(this.clock));
  readonly channel: ScriptedChannel = new ScriptedChannel();

  constructor() {
    this.channel.onDrain = () => this.hub.wake();
  }

  watch(id: number, from?: number, filter: AlertFilter = {}): void {
    this.hub.add(this.channel, id, from === undefined ? undefined : revision(from), filter);
  }

  /** Raises an alert and answers the frames that tell of it. */
  async raise(): Promise<readonly SentFrame[]> {
    const before = this.channel.sent.length;
    const out: Applied = { replies: [], events: [] };
    const index = logIndex(this.state.machine.applied + 1);
    const key = `${index}`.padStart(32, '0');
    const submissions = [{ key, fingerprint: index, command: raiseOf(`k${index}`) }];
    this.state.machine.apply({ index, time: unixMillis(1), submissions }, out);
    for (const event of out.events) this.state.history.push(event);
    this.hub.wake();
    await this.clock.run(0);
    return this.channel.sent.slice(before);
  }

  /** In short: e1 an event, p1 progress. */
  told(id: number): string[] {
    const reader = new WatchReader();
    const messages = this.channel.watched(id).flatMap((body) => reader.read(body));
    return messages.map((one) =>
      one.type === 'event' ? `e${one.event.revision}` : `p${one.revision}`,
    );
  }
}

const idsOf = ({ type, id, body }: SentFrame): readonly number[] =>
  type === FrameType.WATCH_SHARED ? decodeShared(body).ids : [id];

test('watches of one connection that have been told the same are told the rest together', async () => {
  const scene = new Scene();
  await scene.raise();
  await scene.raise();
  scene.watch(1, 1);
  scene.watch(2, 2);
  scene.watch(3);
  scene.watch(4, undefined, { dedupKey: 'k4' });
  scene.watch(5, 9);
  await scene.raise();
  const frames = await scene.raise();
  expect(frames.map(idsOf).map((ids) => [...ids].sort())).toEqual([[1, 2, 3], [4]]);
  expect(scene.told(1)).toEqual(['e1', 'e2', 'e3', 'e4']);
  expect(scene.told(2)).toEqual(['e2', 'e3', 'e4']);
  expect(scene.told(3)).toEqual(['p2', 'e3', 'e4']);
  expect(scene.told(4)).toEqual(['p2', 'e4']);
  expect(scene.told(5)).toEqual([]);
  scene.hub.close();
});

test('who is called off is told nothing more, and the others go on', async () => {
  const scene = new Scene();
  for (const id of [1, 2, 3]) scene.watch(id);
  await scene.raise();
  expect(scene.hub.remove(scene.channel, 1)).toBe(true);
  expect(scene.hub.remove(scene.channel, 1)).toBe(false);
  expect((await scene.raise()).map(idsOf)).toEqual([[2, 3]]);
  expect(scene.hub.remove(scene.channel, 3)).toBe(true);
  expect((await scene.raise()).map(idsOf)).toEqual([[2]]);
  expect(scene.hub.remove(scene.channel, 2)).toBe(true);
  expect(await scene.raise()).toEqual([]);
  expect(scene.told(2)).toEqual(['p0', 'e1', 'e2', 'e3']);
  scene.hub.close();
});

test('who watches from now on is told where now is, though the connection is full', async () => {
  const scene = new Scene();
  await scene.raise();
  scene.channel.queuedBytes = WATCH_UNSENT_BYTES_MAX;
  scene.watch(1);
  await scene.raise();
  scene.channel.drain();
  await scene.clock.run(0);
  expect(scene.told(1)).toEqual(['p1', 'e2']);
  scene.hub.close();
});
