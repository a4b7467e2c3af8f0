import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupId } from '../../src/base/ids.ts';
import { FRAME_BYTES_MAX } from '../../src/base/limits.ts';
import {
  FRAME_HEADER_BYTES,
  type Frame,
  FrameReader,
  FrameType,
  frameHeader,
} from '../../src/wire/frame.ts';
import { codeOf, copyOf, join, shares } from './helpers.ts';

const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom(...Object.values(FrameType)),
  group: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(groupId),
  id: fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)),
  body: fc.uint8Array({ maxLength: 100 }),
});

const encode = ({ type, group, id, body }: Frame): Uint8Array =>
  join([frameHeader(type, group, id, [body]), body]);

/** Pushes pieces and takes out whatever is whole after each of them. */
function readAll(pieces: readonly Uint8Array[], bodyBytesMax = FRAME_BYTES_MAX): Frame[] {
  const reader = new FrameReader(bodyBytesMax);
  const frames: Frame[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let next = reader.next(); next !== undefined; next = reader.next()) frames.push(next);
  }
  return frames;
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.byteLength; i += 1) {
    const size = sizes.length === 0 ? bytes.byteLength : (sizes[i % sizes.length] as number);
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

/** A header with one field set and its checksum made right again. */
function altered(
  alter: (header: Uint8Array) => void,
  body: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const header = copyOf(frameHeader(FrameType.PING, groupId(0), 7, [body]));
  alter(header);
  Buffer.from(header.buffer).writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return join([header, body]);
}

describe('a stream of frames', () => {
  test('is read the same however it is cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), sizes, (frames, pieceSizes) => {
        const bytes = join(frames.map(encode));
        const plain = frames.map((one) => ({ ...one, body: [...one.body] }));
        for (const pieces of [cut(bytes, pieceSizes), cut(bytes, [1]), cut(bytes, [])])
          expect(readAll(pieces).map((one) => ({ ...one, body: [...one.body] }))).toEqual(plain);
      }),
    );
  });

  test('may be pushed whole before anything is taken', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
        const reader = new FrameReader(FRAME_BYTES_MAX);
        for (const piece of cut(join(frames.map(encode)), [5, 1, 40])) reader.push(piece);
        for (const { id } of frames) expect(reader.next()?.id).toBe(id);
        expect(reader.next()).toBeUndefined();
      }),
    );
  });

  test('cut short waits and says nothing', () => {
    fc.assert(
      fc.property(frame, (one) => {
        const bytes = encode(one);
        for (let length = 0; length < bytes.byteLength; length += 1)
          expect(readAll([bytes.slice(0, length)])).toEqual([]);
      }),
    );
  });

  test('with any bit flipped yields no frame', () => {
    fc.assert(
      fc.property(frame, (one) => {
        const bytes = encode(one);
        for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
          const flipped = copyOf(bytes);
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
          expect(codeOf(() => readAll([flipped]))).toBe('FRAME_MALFORMED');
        }
      }),
      { numRuns: 10 },
    );
  });

  test('of random bytes ends in an error of the wire, never in another', () => {
    const codes = ['no error', 'FRAME_MALFORMED', 'VERSION_UNSUPPORTED', 'FRAME_TOO_LONG'];
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 })), (pieces) => {
        expect(codes).toContain(codeOf(() => readAll(pieces)));
      }),
    );
  });

  test('a body of several parts is one body', () => {
    const parts = [Buffer.from('a'), Buffer.from(''), Buffer.from('bcd')];
    const header = frameHeader(FrameType.SUBMIT, groupId(3), 9, parts);
    expect(header.byteLength).toBe(FRAME_HEADER_BYTES);
    const [read] = readAll([join([header, ...parts])]);
    expect(Buffer.from(read?.body ?? []).toString()).toBe('abcd');
  });
});

