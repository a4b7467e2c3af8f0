import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runIn } from '../commands/world.ts';

const DATA = join(import.meta.dirname, '../../../../shared/data/physionet2012');
const hasData = existsSync(DATA);

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
