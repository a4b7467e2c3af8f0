import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { programPath } from '../../../cli/local/program.ts';
import { BEHIND } from '../../../cli/trend/own-thread.ts';

const knowsThreads = existsSync('/proc/thread-self/schedstat');

/** Stands back as often as it is told, and says how urgent it is after each time. */
const STANDS_BACK = `
  const { readlinkSync } = require('node:fs');
  const { getPriority } = require('node:os');
  const { parentPort, workerData } = require('node:worker_threads');
  const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  void import(workerData.module).then(({ standBack }) => {
    const seen = [getPriority(thread)];
    for (let n = 0; n < workerData.times; n += 1) {
      standBack();
      seen.push(getPriority(thread));
    }
    parentPort.postMessage(seen);
  });
`;

test.skipIf(!knowsThreads)(
  'a thread that stands back is less urgent than its process, as far as that goes, and the process stays what it is (needs Linux)',
  async () => {
    const before = getPriority(process.pid);
    const module = pathToFileURL(join(dirname(programPath()), 'trend', 'own-thread.js')).href;
    const worker = new Worker(STANDS_BACK, { eval: true, workerData: { module, times: 3 } });
    const [seen] = (await once(worker, 'message')) as [readonly number[]];
    await worker.terminate();
    const expected = [0, 1, 2, 3].map((times) => Math.min(19, before + times * BEHIND));
    expect(seen).toEqual(expected);
    expect(getPriority(process.pid)).toBe(before);
  },
);