describe('memory:', () => {
  test('a body within a chunk is a piece of it', () => {
    const body = new Uint8Array(50).fill(1);
    const bytes = join([frameHeader(FrameType.PING, groupId(0), 1, [body]), body]);
    const [read] = readAll([bytes]);
    expect(shares(read?.body ?? body, bytes)).toBe(true);
  });

  test('a body that follows its header in a chunk of its own is that chunk', () => {
    const body = new Uint8Array(50).fill(1);
    const [read] = readAll([frameHeader(FrameType.PING, groupId(0), 1, [body]), body]);
    expect(shares(read?.body ?? new Uint8Array(0), body)).toBe(true);
  });

  test('nothing is taken for a body whose header was refused', () => {
    const memory = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i += 1) {
      const reader = new FrameReader(4096);
      reader.push(altered((header) => Buffer.from(header.buffer).writeUInt32LE(4097, 12)));
      expect(codeOf(() => reader.next())).toBe('FRAME_TOO_LONG');
    }
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(1_000_000);
  });

  test('four megabytes byte by byte are read in linear time', () => {
    const body = new Uint8Array(FRAME_BYTES_MAX).fill(7);
    const reader = new FrameReader(FRAME_BYTES_MAX);
    reader.push(frameHeader(FrameType.PING, groupId(0), 1, [body]));
    let found: Frame | undefined;
    for (let i = 0; i < 2 ** 18; i += 1) {
      reader.push(body.subarray(i, i + 1));
      found = reader.next();
    }
    reader.push(body.subarray(2 ** 18));
    found = reader.next();
    expect(found?.body).toHaveLength(FRAME_BYTES_MAX);
  });
});

describe('refused:', () => {
  const refused = (name: string, bytes: Uint8Array, code: string): void =>
    test(name, () => {
      expect(codeOf(() => readAll([bytes], 4096))).toBe(code);
      expect(codeOf(() => readAll(cut(bytes, [1]), 4096))).toBe(code);
    });
  const field = (at: number, ...values: number[]) => altered((header) => header.set(values, at));

  refused('another protocol', Buffer.from('GET / HTTP/1.1\r\n'), 'FRAME_MALFORMED');
  refused('another protocol after one byte', Buffer.from('TLS'), 'FRAME_MALFORMED');
  refused('a later version', field(4, 2), 'VERSION_UNSUPPORTED');
  refused('version 0', field(4, 0), 'VERSION_UNSUPPORTED');
  refused('a type nobody knows', field(5, 200), 'FRAME_UNKNOWN_TYPE');
  refused('type 0', field(5, 0), 'FRAME_UNKNOWN_TYPE');
  refused('a flag', field(6, 1), 'FRAME_MALFORMED');
  refused('the last flag', field(7, 0x80), 'FRAME_MALFORMED');
  refused('one byte over the limit', field(12, 0x01, 0x10), 'FRAME_TOO_LONG');
  refused('2³²−1 bytes', field(12, 255, 255, 255, 255), 'FRAME_TOO_LONG');
  refused('an id beyond 2⁵³', field(16, 0, 0, 0, 0, 0, 0, 0x20), 'FRAME_MALFORMED');
  refused('a wrong body checksum', field(24, 1), 'FRAME_MALFORMED');

  test('the first error is final, and what follows is dropped', () => {
    const reader = new FrameReader(4096);
    reader.push(Buffer.from('nonsense'));
    expect(codeOf(() => reader.next())).toBe('FRAME_MALFORMED');
    reader.push(frameHeader(FrameType.PING, groupId(0), 1, []));
    expect(codeOf(() => reader.next())).toBe('FRAME_MALFORMED');
  });

  test('the limit can be raised between frames', () => {
    const body = new Uint8Array(5000);
    const reader = new FrameReader(4096);
    reader.push(frameHeader(FrameType.PING, groupId(0), 1, []));
    expect(reader.next()?.id).toBe(1);
    reader.bodyBytesMax = FRAME_BYTES_MAX;
    reader.push(frameHeader(FrameType.PING, groupId(0), 2, [body]));
    reader.push(body);
    expect(reader.next()?.id).toBe(2);
  });

  test('what cannot be sent is a bug of the sender', () => {
    const long = new Uint8Array(FRAME_BYTES_MAX + 1);
    expect(() => frameHeader(FrameType.PING, groupId(0), 1, [long])).toThrow(/over/);
    expect(() => frameHeader(FrameType.PING, groupId(0), -1, [])).toThrow(/safe/);
  });
});
