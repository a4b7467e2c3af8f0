import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type LogIndex,
  logIndex,
  replicaId,
  type Term,
  term,
  unixMillis,
} from '../../src/base/ids.ts';
import { APPEND_ENTRIES_MAX } from '../../src/base/limits.ts';
import type { AppendRequest, Entry, Message } from '../../src/raft/types.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { EntryRecord, entryOf, recordOf } from '../../src/wire/log/record.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peers/peer-messages.ts';
import { message } from './arbitraries.ts';
import { codeOf, copyOf, join, messageOf, shares } from './helpers.ts';
import { entriesOf } from './records.ts';

const PEER_TYPES = [16, 17, 18, 19, 20, 21, 22, 23, 24, 25] as const;

function append(entries: readonly Entry[], prevTerm = 2): AppendRequest {
  const first = entries[0]?.index ?? 10;
  return {
    type: 'append-request',
    from: replicaId(1),
    to: replicaId(2),
    term: term(5),
    prev: { index: logIndex(first - 1), term: term(prevTerm) },
    entries,
    commit: logIndex(3),
  };
}

const encoded = (one: Message): Uint8Array => join(encodePeerMessage(one).body);

const decoded = (entries: readonly Entry[]): AppendRequest => {
  const read = decodePeerMessage(FrameType.APPEND_REQUEST, encoded(append(entries)));
  if (read.type !== 'append-request') throw new Error(read.type);
  return read;
};

const log = (from: number, ...terms: number[]): Entry[] =>
  entriesOf(logIndex(from), terms.map(term));

describe('a peer message', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(message, (one) => {
        const { type, body } = encodePeerMessage(one);
        expect(decodePeerMessage(type, join(body))).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  test('cut short or with bytes behind it is refused', () => {
    fc.assert(
      fc.property(message, (one) => {
        const { type, body } = encodePeerMessage(one);
        const bytes = join(body);
        for (let length = 0; length < bytes.byteLength; length += 1)
          expect(codeOf(() => decodePeerMessage(type, bytes.subarray(0, length)))).toBe(
            'BODY_MALFORMED',
          );
        const longer = join([bytes, new Uint8Array(1)]);
        expect(codeOf(() => decodePeerMessage(type, longer))).toBe('BODY_MALFORMED');
      }),
    );
  });

  test('of random or changed bytes is refused, or means what its bytes say', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(message, fc.nat(), fc.nat({ max: 255 })).map(([one, at, byte]) => {
        const changed = encoded(one);
        changed[at % changed.byteLength] = byte;
        return changed;
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...PEER_TYPES), bytes, (type, body) => {
        const code = codeOf(() => {
          const read = decodePeerMessage(type, body);
          expect(encodePeerMessage(read).type).toBe(type);
          expect(encoded(read)).toEqual(new Uint8Array(body));
        });
        expect(['no error', 'BODY_MALFORMED']).toContain(code);
      }),
      { numRuns: 800 },
    );
  });

  test.each([
    ['sender 0', 8, [0, 0]],
    ['receiver 0', 10, [0, 0]],
    ['an unknown flag', 12, [4]],
    ['a reserved byte', 13, [1]],
    ['a term beyond 2⁵³', 7, [1]],
    ['a last entry of a later term', 24, [99]],
    ['an index without a term', 24, [0]],
  ])('with %s is refused', (_what, at, values) => {
    const vote: Message = {
      type: 'vote-request',
      from: replicaId(1),
      to: replicaId(2),
      term: term(5),
      pre: true,
      last: { index: logIndex(9), term: term(4) },
      transfer: false,
    };
    const bytes = encoded(vote);
    expect(decodePeerMessage(FrameType.VOTE_REQUEST, bytes)).toEqual(vote);
    bytes.set(values, at);
    expect(codeOf(() => decodePeerMessage(FrameType.VOTE_REQUEST, bytes))).toBe('BODY_MALFORMED');
  });

  test('of a type that is not for peers is refused', () => {
    expect(codeOf(() => decodePeerMessage(FrameType.PING, new Uint8Array(16)))).toBe(
      'FRAME_UNKNOWN_TYPE',
    );
  });
});

