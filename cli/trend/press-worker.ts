import { parentPort } from 'node:worker_threads';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { pressWindow } from '../../src/replica/trend/press.ts';
import { SKETCHES } from '../../src/wire/trend/sketch.ts';
import { tellHeap } from './heaps.ts';
import { BEHIND, standBack } from './own-thread.ts';
import type { PressAnswer, PressQuestion } from './press-thread.ts';

/** The thread in which windows of samples become bytes, beside the one that judges. */

const port = must(parentPort, 'this file is started as a worker');

// Nobody waits for it: a minute that is written a little later is as good.
standBack(BEHIND.encoding);
tellHeap('encoder', (line) => void process.stderr.write(`${line}\n`));

port.on('message', ({ id, task }: PressQuestion) => {
  try {
    const pressed = pressWindow(task, SKETCHES);
    const { chunk, seconds, minute } = pressed;
    const answer: PressAnswer = { id, pressed };
    port.postMessage(answer, [chunk.buffer, seconds.buffer, minute.buffer].filter(isOwn));
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    port.postMessage({ id, failed: { code: error.code, message: error.message } });
  }
});

const isOwn = (buffer: ArrayBufferLike): buffer is ArrayBuffer => buffer instanceof ArrayBuffer;
