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

/** Stands back by one step after the other, and says how urgent it is after each. */
const STANDS_BACK = `
  const { readlinkSync } = require('node:fs');
  const { getPriority } = require('node:os');
  const { parentPort, workerData } = require('node:worker_threads');
  const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  void import(workerData.module).then(({ standBack }) => {
    const seen = workerData.steps.map((by) => {
      standBack(by);
      return getPriority(thread);
    });
    parentPort.postMessage(seen);
  });
`;

test.skipIf(!knowsThreads)(
  'a thread that stands back is behind the main thread by so much, as far as that goes, and the main thread stays what it is (needs Linux)',
  async () => {
    const main = getPriority(process.pid);
    const module = pathToFileURL(join(dirname(programPath()), 'trend', 'own-thread.js')).href;
    const steps = [BEHIND.judging, BEHIND.judging, BEHIND.encoding, 40];
    const worker = new Worker(STANDS_BACK, { eval: true, workerData: { module, steps } });
    const [seen] = (await once(worker, 'message')) as [readonly number[]];
    await worker.terminate();
    expect(seen).toEqual(steps.map((by) => Math.min(19, main + by)));
    expect(getPriority(process.pid)).toBe(main);
  },
);
