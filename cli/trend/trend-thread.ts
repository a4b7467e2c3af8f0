import { Worker } from 'node:worker_threads';
import { TocsinError } from '../../src/base/errors.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import type { TrendPeer } from '../../src/replica/trend/trend-peers.ts';
import { tellHeap } from './heaps.ts';
import type { FromWorker, ToWorker, TrendWorkerData } from './messages.ts';

export interface TrendThreadOptions extends TrendWorkerData {
  readonly log: (line: string) => void;
}

export interface RunningTrends {
  /** Multiaddr, with the port that was really taken. */
  readonly address: string;
  /** Resolves when the thread has ended: with the fault that ended it, or undefined after `close`. */
  readonly closed: Promise<TocsinError | undefined>;
  /** Judges by these from now on. */
  judgeBy(rules: RuleSet): void;
  /** The trend tiers of the other members are these from now on. */
  follow(others: readonly TrendPeer[]): void;
  close(): Promise<void>;
}

/**
 * Runs the trend tier of a replica in a thread of its own. A fault of it never ends the replica: alerts come first.
 * @throws TocsinError with the code with which it ended before it listened
 */
export async function startTrends(options: TrendThreadOptions): Promise<RunningTrends> {
  const { log, ...data } = options;
  tellHeap('alerts', log);
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: data,
    // What the process was told to load first is for its main thread, which has the standard input.
    execArgv: [],
  });
  let fault: TocsinError | undefined;
  const closed = new Promise<TocsinError | undefined>((resolve) => {
    worker.once('exit', () => resolve(fault));
    worker.once('error', (error: Error) => {
      fault ??= new TocsinError('INTERNAL', error.stack ?? error.message, { cause: error });
    });
  });
  const listening = new Promise<string>((resolve) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'listening') resolve(message.address);
      else if (message.type === 'log') log(message.line);
      else if (message.type === 'fault') fault ??= new TocsinError(message.code, message.message);
    });
  });
  const address = await Promise.race([listening, closed]);
  if (typeof address !== 'string')
    throw address ?? new TocsinError('INTERNAL', 'the thread of trends ended at its start');
  return {
    address,
    closed,
    judgeBy: (rules) => worker.postMessage({ type: 'rules', rules } satisfies ToWorker),
    follow: (others) => worker.postMessage({ type: 'others', others } satisfies ToWorker),
    close: async () => {
      worker.postMessage({ type: 'close' } satisfies ToWorker);
      await closed;
    },
  };
}