describe('an append', () => {
  test('carries the bytes of its records, copied neither when encoded nor when decoded', () => {
    const entries = log(4, 2, 2, 3, 5);
    const { body } = encodePeerMessage(append(entries));
    body.slice(1).forEach((part, i) => {
      expect(part).toBe(recordOf(entries[i] as Entry).bytes);
    });
    const whole = join(body);
    const read = decodePeerMessage(FrameType.APPEND_REQUEST, whole) as AppendRequest;
    for (const entry of read.entries) expect(shares(recordOf(entry).bytes, whole)).toBe(true);
  });

  test('gives entries with the place, term and body they had', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }), (bodies) => {
        const terms = bodies.map((_, i) => term(2 + Math.floor(i / 3)));
        const entries = entriesOf(logIndex(11), terms, bodies);
        const read = decoded(entries);
        expect(read.entries.map(({ index, term: t }) => [index, t])).toEqual(
          entries.map(({ index, term: t }) => [index, t]),
        );
        expect(read.entries.map((entry) => copyOf(recordOf(entry).body))).toEqual(bodies);
      }),
    );
  });

  test('with any bit flipped among its records is refused', () => {
    const bytes = encoded(append(log(4, 2, 3)));
    for (let bit = 48 * 8; bit < bytes.byteLength * 8; bit += 1) {
      const flipped = copyOf(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codeOf(() => decodePeerMessage(FrameType.APPEND_REQUEST, flipped))).toBe(
        'BODY_MALFORMED',
      );
    }
  });

  test('cut short anywhere is refused', () => {
    const bytes = encoded(append(log(4, 2, 3)));
    for (let length = 0; length < bytes.byteLength; length += 1) {
      const short = bytes.subarray(0, length);
      expect(codeOf(() => decodePeerMessage(FrameType.APPEND_REQUEST, short))).toBe(
        'BODY_MALFORMED',
      );
    }
  });

  const [one, two, three] = log(4, 2, 3, 4) as [Entry, Entry, Entry];
  const other = loose(5, 3);
  const refused = (name: string, request: AppendRequest, why: RegExp): void =>
    test(`${name} is refused`, () => {
      const bytes = encoded(request);
      expect(codeOf(() => decodePeerMessage(FrameType.APPEND_REQUEST, bytes))).toBe(
        'BODY_MALFORMED',
      );
      expect(messageOf(() => decodePeerMessage(FrameType.APPEND_REQUEST, bytes))).toMatch(why);
    });

  refused('with a gap', append([one, three]), /index 6 after 4/);
  refused('with an entry twice', append([one, one]), /index 4 after 4/);
  refused('in the wrong order', append([two, one]), /index 4 after 5/);
  refused(
    'that does not follow its prev',
    { ...append([two]), prev: { index: logIndex(3), term: term(2) } },
    /index 5 after 3/,
  );
  refused('whose terms fall', append(log(4, 3, 2)), /term 2 is not from 3/);
  refused('whose first term is before that of prev', append(log(4, 1), 2), /term 1 is not from 2/);
  refused('with an entry of a later term than its own', append(log(4, 2, 6)), /term 6 is not/);
  refused('with a broken chain', append([one, other]), /chain/);
  refused(
    'with a prev of a later term',
    { ...append([]), prev: { index: logIndex(9), term: term(6) } },
    /later/,
  );

  test('that announces more or fewer entries than it has is refused', () => {
    const bytes = encoded(append([one, two]));
    for (const count of [0, 1, 3, APPEND_ENTRIES_MAX, APPEND_ENTRIES_MAX + 1, 2 ** 32 - 1]) {
      Buffer.from(bytes.buffer, bytes.byteOffset).writeUInt32LE(count, 40);
      expect(codeOf(() => decodePeerMessage(FrameType.APPEND_REQUEST, bytes))).toBe(
        'BODY_MALFORMED',
      );
    }
  });

  test('of as many entries as allowed passes, of one more is a bug of the sender', () => {
    const most = log(1, ...Array.from({ length: APPEND_ENTRIES_MAX }, () => 1));
    const whole: AppendRequest = { ...append(most), prev: { index: logIndex(0), term: term(0) } };
    const read = decodePeerMessage(FrameType.APPEND_REQUEST, encoded(whole)) as AppendRequest;
    expect(read.entries).toHaveLength(APPEND_ENTRIES_MAX);
    expect(() => encodePeerMessage({ ...whole, entries: [...most, loose(1025, 1)] })).toThrow(
      /over/,
    );
  });
});

/** An entry whose chain begins elsewhere. */
function loose(index: number, itsTerm: number): Entry {
  const record = EntryRecord.draft('noop', unixMillis(1), 0, []);
  const id: { index: LogIndex; term: Term } = { index: logIndex(index), term: term(itsTerm) };
  record.seal(id, 12345);
  return entryOf(record);
}
