import { expect, test } from 'vitest';
import { TREND_HOUR_MS, TREND_HOURS_AT_HAND } from '../../../src/base/trend-limits.ts';
import { DigestTable } from '../../../src/replica/trend/digest-table.ts';
import { keyOf } from '../../../src/replica/trend/keys.ts';
import { MemoryTrendDisk } from '../../../src/storage/trend/trend-disk.ts';

const SERIES = 7;
const HOURS = 3 * TREND_HOURS_AT_HAND;
const hourAt = (at: number): number => at * TREND_HOUR_MS;
const END = hourAt(HOURS);

/** Counts what is read. */
class CountingDisk extends MemoryTrendDisk {
  scans = 0;

  override scan(from: Uint8Array, to: Uint8Array): ReturnType<MemoryTrendDisk['scan']> {
    this.scans += 1;
    return super.scan(from, to);
  }
}

async function ask(table: DigestTable): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (let at = 0; at < HOURS; at += 1) sizes.push((await table.ofSeries(hourAt(at), END)).size);
  return sizes;
}

test('hours that hold nothing, or little, are read once, and what is written later is known in them', async () => {
  const disk = new CountingDisk();
  const chunk = Uint8Array.of(1, 2, 3);
  for (let at = 0; at < HOURS; at += 2)
    await disk.write([[keyOf('chunk', SERIES, hourAt(at)), chunk]]);
  const table = new DigestTable(disk, 'chunk', () => [SERIES]);
  expect(table.isAtHand(hourAt(1))).toBe(false);
  const held = Array.from({ length: HOURS }, (_, at) => (at % 2 === 0 ? 1 : 0));
  expect(await ask(table)).toEqual(held);
  const { scans } = disk;
  expect(await ask(table)).toEqual(held);
  expect(disk.scans).toBe(scans);
  expect(table.isAtHand(hourAt(1))).toBe(true);
  table.put(SERIES, hourAt(1), chunk);
  expect((await ask(table))[1]).toBe(1);
});
