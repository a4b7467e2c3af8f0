import { randomBytes } from 'node:crypto';
import { TocsinError } from '../../src/base/errors.ts';
import { revision } from '../../src/base/ids.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import type { AlertApi } from '../../src/statemachine/alert-api.ts';
import type { Recording } from '../input/recordings.ts';
import type { PatientTransition } from '../input/transitions.ts';
import type { LocalCluster } from '../local/local-cluster.ts';
import { AlertSender, type Settled } from '../pipeline/alert-sender.ts';
import { type AskedCommand, type Audit, audit, type Told } from './audit.ts';
import { type Failover, killLeader } from './failover.ts';
import { play } from './player.ts';
import { Witness } from './witness.ts';

export interface ReplayOptions {
  readonly recordings: readonly Recording[];
  readonly rules: RuleSet;
  readonly client: AlertApi;
  /** Recorded seconds in one second; undefined = as fast as it goes. */
  readonly speed: number | undefined;
  /** The cluster behind `client`, when it is ours. */
  readonly cluster: LocalCluster | undefined;
  /** Rows after which the leader of `cluster` is killed. */
  readonly killLeaderAfter: number | undefined;
  readonly signal: AbortSignal;
  readonly onRow: (rows: number) => void;
  readonly log: (line: string) => void;
}

export interface ReplayResult {
  /** Names this run in every alert's device and dedup key. */
  readonly runId: string;
  /** As the cluster committed them. */
  readonly transitions: readonly PatientTransition[];
  readonly rows: number;
  readonly samples: number;
  readonly raised: number;
  readonly cleared: number;
  /** Commands that surely did not happen, and those of which nobody knows. */
  readonly failed: number;
  readonly unknown: number;
  readonly audit: Audit;
  readonly failover: Failover | undefined;
  /** Whether all replicas came to the same state; undefined when they are not ours to ask. */
  readonly digestsEqual: boolean | undefined;
  /** From the first row to the last answer. */
  readonly seconds: number;
  /** What went wrong, in words. */
  readonly findings: readonly string[];
}

/** How long a command may take: longer than any failover. */
const COMMAND_MS_MAX = 30_000;
const WATCH_MS_MAX = 30_000;
const FINDINGS_MAX = 20;

/**
 * Plays recordings into a cluster, watches what it commits, and compares the two.
 * @throws TocsinError CANCELLED, BAD_RECORDING when a file changed meanwhile, and what the cluster cannot do
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { client, cluster, signal } = options;
  const runId = `replay-${randomBytes(6).toString('hex')}`;
  const origin = Date.now();
  const before = await newestRevision(client, runId);
  const from = revision(before + 1);
  const witness = new Witness({ api: client, from, device: runId, origin });
  try {
    const performed = await perform(options, runId, origin);
    await witness.until(await newestRevision(client, runId), WATCH_MS_MAX, signal);
    const digestsEqual = await cluster?.converge(signal);
    const { asked, sender, ...rest } = performed;
    const judged = audit(asked, witness.events);
    const transitions = witness.events.flatMap(({ transition }) => transition ?? []);
    const failures = sender.failures.map(
      ({ dedupKey, error }) => `${dedupKey}: ${error.code}: ${error.message}`,
    );
    return {
      ...rest,
      runId,
      transitions,
      raised: transitions.filter(({ phase }) => phase === 'start').length,
      cleared: transitions.filter(({ phase }) => phase === 'end').length,
      failed: sender.counts.failed,
      unknown: sender.counts.unknown,
      audit: judged,
      digestsEqual,
      findings: [...failures, ...judged.findings].slice(0, FINDINGS_MAX),
    };
  } finally {
    await witness.close();
  }
}

interface Performed {
  readonly rows: number;
  readonly samples: number;
  readonly seconds: number;
  readonly failover: Failover | undefined;
  readonly asked: readonly AskedCommand[];
  readonly sender: AlertSender;
}

/** Plays all rows and waits for every answer, also when something fails on the way. */
async function perform(options: ReplayOptions, runId: string, origin: number): Promise<Performed> {
  const { client, cluster, killLeaderAfter, log } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const asked: AskedCommand[] = [];
  const sender = new AlertSender({
    api: client,
    runId,
    timeoutMs: COMMAND_MS_MAX,
    signal,
    onSettled: (settled) => asked.push(askedOf(settled)),
  });
  let failover: Promise<Failover> | undefined;
  const afterRow = async (): Promise<void> => {
    if (cluster === undefined) return;
    failover = (await killLeader({ cluster, api: client, runId, signal, log })).over;
  };
  const startedAt = performance.now();
  try {
    const played = await play({
      ...options,
      device: runId,
      origin,
      signal,
      send: (request) => sender.send(request),
      onRow: (rows) => {
        options.onRow(rows);
        return rows === killLeaderAfter ? afterRow() : undefined;
      },
    });
    await sender.drain();
    const seconds = (performance.now() - startedAt) / 1000;
    if (options.signal.aborted) throw new TocsinError('CANCELLED', 'interrupted');
    return { ...played, seconds, failover: await failover, asked, sender };
  } catch (error) {
    stop.abort();
    await sender.drain();
    await failover?.catch(() => undefined);
    throw error;
  }
}

/** Sees everything that was committed before it was asked for. */
async function newestRevision(client: AlertApi, device: string): Promise<number> {
  const { revision: newest } = await client.list(
    { device },
    { limit: 1, timeoutMs: COMMAND_MS_MAX },
  );
  return newest;
}

function askedOf({ request, dedupKey, told }: Settled): AskedCommand {
  const { type, input } = request;
  return { type, dedupKey, observedAt: input.observedAt, told: toldOf(told) };
}

function toldOf(told: Settled['told']): Told {
  if (TocsinError.is(told)) return { how: told.outcome === 'none' ? 'none' : 'unknown' };
  const { revision: at, alertId, effect } = told;
  return { how: 'done', revision: at, alertId, effect };
}
