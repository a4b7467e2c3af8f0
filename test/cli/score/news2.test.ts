import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recordings } from '../../../bench/measure/recordings.ts';
import { measured } from '../../../cli/score/charted-inputs.ts';
import { findStays, readStay } from '../../../cli/score/stays.ts';
import { ScoreEngine } from '../../../src/analytics/score-engine.ts';
import { METRIC_NAMES } from '../../../src/base/rules/metrics.ts';
import type { ScoreRule } from '../../../src/base/rules/score-rules.ts';
import { runIn } from '../commands/world.ts';

const DATA = recordings('physionet2012');
const hasData = existsSync(DATA);

const RULE: ScoreRule = {
  id: 'news2',
  kind: 'news2',
  limit: 7,
  startAfterSeconds: 0,
  endAfterSeconds: 0,
  validMinutes: 10_080,
  priority: 'high',
};

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-stays-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const stay = (...rows: readonly string[]): string => `Time,Parameter,Value\n${rows.join('\n')}\n`;

describe('tocsin score news2', () => {
  it.skipIf(!hasData)(
    'equals an independent program line for line on 400 stays (needs the recordings)',
    async () => {
      const folder = await folderOf({});
      execFileSync('tar', ['xzf', join(DATA, 'stays.tgz'), '-C', folder]);
      const out = join(folder, 'news2.csv');
      const { status } = await runIn({}, 'score', 'news2', join(folder, 'stays'), '--out', out);
      expect(status).toBe(0);
      const expected = gunzipSync(await readFile(join(DATA, 'expected-news2.csv.gz'))).toString();
      expect(await readFile(out, 'utf8')).toBe(expected);
    },
    60_000,
  );

  it('carries values forward, passes over what no living patient has, and counts what is known', async () => {
    const folder = await folderOf({
      '9.txt': stay(
        '00:00,RecordID,9',
        '00:07,HR,131',
        '00:07,RespRate,16',
        '01:00,HR,0',
        '01:30,Urine,5',
        '02:00,FiO2,0.4',
      ),
      '10.txt': stay('00:30,Temp,34.95', '49:00,NISysABP,95'),
      'notes.md': 'not a stay',
    });
    const { status, stdout } = await runIn({}, 'score', 'news2', folder);
    expect(stdout).toBe(
      'stay,time,aggregate,maxSingle,inputs\n9,00:07,3,3,2\n9,02:00,5,3,3\n10,00:30,3,3,1\n10,49:00,5,3,2\n',
    );
    expect(status).toBe(0);
  });

  it('says which scores rest on inputs that are too old', async () => {
    const all = ['HR,70', 'RespRate,16', 'SysABP,120', 'Temp,37', 'GCS,15', 'SaO2,97', 'FiO2,0.21'];
    const folder = await folderOf({
      '1.txt': stay(...all.map((one) => `00:00,${one}`), '05:00,HR,80'),
    });
    const { stdout } = await runIn({}, 'score', 'news2', folder, '--valid-for', '4');
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      '1,00:00,0,0,7,complete',
      '1,05:00,0,0,7,stale',
    ]);
  });

  it.each([
    ['Time,Value\n', /1\.txt:1: header/],
    [stay('0:00,HR,70'), /1\.txt:2: time is not hh:mm/],
    [stay('00:00,HR,high'), /1\.txt:2: value is not a number/],
    [stay('01:00,HR,70', '00:59,HR,70'), /1\.txt:3: time goes back/],
    [stay('01:00,HR,70,1'), /1\.txt:2: has more than three columns/],
    ['', /1\.txt: is empty/],
  ])('names file and line of %j', async (text, message) => {
    const { status, stderr } = await runIn({}, 'score', 'news2', await folderOf({ '1.txt': text }));
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('refuses a folder without stays', async () => {
    const { status, stderr } = await runIn({}, 'score', 'news2', await folderOf({ 'a.csv': '' }));
    expect(stderr).toContain('holds no stay');
    expect(status).toBe(2);
  });
});

describe('tocsin score mews, qsofa, shock-index', () => {
  const CHART = {
    '7.txt': stay(
      '00:07,HR,131',
      '00:07,RespRate,22',
      '00:30,Urine,5',
      '01:00,NISysABP,99',
      '02:00,GCS,9',
      '03:00,Temp,38.5',
      '04:00,SaO2,80',
    ),
  };

  it.each([
    ['mews', ['00:07,5,true,2,5', '01:00,6,true,3,5', '02:00,8,true,4,5', '03:00,10,true,5,5']],
    ['qsofa', ['00:07,1,false,1,3', '01:00,2,true,2,3', '02:00,3,true,3,3']],
    ['shock-index', ['01:00,1.32,true,2,2']],
  ])('%s scores each time at which one of its inputs was charted', async (name, rows) => {
    const { stdout, status } = await runIn({}, 'score', name, await folderOf(CHART));
    expect(stdout).toBe(
      ['stay,time,score,positive,inputs,of', ...rows.map((row) => `7,${row}`), ''].join('\n'),
    );
    expect(status).toBe(0);
  });
});

describe('the running NEWS2', () => {
  it.skipIf(!hasData)(
    'is on exactly where the score of an independent program reaches 7, on 400 stays (needs the recordings)',
    async () => {
      const folder = await folderOf({});
      execFileSync('tar', ['xzf', join(DATA, 'stays.tgz'), '-C', folder]);
      const expected = gunzipSync(await readFile(join(DATA, 'expected-news2.csv.gz'))).toString();
      const isHigh = new Map(
        expected
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => line.split(','))
          .map(([id, clock, aggregate]) => [`${id} ${clock}`, Number(aggregate) >= 7]),
      );
      let compared = 0;
      for (const one of await findStays(join(folder, 'stays'))) {
        const engine = new ScoreEngine([RULE], [], METRIC_NAMES);
        engine.introduce(0, one.id);
        for (const { clock, at, entries } of await readStay(one)) {
          for (const entry of entries) {
            const [metric, value] = measured(entry);
            if (metric === undefined) continue;
            engine.sample(0, METRIC_NAMES.indexOf(metric), at, value, () => {});
          }
          const wanted = isHigh.get(`${one.id} ${clock}`);
          if (wanted === undefined) continue;
          compared += 1;
          expect(engine.isOn(0, RULE.id), `${one.id} ${clock}`).toBe(wanted);
        }
      }
      expect(compared).toBe(isHigh.size);
    },
    60_000,
  );
});
