import { TREND_WINDOW_MS } from '../../base/trend-limits.ts';
import type { SeriesId } from '../../trend/series.ts';

/** Names on disk. All of a series and level lie side by side, in order of time. */

/** Series; chunks of samples; rollups of seconds, minutes, hours. */
export type Level = 'series' | 'chunk' | 'seconds' | 'minutes' | 'hours';

const LETTERS: Readonly<Record<Level, number>> = {
  series: 0x73,
  chunk: 0x63,
  seconds: 0x71,
  minutes: 0x6d,
  hours: 0x68,
};

const ID_AT = 1;
const WINDOW_AT = 9;
const KEY_BYTES = 13;
const LAST_WINDOW = 2 ** 32 - 1;

/** `start` is the first millisecond of a window. */
export function keyOf(level: Level, series: SeriesId, start = 0): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  const view = new DataView(key.buffer);
  key[0] = LETTERS[level];
  view.setUint32(ID_AT, Math.floor(series / 2 ** 32));
  view.setUint32(ID_AT + 4, series >>> 0);
  // A time beyond all windows, as a range may name, stands after them and not among the first.
  view.setUint32(WINDOW_AT, Math.min(LAST_WINDOW, Math.floor(start / TREND_WINDOW_MS)));
  return key;
}

export const startOf = (key: Uint8Array): number =>
  new DataView(key.buffer, key.byteOffset).getUint32(WINDOW_AT) * TREND_WINDOW_MS;

/** Before and after all keys of a level. */
export const levelRange = (level: Level): readonly [Uint8Array, Uint8Array] => [
  Uint8Array.of(LETTERS[level]),
  Uint8Array.of(LETTERS[level] + 1),
];
