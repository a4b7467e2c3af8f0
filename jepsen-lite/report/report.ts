import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../run.ts';
import { pageOf } from './page.ts';

/** Writes what a run leaves behind: history.jsonl, verdict.json and report.html, beside the replicas' own logs. */
export async function writeReport(run: Run): Promise<void> {
  const { history: _, seenAt: __, times: ___, timings: ____, ...rest } = run;
  await writeHistory(join(run.folder, 'history.jsonl'), run);
  await writeFile(join(run.folder, 'verdict.json'), `${JSON.stringify(rest, null, 2)}\n`);
  await writeFile(join(run.folder, 'report.html'), pageOf(run));
}

async function writeHistory(path: string, { history, seenAt, times }: Run): Promise<void> {
  const stream = createWriteStream(path);
  const write = async (line: object): Promise<void> => {
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, 'drain');
  };
  for (const operation of history.operations) await write({ operation });
  for (const [at, event] of history.events.entries())
    await write({ event, time: times[at], seenAt: seenAt[at] });
  for (const watch of history.watches) await write({ watch });
  stream.end();
  await once(stream, 'close');
}
