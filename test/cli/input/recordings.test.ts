import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordings } from '../../../bench/measure/recordings.ts';
import {
  findRecordings,
  RECORDING_METRICS,
  type RecordingRow,
  type RowOrder,
  readRecording,
  readRows,
} from '../../../cli/input/recordings.ts';
import { loadRules } from '../../../cli/input/rules-file.ts';
import { formatTransitions, type PatientTransition } from '../../../cli/input/transitions.ts';
import { LimitEngine } from '../../../src/analytics/limits.ts';
import { TocsinError } from '../../../src/base/errors.ts';

const HEADER = 'Time [s], HR, PULSE, RESP, SpO2\n';
const ROOT = resolve(import.meta.dirname, '../../..');
const DATA = recordings('bidmc');
const hasData = existsSync(join(DATA, 'expected-limit-alarms.csv'));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-recordings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (patient: string, content: string | Uint8Array) =>
  writeFile(join(folder, `bidmc_${patient}_Numerics.csv`), content);

async function rowsOf(path: string, order: RowOrder = 'patient'): Promise<readonly RecordingRow[]> {
  const rows: RecordingRow[] = [];
  for await (const row of readRows(await findRecordings(path), order)) rows.push(row);
  return rows;
}

async function failureOf(content: string | Uint8Array): Promise<string> {
  await write('01', content);
  const error: unknown = await rowsOf(folder).catch((reason: unknown) => reason);
  if (!(error instanceof TocsinError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.code).toBe('BAD_RECORDING');
  expect(error.message.startsWith(join(folder, 'bidmc_01_Numerics.csv'))).toBe(true);
  return error.message.slice(join(folder, 'bidmc_01_Numerics.csv').length);
}

/** What the engine finds under examples/rules/bidmc.yaml, as CSV. */
async function replay(path: string, order: RowOrder): Promise<string> {
  const engine = new LimitEngine(
    await loadRules(join(ROOT, 'examples/rules/bidmc.yaml')),
    RECORDING_METRICS,
  );
  const found: PatientTransition[] = [];
  for await (const { recording, patient, timeMs, values } of readRows(
    await findRecordings(path),
    order,
  ))
    for (const [metric, value] of values.entries())
      engine.sample(recording, metric, timeMs, value, (t) =>
        found.push({ patient, timeMs: t.time, metric: t.metric, kind: t.kind, phase: t.phase }),
      );
  return formatTransitions(found);
}

describe('recorded patients', () => {
  if (!hasData) process.stderr.write(`SKIPPED: no recordings in ${DATA}\n`);

  it.skipIf(!hasData).each<RowOrder>(['patient', 'time'])(
    'give exactly the expected alarms, line for line, when read by %s',
    async (order) => {
      const expected = await readFile(join(DATA, 'expected-limit-alarms.csv'), 'utf8');
      expect((await replay(DATA, order)).split('\n')).toEqual(expected.split(/\r?\n/));
    },
  );

  it.skipIf(!hasData)('are 27 of 481 rows each', async () => {
    const rows = await rowsOf(DATA);
    expect(new Set(rows.map((row) => row.patient)).size).toBe(27);
    expect(rows.length).toBe(27 * 481);
  });
});

describe('readRows', () => {
  it('gives back what was written, for any possible values, missing values and line ends', async () => {
    const cell = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(Number.NaN));
    const row = fc.tuple(cell, cell, cell, cell);
    const style = fc.record({
      end: fc.constantFrom('\n', '\r\n'),
      missing: fc.constantFrom('', 'NaN', ' ', 'nan'),
      mark: fc.constantFrom('', '\ufeff'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        style,
        async (rows, { end, missing, mark }) => {
          const texts = rows.map((values, time) =>
            [time, ...values.map((value) => (Number.isNaN(value) ? missing : value))].join(','),
          );
          await write('01', mark + [HEADER.trim(), ...texts, ''].join(end));
          const read = await rowsOf(folder);
          expect(read.map(({ values }) => values)).toEqual(
            rows.map((values) => values.map((v) => v + 0)),
          );
          expect(read.map(({ timeMs }) => timeMs)).toEqual(rows.map((_, time) => time * 1000));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes columns in any order and hands them out in one', async () => {
    await write('01', 'Time [s],SpO2,RESP,PULSE,HR\n0,4,3,2,1\n');
    expect((await rowsOf(folder))[0]?.values).toEqual([1, 2, 3, 4]);
  });

  it('reads a time of -0 as 0 and lets a recording begin before it', async () => {
    await write('01', `${HEADER}-1,1,1,1,1\n-0,1,1,1,1\n0.5,1,1,1,1\n`);
    const times = (await rowsOf(folder)).map((row) => row.timeMs);
    expect(times).toEqual([-1000, 0, 500]);
    expect(Object.is(times[1], 0)).toBe(true);
  });

  it('takes no value that no body and no sensor can give for a measurement', async () => {
    await write('01', `${HEADER}0,-50,501,301,101\n1,0,500,300,100\n`);
    const [impossible, possible] = await rowsOf(folder);
    expect(impossible?.values).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    expect(possible?.values).toEqual([0, 500, 300, 100]);
  });

  it('refuses a file that ends within a line: 97 may have been 972, or 9', async () => {
    expect(await failureOf(`${HEADER}0,94,93,25,97`)).toContain(
      ':2: the file ends within this line',
    );
  });

  it('lets blank lines end a file', async () => {
    await write('01', `${HEADER}0,1,1,1,1\n\n \r\n`);
    expect(await rowsOf(folder)).toHaveLength(1);
  });

  it('orders patients by number, and rows by patient or by time', async () => {
    await write('10', `${HEADER}0,1,1,1,1\n2,1,1,1,1\n`);
    await write('2', `${HEADER}-1,1,1,1,1\n1,1,1,1,1\n2,1,1,1,1\n`);
    const list = async (order: RowOrder) =>
      (await rowsOf(folder, order)).map((row) => `${row.patient}@${row.timeMs / 1000}`);
    expect(await list('patient')).toEqual(['2@-1', '2@1', '2@2', '10@0', '10@2']);
    expect(await list('time')).toEqual(['2@-1', '10@0', '2@1', '2@2', '10@2']);
  });

  it('can be left early in either order, and read again', async () => {
    for (const patient of ['01', '02']) await write(patient, `${HEADER}0,1,1,1,1\n1,1,1,1,1\n`);
    const recordings = await findRecordings(folder);
    for (const order of ['patient', 'time'] as const) {
      for await (const row of readRows(recordings, order)) {
        expect(row.timeMs).toBe(0);
        break;
      }
    }
    expect(await rowsOf(folder)).toHaveLength(4);
  });

  const row = '0,1,1,1,1\n';
  it.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /^:1: file is empty/],
    ['a header alone', HEADER, /^:2: .*no rows/],
    ['no header', row, /^:1: first column is "0", not "Time \[s\]"/],
    [
      'an unknown column',
      'Time [s], HR, PULSE, RESP, SpO3\n',
      /^:1: unknown column "SpO3" \(did you mean "SpO2"\?\)/,
    ],
    ['a missing column', 'Time [s], HR, PULSE, RESP\n', /^:1: column SpO2 is missing/],
    ['a column twice', 'Time [s], HR, HR, RESP, SpO2\n', /^:1: column HR stands twice/],
    ['too few columns', `${HEADER}${row}1,1,1,1\n`, /^:3: 4 columns instead of 5/],
    ['too many columns', `${HEADER}0,1,1,1,1,1\n`, /^:2: 6 columns instead of 5/],
    ['a word for a number', `${HEADER}0,1,x,1,1\n`, /^:2: PULSE "x" is not a number/],
    ['a hexadecimal number', `${HEADER}0,0x10,1,1,1\n`, /^:2: HR "0x10" is not a number/],
    ['an infinite number', `${HEADER}0,1,1,1e999,1\n`, /^:2: RESP "1e999" is not a number/],
    ['Infinity', `${HEADER}0,1,1,Infinity,1\n`, /^:2: RESP "Infinity" is not a number/],
    ['a missing time', `${HEADER},1,1,1,1\n`, /^:2: time "" is not a number/],
    ['a time out of range', `${HEADER}1e300,1,1,1,1\n`, /^:2: time 1e\+300 s is out of range/],
    ['a time that goes back', `${HEADER}5,1,1,1,1\n4,1,1,1,1\n`, /^:3: time goes from 5 s to 4 s/],
    ['a time that stands still', `${HEADER}${row}-0,1,1,1,1\n`, /^:3: time goes from 0 s to 0 s/],
    ['a blank line inside', `${HEADER}${row}\n1,1,1,1,1\n`, /^:3: line is blank/],
    ['a huge line', `${HEADER}${row}${'1'.repeat(5_000)}\n`, /^:3: line is longer than 4096 bytes/],
    ['a huge line without an end', 'x'.repeat(300_000), /^:1: line is longer/],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(HEADER), Buffer.from([0xff, 0x0a])]),
      /^:2: is not UTF-8/,
    ],
    [
      'a cut UTF-8 sequence',
      Buffer.concat([Buffer.from(HEADER), Buffer.from([0xe2, 0x82])]),
      /^:2: is not UTF-8/,
    ],
    ['zero bytes', `${HEADER}\0\0\0\0\n`, /^:2: is binary/],
    ['two files in UTF-16', Buffer.from(HEADER + row, 'utf16le'), /^:1: is binary/],
  ])('refuses %s, naming file and line', async (_, content, message) => {
    expect(await failureOf(content)).toMatch(message);
  });

  it('refuses or reads any bytes, and never fails in another way', async () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .string({ unit: fc.constantFrom(...'0123456789,.-+eNa \r\n') })
        .map((text) => Buffer.from(HEADER + text)),
    );
    await fc.assert(
      fc.asyncProperty(junk, async (bytes) => {
        await write('01', bytes);
        await rowsOf(folder).catch((error: unknown) => {
          expect(error).toBeInstanceOf(TocsinError);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('reads every truncation of a file to rows of the whole, or refuses it', async () => {
    const whole = `${HEADER}0,94,93,25,97\n1,95,NaN,25,97\n2,96,,25,97\n`;
    await write('01', whole);
    const all = await rowsOf(folder);
    for (let length = 0; length < whole.length; length += 1) {
      await write('01', whole.slice(0, length));
      const rows: RecordingRow[] = [];
      const [recording] = await findRecordings(folder);
      if (recording === undefined) throw new Error('no recording');
      try {
        for await (const one of readRecording(recording, 0)) rows.push(one);
      } catch (error) {
        expect(error).toBeInstanceOf(TocsinError);
      }
      // The row in which the cut lies is none: it could read as a shorter number.
      const complete = whole.slice(0, length).split('\n').length - 2;
      expect(rows).toEqual(all.slice(0, Math.max(0, complete)));
    }
  });
});

describe('findRecordings', () => {
  const attempt = (path: string) => expect(findRecordings(path)).rejects;
  const refusal = (text: string) =>
    expect.objectContaining({
      code: 'BAD_RECORDING',
      message: expect.stringContaining(text) as string,
    });

  it('refuses a folder that is not there', () =>
    attempt(join(folder, 'none')).toThrow(refusal('ENOENT')));

  it('refuses a folder without recordings, whatever else it holds', async () => {
    await writeFile(join(folder, 'bidmc_01_Fix.txt'), 'Age: 88');
    await writeFile(join(folder, 'expected-limit-alarms.csv'), '');
    await attempt(folder).toThrow(refusal('holds no recording'));
  });

  it('refuses a file in place of a folder', async () => {
    await writeFile(join(folder, 'file'), '');
    await attempt(join(folder, 'file')).toThrow(refusal('is not a folder'));
  });

  it('refuses a folder in place of a recording, when it is read', async () => {
    await mkdir(join(folder, 'bidmc_01_Numerics.csv'));
    await expect(rowsOf(folder)).rejects.toThrow(refusal('cannot be read'));
  });
});

describe('the rules of the recordings', () => {
  /** Ten rows a letter: v = RESP in violation, n = not, m = missing. */
  const bySeconds = (pattern: string) =>
    HEADER +
    [...pattern]
      .map((one, t) => `${t},80,80,${{ v: '25', n: '20', m: 'NaN', l: '8' }[one]},97\n`)
      .join('');
  const ten = (one: string, count = 10) => one.repeat(count);

  it.each<[string, string, readonly string[]]>([
    ['nine in violation do not start', `${ten('v', 9)}n`, []],
    ['the tenth starts', ten('v'), ['9,RESP,HI,start']],
    ['the tenth not in violation ends', ten('v') + ten('n'), ['9,RESP,HI,start', '19,RESP,HI,end']],
    ['nine not in violation do not end', ten('v') + ten('n', 9), ['9,RESP,HI,start']],
    ['missing ones do not count', `${ten('v', 9)}mmmv`, ['12,RESP,HI,start']],
    [
      'missing ones do not count towards the end',
      `${ten('v')}${ten('n', 9)}mmn`,
      ['9,RESP,HI,start', '21,RESP,HI,end'],
    ],
    [
      'the tenth missing is technical, the next present ends it',
      `${ten('m')}n`,
      ['9,RESP,TEC,start', '10,RESP,TEC,end'],
    ],
    ['nine missing are not technical', `${ten('m', 9)}n${ten('m', 9)}`, []],
    [
      'a limit condition outlasts a technical one',
      `${ten('v')}${ten('m')}${ten('n')}`,
      ['9,RESP,HI,start', '19,RESP,TEC,start', '20,RESP,TEC,end', '29,RESP,HI,end'],
    ],
    [
      'one side may start where the other ends',
      ten('v') + ten('l'),
      ['9,RESP,HI,start', '19,RESP,HI,end', '19,RESP,LO,start'],
    ],
  ])('%s', async (_, pattern, expected) => {
    await write('07', bySeconds(pattern));
    const lines = (await replay(folder, 'patient')).trimEnd().split('\n');
    expect(lines).toEqual(['patient,t,metric,kind,phase', ...expected.map((line) => `07,${line}`)]);
  });
});
