import { Command } from 'commander';
import { BENCH_IN_FLIGHT_MAX } from '../../src/base/limits.ts';
import type { LoadKind, LoadResult } from '../bench/load.ts';
import { printable } from '../output/escape.ts';
import { addDangerOptions, type DangerFlags, mustConfirm } from './danger.ts';
import { Exit } from './failure.ts';
import type { Io, OperatorClient } from './io.ts';
import { addClientOptions, type ClientFlags, durationOption, withExamples } from './options.ts';
import { report, withClient } from './session.ts';
import { oneOf, whole } from './values.ts';

interface BenchFlags extends ClientFlags, DangerFlags {
  readonly local?: boolean;
  readonly duration: number;
  readonly inFlight: number;
  readonly kind: LoadKind;
}

/** `tocsin bench`: how much, how fast, from where one sits. */
export function benchCommand(io: Io): Command {
  const command = new Command('bench')
    .description(
      'load a cluster and tell rates and latencies; alerts of priority none are raised and cleared, and stay in the history',
    )
    .option('--local', 'start three replicas for this run, with data in a temporary folder')
    .addOption(durationOption('--duration <duration>', 'for how long', '5s'))
    .option('--in-flight <calls>', 'calls under way at a time', whole(1, BENCH_IN_FLIGHT_MAX), 64)
    .option('--kind <kind>', 'write or read', oneOf<LoadKind>(['write', 'read']), 'write');
  addDangerOptions(addClientOptions(command, '10s'), 'the id of the cluster');
  return withExamples(command, [
    ['tocsin bench --local', 'three replicas of its own'],
    ['tocsin bench --local --in-flight 1', 'one call at a time'],
    ['tocsin bench --kind read --dry-run', 'what it would do to the cluster'],
  ]).action(async (flags: BenchFlags) => {
    if (flags.local === true && flags.dryRun !== true) await benchLocal(io, flags);
    else await benchCluster(io, flags);
  });
}

async function benchCluster(io: Io, flags: BenchFlags): Promise<void> {
  const { kind, inFlight, duration, local = false } = flags;
  const does = `puts ${inFlight} ${kind}s at a time on`;
  if (local) {
    await say(io, flags, `${does} three replicas of its own for ${duration} ms`);
    return;
  }
  await withClient(io, flags, async ({ client, timeoutMs, signal }) => {
    const { clusterId } = await client.status(undefined, { timeoutMs, signal });
    const what = `${does} cluster ${clusterId} for ${duration} ms`;
    if (flags.dryRun === true) {
      await say(io, flags, what);
      return;
    }
    await mustConfirm(io, flags, { does: what, word: clusterId });
    await load(io, flags, client, signal);
  });
}

async function benchLocal(io: Io, flags: BenchFlags): Promise<void> {
  const { LocalCluster } = await import('../local/local-cluster.ts');
  const cluster = await LocalCluster.start({
    log: (line) => io.stderr.write(`${printable(line)}\n`),
  });
  try {
    await cluster.leader();
    const { endpoints } = cluster;
    await withClient(io, { ...flags, endpoints }, ({ client, signal }) =>
      load(io, flags, client, signal),
    );
  } finally {
    await cluster.close();
  }
}

async function load(
  io: Io,
  { kind, inFlight, duration: durationMs, ...flags }: BenchFlags,
  client: OperatorClient,
  signal: AbortSignal,
): Promise<void> {
  const [{ runLoad }, { randomBytes }] = await Promise.all([
    import('../bench/load.ts'),
    import('node:crypto'),
  ]);
  const runId = randomBytes(4).toString('hex');
  const result = await runLoad({ client, runId, durationMs, inFlight, kind, signal });
  await report(io, flags, {
    value: { kind, inFlight, ...result },
    text: () => textOf(kind, result),
  });
  if (result.calls === 0) throw new Exit(1);
}

const say = (io: Io, flags: BenchFlags, would: string): Promise<void> =>
  report(io, flags, { value: { would }, text: () => `this ${would}; nothing was done\n` });

function textOf(
  kind: LoadKind,
  { calls, failed, seconds, perSecond, latency, problem }: LoadResult,
): string {
  const { p50, p99, p999, max } = latency;
  const lines = [
    `${calls} ${kind}s in ${seconds} s: ${perSecond}/s`,
    `latency p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms, longest ${max} ms`,
    ...(failed === 0 ? [] : [`${failed} failed, the first: ${printable(problem ?? '')}`]),
  ];
  return `${lines.join('\n')}\n`;
}
