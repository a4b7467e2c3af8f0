import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replicaId } from '../../../src/base/ids.ts';
import { RECONNECT_MS_MIN } from '../../../src/base/limits.ts';
import { TREND_FORWARD_BYTES_MAX } from '../../../src/base/trend-limits.ts';
import { PeerLink } from '../../../src/replica/trend/peer-link.ts';
import type { Transport } from '../../../src/transport/types.ts';
import { SeriesRegistry } from '../../../src/trend/series.ts';
import { FrameType } from '../../../src/wire/frame.ts';
import { decodeRegister } from '../../../src/wire/trend/trend-messages.ts';
import {
  BatchBuilder,
  decodeSamples,
  type SampleBatch,
} from '../../../src/wire/trend/trend-samples.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { CLIENT, ScriptedChannel } from '../scripted.ts';

const SERIES = 5;

/** A link to a peer that takes what it is sent, on one connection after the other. */
async function stage() {
  const clock = new VirtualClock();
  const registry = new SeriesRegistry();
  for (let at = 0; at < SERIES; at += 1)
    registry.register({ patient: `p${at}`, device: 'm', metric: 'HR', unit: '' });
  const channels: ScriptedChannel[] = [];
  const transport: Transport = {
    listen: () => Promise.reject(new Error('nobody listens here')),
    dial: () => {
      const channel = new ScriptedChannel();
      channels.push(channel);
      return Promise.resolve(channel);
    },
  };
  const peer = replicaId(2);
  const link = new PeerLink({ peer, address: '', self: CLIENT, transport, clock, registry });
  link.start();
  await clock.run(0);
  return { clock, link, channels };
}

/** One sample, whose value tells it from all others. */
function sample(place: number, value: number): SampleBatch {
  const builder = new BatchBuilder();
  builder.add(place, 1_000, value, 0);
  return decodeSamples(builder.take());
}

/** The values that a peer takes from a connection; each is of a series that was registered there before. */
function taken({ sent }: ScriptedChannel): readonly number[] {
  const known = new Set<number>();
  return sent.flatMap(({ type, body }) => {
    if (type === FrameType.TREND_REGISTER)
      for (const { slot } of decodeRegister(body)) known.add(slot);
    if (type !== FrameType.TREND_SAMPLES) return [];
    const { slots, values } = decodeSamples(body);
    for (const slot of slots) expect(known).toContain(slot);
    return [...values];
  });
}

describe('samples for a peer', () => {
  it('arrive once and in order, or are counted as left out, however connections come and go', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('forward' as const), place: fc.nat(SERIES - 1) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2 * RECONNECT_MS_MIN) }),
      fc.record({ do: fc.constant('break' as const) }),
      fc.record({ do: fc.constant('refuse' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, link, channels } = await stage();
        let passed = 0;
        for (const one of steps) {
          if (one.do === 'wait') await clock.run(one.ms);
          else if (one.do === 'break') channels.at(-1)?.close();
          else if (one.do === 'refuse') Object.assign(channels.at(-1) ?? {}, { sendBytesMax: 0 });
          else {
            passed += 1;
            link.forward(sample(one.place, passed));
          }
        }
        await link.close();
        const arrived = channels.flatMap(taken);
        expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
        expect(arrived.length + link.leftOut).toBe(passed);
      }),
      { numRuns: 300 },
    );
  });

  it('are left out while more of them wait than may', async () => {
    const { link, channels } = await stage();
    const [channel] = channels;
    const batch = sample(0, 1);
    if (channel !== undefined) channel.queuedBytes = TREND_FORWARD_BYTES_MAX;
    link.forward(batch);
    if (channel !== undefined) channel.queuedBytes += 1;
    for (let at = 0; at < 3; at += 1) link.forward(batch);
    expect(channels.flatMap(taken)).toEqual([1]);
    expect(link.leftOut).toBe(3);
    await link.close();
  });
});
