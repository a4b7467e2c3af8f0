import { describe, expect, test } from 'vitest';
import { millis } from '../../src/base/ids.ts';
import { CLIENT_ADDRESSES_LEARNED_MAX } from '../../src/base/limits.ts';
import { AddressBook } from '../../src/client/connection/address-book.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('the addresses a client knows', () => {
  test('are tried in the order of what was heard about them', () => {
    const book = new AddressBook(['a', 'b', 'b', 'c'], new VirtualClock());
    expect(book.candidates()).toEqual(['a', 'b', 'c']);
    book.demote('a');
    expect(book.candidates()).toEqual(['b', 'c', 'a']);
    book.promote('d');
    book.promote('c');
    expect(book.candidates()).toEqual(['c', 'd', 'b', 'a']);
    book.demote('stranger');
    book.suspect('stranger');
    expect(book.candidates()).toEqual(['c', 'd', 'b', 'a']);
  });

  test('that went silent come last for a second, whatever is heard about them', async () => {
    const clock = new VirtualClock();
    const book = new AddressBook(['a', 'b'], clock);
    book.suspect('a');
    book.promote('a');
    expect(book.candidates()).toEqual(['b', 'a']);
    clock.after(millis(1_001), () => {});
    await clock.run(1_001);
    expect(book.candidates()).toEqual(['a', 'b']);
  });

  test('are bounded: learned ones make room, given ones stay', () => {
    const book = new AddressBook(['given'], new VirtualClock());
    for (let at = 0; at < CLIENT_ADDRESSES_LEARNED_MAX * 3; at += 1) book.promote(`learned ${at}`);
    const candidates = book.candidates();
    expect(candidates.length).toBe(CLIENT_ADDRESSES_LEARNED_MAX + 1);
    expect(candidates).toContain('given');
    expect(candidates[0]).toBe(`learned ${CLIENT_ADDRESSES_LEARNED_MAX * 3 - 1}`);
  });
});
