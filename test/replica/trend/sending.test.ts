import { describe, expect, it, onTestFinished } from 'vitest';
import { ALERTS_GROUP } from '../../../src/base/ids.ts';
import { TREND_CREDIT_SAMPLES, TREND_UNSYNCED_BYTES_MAX } from '../../../src/base/trend-limits.ts';
import type { TrendWriter } from '../../../src/client/trend/trend-writer.ts';
import { decodeFail } from '../../../src/wire/clients/client-messages.ts';
import { FrameType } from '../../../src/wire/frame.ts';
import { encodeRegister } from '../../../src/wire/trend/trend-messages.ts';
import { BatchBuilder } from '../../../src/wire/trend/trend-samples.ts';
import { CLIENT } from '../scripted.ts';
import { TrendCluster } from './trend-cluster.ts';

const SERIES = { patient: 'p', device: 'm', metric: 'HR', unit: '/min' };
const FRAME_SAMPLES = 16_384;

/** One replica whose disk stands still until it is let go. */
async function stage() {
  const cluster = new TrendCluster(1, 1);
  onTestFinished(() => cluster.close());
  await cluster.start(0);
  const { journal } = cluster.storage(0);
  let letGo = (): void => {};
  const stuck = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  journal.unsyncedBytes = TREND_UNSYNCED_BYTES_MAX;
  journal.sync = () => stuck;
  return {
    cluster,
    clock: cluster.clock,
    /** The disk goes on. */
    goOn: (): void => {
      journal.unsyncedBytes = 0;
      Reflect.deleteProperty(journal, 'sync');
      letGo();
    },
  };
}

/** A sample a millisecond, up to now. */
function fill(writer: TrendWriter, to: number, count: number): void {
  const series = writer.series(SERIES);
  for (let at = 0; at < count; at += 1) writer.add(series, to - count + at, 80);
  writer.flush();
}

describe('samples that a slow disk holds up', () => {
  it('wait at their sender, no more of them on their way than it has credit for, and all arrive in the end', async () => {
    const { cluster, clock, goOn } = await stage();
    const client = await cluster.client(0);
    let told = 0;
    const writer = client.writer({
      frameSamples: FRAME_SAMPLES,
      onTaken: ({ inOrder }) => {
        told += inOrder;
      },
    });
    const count = TREND_CREDIT_SAMPLES + 3 * FRAME_SAMPLES;
    fill(writer, clock.wall(), count);
    await clock.run(5_000);
    expect(told).toBe(0);
    expect(writer.pending).toBe(count);
    expect(cluster.replica(0).counts.samplesInMemory).toBe(TREND_CREDIT_SAMPLES);
    goOn();
    await clock.settle(writer.drain());
    expect(told).toBe(count);
  });

  it('are refused when their sender gives no heed to its credit, at no cost to others', async () => {
    const { cluster, clock, goOn } = await stage();
    const transport = cluster.network.transport('greedy');
    const { signal } = new AbortController();
    const self = { ...CLIENT, agent: 'greedy' };
    const channel = await clock.settle(transport.dial('/memory/1', self, signal));
    const failed: string[] = [];
    channel.onFrame = (type, _group, _id, body) => {
      if (type === FrameType.FAIL) failed.push(decodeFail(body).code);
    };
    const send = (type: FrameType, id: number, body: Uint8Array): boolean =>
      channel.send(type, ALERTS_GROUP, id, [body]);
    send(FrameType.TREND_REGISTER, 1, encodeRegister([{ slot: 0, info: SERIES }]));
    const frames = TREND_CREDIT_SAMPLES / FRAME_SAMPLES;
    for (let frame = 0; frame <= frames; frame += 1) {
      const builder = new BatchBuilder();
      for (let at = 0; at < FRAME_SAMPLES; at += 1)
        builder.add(0, clock.wall() - (frames - frame) * FRAME_SAMPLES + at, 80, 0);
      send(FrameType.TREND_SAMPLES, 2 + frame, builder.take());
      await clock.run(10);
    }
    expect(failed).toEqual(['OVERLOADED']);
    goOn();
    const client = await cluster.client(0);
    const { series } = await clock.settle(client.query({ what: 'latest', series: ['*/*/*'] }));
    expect(series).toHaveLength(1);
    channel.close();
  });
});

describe('a sample that can be none', () => {
  it.each([
    ['of a series that was not named', [1, 0, 80]],
    ['of no time', [0, Number.NaN, 80]],
    ['between two milliseconds', [0, 0.5, 80]],
    ['of before 1970', [0, -1, 80]],
    ['without end', [0, 0, Infinity]],
    ['of no quality', [0, 0, 80, 4]],
  ] as const)('%s is refused where it is given, and the stream goes on', async (_which, sample) => {
    const cluster = new TrendCluster(1, 1);
    onTestFinished(() => cluster.close());
    await cluster.start(0);
    const writer = (await cluster.client(0)).writer();
    const series = writer.series(SERIES);
    const [number, time, value, quality] = sample;
    const at = cluster.clock.wall() + time;
    expect(() => writer.add(number, time === -1 ? -1 : at, value, quality)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
    writer.add(series, cluster.clock.wall(), Number.NaN);
    await cluster.clock.settle(writer.drain());
    expect(writer.taken.inOrder).toBe(1);
  });
});
