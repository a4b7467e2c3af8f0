import { TocsinError } from '../../base/errors.ts';

/**
 * How much room a disk has. `low`: nothing new is to be taken in, only what ends or frees something. `out`: nothing at all;
 * what was acknowledged is safe, and what is there can be read.
 */
export type Room = 'ample' | 'low' | 'out';

/** From the best to the worst; the number of a word is its place. */
export const ROOMS: readonly Room[] = ['ample', 'low', 'out'];

export const worseRoom = (one: Room, other: Room): Room =>
  ROOMS.indexOf(one) > ROOMS.indexOf(other) ? one : other;

/** The body of ROOM. */
export const encodeRoom = (room: Room): Uint8Array => Uint8Array.of(ROOMS.indexOf(room));

/** @throws TocsinError BODY_MALFORMED */
export function decodeRoom(body: Uint8Array): Room {
  const room = body.byteLength === 1 ? ROOMS[body[0] as number] : undefined;
  if (room === undefined)
    throw new TocsinError('BODY_MALFORMED', `room: ${body.byteLength} bytes, or no such word`);
  return room;
}
