import { TocsinError } from '../../src/base/errors.ts';
import type { TrendApi } from '../commands/io.ts';
import { type ChartEntry, type Charting, findStays, readStay, type Stay } from './stays.ts';

/**
 * Charted stays through the trend tier of a cluster and back: what is scored then is what the cluster kept. Charts have
 * minutes; entries of one minute are a millisecond apart, so that their order comes back with them.
 */

const MINUTE_MS = 60_000;
/** Stays begin so long ago: two days of chart, and a little. */
const BACK_MS = 50 * 3_600_000;
/** Samples on their way before the reader of the files waits. */
const PENDING_MAX = 65_536;
const PARAMETERS: ReadonlySet<string> = new Set([
  'HR',
  'RespRate',
  'SysABP',
  'NISysABP',
  'Temp',
  'GCS',
  'SaO2',
  'FiO2',
  'MechVent',
]);

export interface KeptStay {
  readonly stay: Stay;
  readonly chartings: readonly Charting[];
}

/**
 * All stays of the folder, put in first, then read back one by one from any replica.
 * @throws TocsinError BAD_RECORDING; BAD_REQUEST when not all of it was taken
 */
export async function* throughTrends(
  folder: string,
  client: TrendApi,
  now: number,
): AsyncGenerator<KeptStay, void, undefined> {
  const origin = Math.floor((now - BACK_MS) / MINUTE_MS) * MINUTE_MS;
  const stays = await findStays(folder);
  // What an earlier run put in has another name.
  const device = `chart-${origin}`;
  const writer = client.writer();
  for (const stay of stays) {
    const numbers = new Map<string, number>();
    for (const { at, entries } of await readStay(stay))
      for (const [order, { parameter, value }] of entries.entries()) {
        if (!PARAMETERS.has(parameter)) continue;
        let number = numbers.get(parameter);
        if (number === undefined) {
          number = writer.series({ patient: stay.id, device, metric: parameter, unit: '' });
          numbers.set(parameter, number);
        }
        writer.add(number, origin + at + order, value);
      }
    if (writer.pending > PENDING_MAX) await writer.ready(PENDING_MAX);
  }
  await writer.drain();
  const { tooOld, tooNew, noRoom } = writer.taken;
  if (tooOld + tooNew + noRoom > 0)
    throw new TocsinError(
      'BAD_REQUEST',
      `the trend tier refused samples: ${tooOld} too old, ${tooNew} too far ahead, ${noRoom} without room`,
    );
  for (const stay of stays)
    yield { stay, chartings: await readBack(client, `${stay.id}/${device}/*`, origin, now) };
}

async function readBack(
  client: TrendApi,
  pattern: string,
  from: number,
  to: number,
): Promise<readonly Charting[]> {
  const rows: (ChartEntry & { readonly at: number })[] = [];
  const query = { what: 'range', series: [pattern], from, to } as const;
  for await (const { series } of client.queryAll(query))
    for (const { key, columns } of series) {
      const parameter = key.slice(key.lastIndexOf('/') + 1);
      const { time = [], value = [] } = columns;
      for (const [at, instant] of time.entries())
        rows.push({ parameter, value: value[at] ?? Number.NaN, at: instant - from });
    }
  rows.sort((a, b) => a.at - b.at);
  const chartings: { clock: string; at: number; entries: ChartEntry[] }[] = [];
  for (const { parameter, value, at } of rows) {
    const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const last = chartings.at(-1);
    if (last?.at === minute) last.entries.push({ parameter, value });
    else chartings.push({ clock: clockOf(minute), at: minute, entries: [{ parameter, value }] });
  }
  return chartings;
}

const clockOf = (at: number): string =>
  [Math.floor(at / 3_600_000), (at / MINUTE_MS) % 60]
    .map((part) => `${part}`.padStart(2, '0'))
    .join(':');
