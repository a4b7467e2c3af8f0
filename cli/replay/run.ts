import { TocsinError } from '../../src/base/errors.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { Exit } from '../commands/failure.ts';
import type { Io, OperatorClient } from '../commands/io.ts';
import type { OutputFlags } from '../commands/options.ts';
import { endpointsOf, report, watchInterrupts } from '../commands/session.ts';
import { shippedRules } from '../demo/shipped-rules.ts';
import { findRecordings, type Recording } from '../input/recordings.ts';
import { loadRules } from '../input/rules-file.ts';
import { formatTransitions } from '../input/transitions.ts';
import { LocalCluster } from '../local/local-cluster.ts';
import { printable } from '../output/escape.ts';
import { mustBeWritable, writeWhole } from '../output/whole-file.ts';
import { type Progress, showProgress } from './progress.ts';
import { type ReplayResult, replay } from './replay.ts';
import { isSound, renderSummary, summaryOf } from './summary.ts';
import { countRows } from './survey.ts';

export interface ReplayFlags extends OutputFlags {
  readonly rules?: string;
  readonly speed?: number;
  readonly out?: string;
  readonly local?: boolean;
  readonly replicas?: number;
  readonly killLeaderAfter?: number;
  readonly endpoints?: readonly string[];
  readonly progress: boolean;
}

const REPLICAS_DEFAULT = 3;
const CONNECT_MS_MAX = 10_000;

/**
 * Checks everything that can be checked before anything is written, then plays.
 * @throws TocsinError with the code of what is wrong; Exit 1 when the cluster did not keep its word
 */
export async function runReplay(folder: string, flags: ReplayFlags, io: Io): Promise<void> {
  checkFlags(flags);
  const interrupt = new AbortController();
  const patience = watchInterrupts(io, (count) => {
    interrupt.abort();
    return count > 1;
  });
  try {
    await Promise.race([checkAndPlay(folder, flags, io, interrupt.signal), patience.isOver]);
  } finally {
    patience.dispose();
  }
}

async function checkAndPlay(
  folder: string,
  flags: ReplayFlags,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const { killLeaderAfter, out } = flags;
  const rules = await loadRules(flags.rules ?? shippedRules('bidmc.yaml'));
  const recordings = await findRecordings(folder);
  const total = await countRows(recordings, signal);
  if (killLeaderAfter !== undefined && killLeaderAfter > total)
    throw usage(`--kill-leader-after ${killLeaderAfter}: there are only ${total} rows`);
  if (out !== undefined) await mustBeWritable(out);
  const result = await perform({ io, flags, rules, recordings, total, signal });
  if (out !== undefined) await writeWhole(out, formatTransitions(result.transitions));
  await report(io, flags, {
    value: summaryOf(result),
    text: () => renderSummary(result),
  });
  if (isSound(result)) return;
  io.stderr.write('tocsin: the cluster did not keep its word; see the summary\n');
  throw new Exit(1);
}

interface Run {
  readonly io: Io;
  readonly flags: ReplayFlags;
  readonly rules: RuleSet;
  readonly recordings: readonly Recording[];
  readonly total: number;
  readonly signal: AbortSignal;
}

/** Opens what a replay needs, and closes it whatever happens. */
async function perform(run: Run): Promise<ReplayResult> {
  const { io, flags, recordings, rules, total, signal } = run;
  const progress = await progressOf(io, flags, total);
  let cluster: LocalCluster | undefined;
  let client: OperatorClient | undefined;
  try {
    const { replicas: size = REPLICAS_DEFAULT } = flags;
    const log = (line: string): void => progress.say(printable(line));
    if (flags.local === true) {
      log(`starting ${size} replicas`);
      cluster = await LocalCluster.start({ size, log, signal });
    }
    const timeoutMs = CONNECT_MS_MAX;
    const named = cluster?.endpoints ?? flags.endpoints;
    const endpoints = endpointsOf(named === undefined ? {} : { endpoints: named });
    client = await io.services.connect({ endpoints, name: 'replay', timeoutMs, signal });
    return await replay({
      recordings,
      rules,
      client,
      speed: flags.speed,
      cluster,
      killLeaderAfter: flags.killLeaderAfter,
      signal,
      onRow: (rows) => progress.rows(rows),
      log,
    });
  } finally {
    progress.end();
    await client?.close();
    await cluster?.close();
  }
}

function checkFlags(flags: ReplayFlags): void {
  const { local = false, replicas, killLeaderAfter, endpoints } = flags;
  if (local && endpoints !== undefined) throw usage('--local and --endpoints exclude each other');
  if (!local && replicas !== undefined) throw usage('--replicas needs --local');
  if (!local && killLeaderAfter !== undefined)
    throw usage('--kill-leader-after needs --local: only processes of this run are ended');
  if (killLeaderAfter !== undefined && replicas !== undefined && replicas < 3)
    throw usage('--kill-leader-after needs at least 3 replicas: fewer have no majority left');
}

const SILENT: Progress = { rows: () => {}, say: () => {}, end: () => {} };

async function progressOf(io: Io, flags: ReplayFlags, total: number): Promise<Progress> {
  if (!flags.progress) return SILENT;
  const { stderr, env } = io;
  const isTTY = stderr.isTTY && env['TERM'] !== 'dumb';
  return await showProgress({ total, isTTY, write: (text) => stderr.write(text) });
}

const usage = (message: string): TocsinError => new TocsinError('USAGE', message);
