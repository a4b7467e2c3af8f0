import { FrameType } from '../../src/wire/frame.ts';
import {
  decodeChunkQuestion,
  decodeDigestQuestion,
  decodeRegister,
  encodeChunkQuestion,
  encodeDigestQuestion,
  encodeRegister,
} from '../../src/wire/trend/trend-messages.ts';
import {
  decodeTrendQuery,
  decodeTrendResult,
  encodeTrendQuery,
  encodeTrendResult,
} from '../../src/wire/trend/trend-query.ts';
import {
  BatchBuilder,
  decodeSamples,
  decodeTaken,
  encodeTaken,
} from '../../src/wire/trend/trend-samples.ts';
import { frame } from './pinned.ts';

/** Pins one frame of each type of the trend tier. */
export function pinTrendFrames(time: number): void {
  const info = { patient: 'pt-1', device: 'mon-1', metric: 'HR', unit: '/min' };
  const registrations = [{ slot: 3, info }];
  frame(
    'trend-register',
    FrameType.TREND_REGISTER,
    [encodeRegister(registrations)],
    decodeRegister,
    registrations,
  );
  const builder = new BatchBuilder();
  builder.add(3, time, 72.5, 0);
  builder.add(3, time + 1_000, Number.NaN, 1);
  const columns = (body: Uint8Array): unknown => {
    const { base, values, slots, offsets, qualities } = decodeSamples(body);
    return [base, [...values], [...slots], [...offsets], [...qualities]];
  };
  const sent = [time, [72.5, Number.NaN], [3, 3], [0, 1_000], [0, 1]];
  frame('trend-samples', FrameType.TREND_SAMPLES, [builder.take()], columns, sent);
  const taken = { inOrder: 1, behind: 2, tooOld: 3, tooNew: 4, noRoom: 5 };
  frame('trend-taken', FrameType.TREND_TAKEN, [encodeTaken(taken)], decodeTaken, taken);
  const query = { what: 'range', series: ['pt-1/*/HR'], from: 1, to: 2, points: 100 } as const;
  frame('trend-query', FrameType.TREND_QUERY, [encodeTrendQuery(query)], decodeTrendQuery, query);
  const result = {
    standing: { replica: 2, at: time, completeTo: time - 60_000 },
    series: [
      {
        key: 'pt-1/mon-1/HR',
        unit: '/min',
        newestAt: time,
        newestReceivedAt: null,
        columns: { time: Float64Array.of(time), value: Float64Array.of(72.5) },
      },
    ],
  };
  frame(
    'trend-result',
    FrameType.TREND_RESULT,
    encodeTrendResult(result),
    decodeTrendResult,
    result,
  );
  const digests = { level: 'chunk', hour: 3_600_000, series: [7, 9] } as const;
  frame(
    'trend-digests',
    FrameType.TREND_DIGESTS,
    [encodeDigestQuestion(digests)],
    decodeDigestQuestion,
    digests,
  );
  const question = { level: 'chunk' as const, refs: [{ series: 7, start: 60_000 }] };
  frame(
    'trend-chunks',
    FrameType.TREND_CHUNKS,
    [encodeChunkQuestion(question)],
    decodeChunkQuestion,
    question,
  );
}
