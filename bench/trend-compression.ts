import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TREND_WINDOW_MS } from '../src/base/trend-limits.ts';
import { decodeChunk, encodeChunk } from '../src/trend/chunk.ts';
import { join as joined, NO_SAMPLES, type Samples } from '../src/trend/samples.ts';
import { windowOf } from '../src/trend/window.ts';
import { recordings } from './measure/recordings.ts';
import { type CompressionRow, writeRun } from './measure/results.ts';

/**
 * node dist/bench/trend-compression.js [FOLDER] [--out FILE]: bytes a sample on recorded signals, in chunks of a minute as they lie on
 * disk, against gzip -9 of the same chunks as binary columns (eight bytes of time, eight of value), and of the whole
 * column as CSV. Each chunk is decoded again and compared.
 */

const { values: flags, positionals } = parseArgs({
  options: { out: { type: 'string' } },
  allowPositionals: true,
});
const FOLDER = positionals[0] ?? recordings('bidmc');
const ORIGIN = windowOf(1_790_000_000_000);

interface Column {
  readonly name: string;
  readonly samples: Samples;
  readonly csv: string;
}

/** The files write times with five digits, too few for 125 Hz: the row says when it was. */
function columnsOf(text: string, stepMs: number): readonly Column[] {
  const [header = '', ...lines] = text.trim().split('\n');
  const [, ...names] = header.split(',').map((name) => name.trim());
  const rows = lines.map((line) => line.split(','));
  const times = Float64Array.from(rows, (_row, at) => ORIGIN + at * stepMs);
  return names.map((name, at) => {
    const cells = rows.map((row) => (row[at + 1] ?? '').trim());
    const values = Float64Array.from(cells, (cell) =>
      cell === '' ? Number.NaN : Number(cell) + 0,
    );
    const samples = { times, values, qualities: new Uint8Array(times.length) };
    return { name, samples, csv: rows.map(([time], row) => `${time},${cells[row]}`).join('\n') };
  });
}

interface Sizes {
  samples: number;
  ours: number;
  gzipped: number;
  gzippedCsv: number;
  encodeMs: number;
}

function measure({ samples, csv }: Column, sizes: Sizes): void {
  sizes.samples += samples.times.length;
  sizes.gzippedCsv += gzipSync(csv, { level: 9 }).byteLength;
  let whole = NO_SAMPLES;
  for (let from = 0; from < samples.times.length; ) {
    const start = windowOf(samples.times[from] as number);
    let to = from;
    while (to < samples.times.length && (samples.times[to] as number) < start + TREND_WINDOW_MS)
      to += 1;
    const cut = {
      times: samples.times.slice(from, to),
      values: samples.values.slice(from, to),
      qualities: samples.qualities.slice(from, to),
    };
    const before = performance.now();
    const bytes = encodeChunk({ samples: cut, delays: { minMs: 0, maxMs: 0 } }, start);
    sizes.encodeMs += performance.now() - before;
    sizes.ours += bytes.byteLength;
    const columns = [cut.times, cut.values].map((column) => new Uint8Array(column.buffer));
    sizes.gzipped += gzipSync(Buffer.concat(columns), { level: 9 }).byteLength;
    whole = joined(whole, decodeChunk(bytes, start).samples);
    from = to;
  }
  const isSame = (['times', 'values'] as const).every((name) =>
    whole[name].every((value, at) => Object.is(value, samples[name][at])),
  );
  if (!isSame) throw new Error('what was decoded is not what was encoded');
}

const rows: CompressionRow[] = [];

function report(kind: string, what: string, columns: readonly Column[]): void {
  const byName = new Map<string, Column[]>();
  for (const column of columns)
    byName.set(column.name, [...(byName.get(column.name) ?? []), column]);
  console.log(`${what}\n  signal      samples   ours  gzip(binary)  gzip(CSV)   bytes a sample`);
  for (const [name, all] of [...byName, ['all', columns] as const]) {
    const sizes = { samples: 0, ours: 0, gzipped: 0, gzippedCsv: 0, encodeMs: 0 };
    for (const column of all) measure(column, sizes);
    const each = (bytes: number): number => Math.round((bytes / sizes.samples) * 100) / 100;
    const [ours, gzip, gzipCsv] = [each(sizes.ours), each(sizes.gzipped), each(sizes.gzippedCsv)];
    rows.push({ signal: `${kind}, ${name}`, samples: sizes.samples, ours, gzip, gzipCsv });
    const rate = (sizes.samples / sizes.encodeMs / 1_000).toFixed(1);
    const cells = [ours, gzip, gzipCsv].map((one) => one.toFixed(2).padStart(10));
    console.log(
      `  ${name.padEnd(8)} ${`${sizes.samples}`.padStart(10)}   ${cells.join('   ')}   (${rate} M samples/s encoded)`,
    );
  }
}

const files = (folder: string, ending: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

report(
  'numerics',
  'numerics, 1 Hz, chunks of 60 samples',
  files(FOLDER, '_Numerics.csv').flatMap((path) => columnsOf(readFileSync(path, 'utf8'), 1_000)),
);
report(
  'waveforms',
  'waveforms, 125 Hz, chunks of 7,500 samples',
  files(join(FOLDER, 'waveforms'), '_Signals.csv.gz').flatMap((path) =>
    columnsOf(gunzipSync(readFileSync(path)).toString(), 8),
  ),
);
if (flags.out !== undefined)
  await writeRun(flags.out, { bench: 'compression', at: new Date().toISOString(), rows });
