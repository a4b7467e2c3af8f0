import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chunk, decodeChunk, encodeChunk, joinChunks } from '../../src/trend/chunk.ts';
import {
  chunkDigest,
  differingSeries,
  differingWindows,
  hourDigest,
  type WindowDigest,
} from '../../src/trend/digests.ts';
import { SeriesRegistry, seriesIdOf, seriesKey } from '../../src/trend/series.ts';
import { anyChunk, START } from './arbitraries.ts';

/** A replica that keeps chunks of one series, by window. */
class Shelf {
  readonly chunks: Map<number, Uint8Array> = new Map();

  put(start: number, chunk: Chunk): void {
    const before = this.chunks.get(start);
    const whole = before === undefined ? chunk : joinChunks(decodeChunk(before, START), chunk);
    this.chunks.set(start, encodeChunk(whole, START));
  }

  digests(): readonly WindowDigest[] {
    return [...this.chunks]
      .map(([start, bytes]) => ({ start, digest: chunkDigest(bytes) }))
      .sort((a, b) => a.start - b.start);
  }

  /** One round of comparing and fetching. */
  fetchFrom(other: Shelf): number {
    const theirs = other.digests();
    const mine = new Map([[7, hourDigest(this.digests())]]);
    if (differingSeries(mine, [{ series: 7, digest: hourDigest(theirs) }]).length === 0) return 0;
    const wanted = differingWindows(this.digests(), theirs);
    for (const start of wanted)
      this.put(start, decodeChunk(other.chunks.get(start) as Uint8Array, START));
    return wanted.length;
  }
}

const chunks = fc.array(
  fc.tuple(
    fc.nat(4),
    fc.nat(2),
    anyChunk(40).filter((chunk) => chunk.samples.times.length > 0),
  ),
  { maxLength: 30 },
);
/** Who compares with whom: any order, any partition. */
const meetings = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 20 });

describe('comparing digests', () => {
  it('makes replicas equal after any partition, and then nothing differs any more', () => {
    fc.assert(
      fc.property(chunks, meetings, (given, during) => {
        const shelves = [new Shelf(), new Shelf(), new Shelf()] as const;
        const at = (place: number): Shelf => shelves[place as 0 | 1 | 2];
        const whole = new Shelf();
        for (const [step, [window, replica, chunk]] of given.entries()) {
          at(replica).put(window, chunk);
          whole.put(window, chunk);
          const [asks, answers] = during[step] ?? [0, 0];
          at(asks).fetchFrom(at(answers));
        }
        for (let round = 0; round < 2; round += 1)
          for (const a of shelves) for (const b of shelves) a.fetchFrom(b);
        for (const shelf of shelves) {
          expect(shelf.digests()).toEqual(whole.digests());
          for (const other of shelves) expect(shelf.fetchFrom(other)).toBe(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('series', () => {
  it('have the same id everywhere, and no two names make one', () => {
    const name = fc.string({
      minLength: 1,
      maxLength: 6,
      unit: fc.constantFrom('a', 'b', '/', '%', '2', 'F'),
    });
    const info = fc.record({ patient: name, device: name, metric: name, unit: fc.constant('') });
    fc.assert(
      fc.property(info, info, (a, b) => {
        const isSame = a.patient === b.patient && a.device === b.device && a.metric === b.metric;
        expect(seriesKey(a) === seriesKey(b)).toBe(isSame);
        if (!isSame) expect(seriesIdOf(a)).not.toBe(seriesIdOf(b));
        const registry = new SeriesRegistry();
        const first = registry.register(a);
        expect(registry.register({ ...a })).toBe(first);
        expect(registry.withId(seriesIdOf(a))).toBe(first);
        expect(registry.register(b).place).toBe(isSame ? 0 : 1);
      }),
      { numRuns: 1_000 },
    );
  });
});
