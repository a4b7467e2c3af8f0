import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, replicaId, term } from '../../src/base/ids.ts';
import {
  decodeState,
  encodeState,
  reconcile,
  sameState,
} from '../../src/storage/log/state-record.ts';
import { emptyLogEnd, hard } from './entries.ts';

const count = fc.maxSafeNat();
const states = fc.record({
  sequence: count,
  hardState: fc.record({
    term: count.map(term),
    vote: fc.option(fc.integer({ min: 1, max: 65_535 }).map(replicaId), { nil: undefined }),
    commit: count.map(logIndex),
  }),
  lastIndex: count,
  lastChain: count,
  base: fc.record({ index: count.map(logIndex), term: count.map(term), chain: count }),
});

test('a state comes back as it was, from either copy', () => {
  fc.assert(
    fc.property(states, fc.constantFrom(0, 1), (state, copy) => {
      expect(decodeState(encodeState(state, copy), copy)).toEqual(state);
    }),
  );
});

test('two states are the same only when every field is', () => {
  fc.assert(
    fc.property(states, states, (one, other) => {
      expect(sameState(one, one)).toBe(true);
      expect(sameState(one, other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});

test('cut anywhere, with any bit flipped, or as the other copy it is refused', () => {
  const state = {
    sequence: 7,
    hardState: hard(3, 2, replicaId(1)),
    lastIndex: 9,
    lastChain: 11,
    base: emptyLogEnd,
  };
  const bytes = encodeState(state, 0);
  expect(decodeState(bytes, 1)).toBe('it is copy 0');
  for (let length = 0; length < bytes.byteLength; length += 1)
    expect(decodeState(bytes.subarray(0, length), 0)).toEqual(expect.any(String));
  for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
    const other = Uint8Array.from(bytes);
    other[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeState(other, 0), `bit ${bit}`).toEqual(expect.any(String));
  }
});

const votes = fc.record({
  term: fc.integer({ min: 1, max: 3 }).map(term),
  vote: fc.constantFrom(undefined, replicaId(1), replicaId(2)),
  abstain: fc.boolean(),
});

test('what may have been forgotten is in doubt until a write that is known to be durable says that it is not', () => {
  fc.assert(
    fc.property(votes, votes, fc.boolean(), (written, marked, isLost) => {
      const voted = ({ abstain, ...vote }: typeof written) =>
        abstain ? { ...vote, abstain } : vote;
      const last = { index: logIndex(4), chain: 9 };
      const hardState = { ...voted(written), commit: logIndex(2) };
      const end = { lastIndex: last.index, lastChain: last.chain };
      const state = { sequence: 5, hardState, ...end, base: emptyLogEnd };
      const mark = { sequence: 5, last, voted: voted(marked), ...(isLost ? { isLost } : {}) };
      const known = reconcile([state, state], mark);
      expect(known.hardState.abstain === true).toBe(written.abstain || marked.abstain || isLost);
      expect(known.hardState.term).toBe(Math.max(written.term, marked.term));
      if (known.agreed) expect(known.hardState).toEqual(hardState);
    }),
  );
});
