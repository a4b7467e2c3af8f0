import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Link } from '../../src/transport/link.ts';
import { SendQueue } from '../../src/transport/send-queue.ts';

/** Takes so many writes, then is full until `drain`. */
class FakeLink implements Link {
  readonly remoteAddress = '/memory/1';
  readonly unsentBytes = 0;
  readonly written: Uint8Array[] = [];
  readonly #writesMax: number;
  #taken = 0;

  constructor(writesMax: number = Number.POSITIVE_INFINITY) {
    this.#writesMax = writesMax;
  }

  get full(): boolean {
    return this.#taken >= this.#writesMax;
  }
  write(bytes: Uint8Array): void {
    this.#taken += 1;
    this.written.push(bytes);
  }
  drain(): void {
    this.#taken = 0;
  }
  attach(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const small = fc.uint8Array({ maxLength: 300 });
const large = fc.integer({ min: 15_000, max: 70_000 }).map((n) => new Uint8Array(n).fill(n));

describe('A send queue', () => {
  test('hands over every byte in order, whenever it is flushed and however little is taken', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: small },
      { weight: 1, arbitrary: large },
      { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'drain' as const) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, max) => {
          const link = new FakeLink(max);
          const queue = new SendQueue(link);
          const added: Uint8Array[] = [];
          let bytes = 0;
          for (const one of steps) {
            if (one === 'flush') queue.flush();
            else if (one === 'drain') link.drain();
            else {
              queue.add(one);
              added.push(one.slice());
              bytes += one.byteLength;
            }
            const written = link.written.reduce((sum, chunk) => sum + chunk.byteLength, 0);
            expect(queue.byteLength).toBe(bytes - written);
          }
          while (queue.byteLength > 0) {
            link.drain();
            queue.flush();
          }
          expect(Buffer.concat(link.written).equals(Buffer.concat(added))).toBe(true);
        },
      ),
    );
  });

  test('joins a thousand small parts into a few writes', () => {
    const link = new FakeLink();
    const queue = new SendQueue(link);
    for (let i = 0; i < 1_000; i += 1) queue.add(new Uint8Array(64));
    queue.flush();
    expect(link.written.length).toBeLessThanOrEqual(6);
  });

  test('does not copy large parts', () => {
    const link = new FakeLink();
    const queue = new SendQueue(link);
    const part = new Uint8Array(16 * 1024);
    queue.add(part);
    queue.flush();
    expect(link.written[0]).toBe(part);
  });

  test('never touches again what it wrote, as the system may still be reading it', () => {
    const link = new FakeLink();
    const queue = new SendQueue(link);
    queue.add(Uint8Array.of(1, 2, 3));
    queue.flush();
    for (let i = 0; i < 200; i += 1) queue.add(new Uint8Array(1_000).fill(9));
    queue.flush();
    expect([...(link.written[0] ?? [])]).toEqual([1, 2, 3]);
  });

  test('is empty after it was cleared', () => {
    const link = new FakeLink();
    const queue = new SendQueue(link);
    queue.add(new Uint8Array(10));
    queue.add(new Uint8Array(20_000));
    queue.clear();
    expect(queue.byteLength).toBe(0);
    queue.flush();
    expect(link.written).toEqual([]);
  });
});
