import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { SNAPSHOT_LOG_BYTES } from '../../src/base/limits.ts';
import { setOfRules } from '../../src/base/rules/listed-rules.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { repeatable } from '../input/repeatable.ts';
import { printableJson } from '../output/escape.ts';
import { logTo } from '../output/log.ts';
import { streamRenderer } from '../output/stream.ts';
import type { RunningTrends } from '../trend/trend-thread.ts';
import { withHint } from './failure.ts';
import type { Io, ServedReplica } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { parseSendRule, type SendRule, sendersOf } from './senders.ts';
import { watchInterrupts } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import { parseHexId, parseText, whole } from './values.ts';
import { packageVersion } from './version.ts';

interface ServeFlags extends OutputFlags {
  readonly data: string;
  readonly cluster?: string;
  readonly listen?: string;
  readonly trend?: string | undefined;
  readonly rules?: string;
  readonly send?: readonly SendRule[];
  readonly snapshotEvery?: number;
  readonly leases?: boolean;
}

const SNAPSHOT_ENTRIES_MAX = 100_000_000;

/** `tocsin serve`: runs one replica until it is told to end, or a fault ends it. */
export function serveCommand(io: Io): Command {
  const command = new Command('serve')
    .description('run one replica; Ctrl-C or SIGTERM ends it in order, a second one at once')
    .requiredOption('--data <folder>', 'its data folder, made by tocsin format', parseText)
    .option('--cluster <id>', 'refuse the folder if it belongs to another cluster', parseHexId)
    .option(
      '--listen <address>',
      'listen here instead of at the address the members know',
      parseText,
    )
    .option(
      '--trend <address>',
      'run the trend tier too, in a thread of its own, and listen there for it; the other members learn where that is',
      parseText,
    )
    .option(
      '--send <kind=how>',
      'how targets of a kind are told of alerts while this replica leads: webhook=https://…, user=command:/path, unit=file:/path (which says it, if it is a secret), role=log; repeat the flag for more',
      repeatable(parseSendRule),
    )
    .option(
      '--leases',
      'answer reads of the level lease without asking a quorum; the same on all replicas',
    )
    .option(
      '--snapshot-every <entries>',
      'take a snapshot after so many entries of the log (default: by entries and bytes)',
      whole(1, SNAPSHOT_ENTRIES_MAX),
    )
    .option(
      '--rules <file>',
      'judge what the trend tier takes in by these, with --trend, while the cluster has no rules in force',
      parseText,
    );
  return withExamples(addOutputOptions(command), [
    ['tocsin serve --data ./r1', 'run the replica in ./r1'],
    ['tocsin serve --data ./r1 --listen /ip4/0.0.0.0/tcp/7400', 'listen on all interfaces'],
    ['tocsin serve --data ./r1 --send user=https://pager.example/hook', 'tell people of alerts'],
  ]).action(async (flags: ServeFlags) => {
    const stop = new AbortController();
    const patience = watchInterrupts(io, (count) => {
      stop.abort();
      return count > 1;
    });
    try {
      await Promise.race([serve(io, flags, stop.signal), patience.isOver]);
    } catch (error) {
      throw withHint(error, (known) => hintOf(known, flags));
    } finally {
      patience.dispose();
    }
  });
}

async function serve(io: Io, flags: ServeFlags, stop: AbortSignal): Promise<void> {
  const { data: folder, cluster, listen, send, snapshotEvery: entries } = flags;
  const log = logTo(io);
  // Pages are read by machines: lines of JSON, and nothing before them.
  const page = (json: string): void => void io.stderr.write(`${printableJson(json)}\n`);
  const addressOf = async (text: string) => (await io.services.parseAddress(text)).text;
  const trend = flags.trend === undefined ? undefined : await addressOf(flags.trend);
  const senders = send === undefined ? undefined : await sendersOf(send, page, io.files);
  const replica = await io.services.startReplica({
    folder,
    agent: `tocsin/${packageVersion()}`,
    signal: stop,
    log,
    trend,
    ...(senders === undefined ? {} : { senders }),
    ...(flags.leases === true ? { leases: true } : {}),
    ...(entries === undefined
      ? {}
      : { snapshots: { entries, logBytes: SNAPSHOT_LOG_BYTES, share: 0 } }),
    ...(cluster === undefined ? {} : { clusterId: cluster }),
    ...(listen === undefined ? {} : { listen: await addressOf(listen) }),
  });
  const trends = await startTrends(io, { ...flags, trend }, replica, log);
  await announce(io, flags, replica, trends);
  const isFirst = await Promise.race([replica.closed.then(() => false), whenAborted(stop)]);
  await trends?.close();
  if (isFirst) await replica.close();
  const fault = await replica.closed;
  if (fault === undefined) return;
  log(`this replica ends: ${fault.code}`);
  throw fault;
}

const whenAborted = (signal: AbortSignal): Promise<true> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(true);
    else signal.addEventListener('abort', () => resolve(true), { once: true });
  });

/** The trend tier beside the replica. Once it runs, whatever happens to it is told and does not end the replica. */
async function startTrends(
  io: Io,
  { data: folder, trend, rules }: ServeFlags,
  replica: ServedReplica,
  log: (line: string) => void,
): Promise<RunningTrends | undefined> {
  if (trend === undefined) {
    if (rules !== undefined) throw new TocsinError('USAGE', '--rules needs --trend');
    return undefined;
  }
  const { identity } = replica;
  try {
    const own = rules === undefined ? setOfRules('none', []) : await rulesIn(rules);
    const trends = await io.services.startTrends({
      folder,
      identity,
      address: trend,
      others: replica.trends.others,
      rules: own,
      log,
    });
    replica.trends.follow((others) => trends.follow(others));
    replica.rules.follow((kept) =>
      trends.judgeBy(kept.length === 0 ? own : setOfRules('cluster', kept)),
    );
    void trends.closed.then((fault) => {
      if (fault !== undefined) log(`trends ended: ${fault.code}: ${fault.message}`);
    });
    return trends;
  } catch (error) {
    if (TocsinError.is(error) && isOfTrendDisk(error)) {
      log(`trends do not run: ${error.code}: ${error.message}`);
      return undefined;
    }
    await replica.close();
    throw error;
  }
}

/** What lies in the folders of trends cannot be used: no reason to keep alerts from anybody. */
const isOfTrendDisk = ({ code }: TocsinError): boolean =>
  code === 'DISK_FAILED' || code === 'DISK_FULL' || code === 'DATA_CORRUPT';

async function rulesIn(path: string): Promise<RuleSet> {
  const { loadRules } = await import('../input/rules-file.ts');
  return await loadRules(path);
}

/** One line, whatever the form, so that whoever waits for it knows when it is complete. */
async function announce(
  io: Io,
  flags: ServeFlags,
  { identity, address }: ServedReplica,
  trends: RunningTrends | undefined,
): Promise<void> {
  const { clusterId, replicaId: id } = identity;
  const trend = trends?.address;
  const forms = {
    value: () => ({ event: 'listening', clusterId, replicaId: id, address, trend }),
    columns: ['event', 'clusterId', 'replicaId', 'address', 'trend'],
    text: () =>
      `replica ${id} of cluster ${clusterId} listens on ${address}${trend === undefined ? '' : `, trends on ${trend}`}\n`,
  };
  const render = await streamRenderer(forms, flags.output);
  io.stdout.write(render(undefined));
}

function hintOf({ code }: TocsinError, { data }: ServeFlags): string | undefined {
  switch (code) {
    case 'DATA_MISSING':
      return [
        'a new replica is formatted once, before it first runs:',
        `tocsin format --data ${shellQuote(data)} --replica N --members 1=ADDRESS,… --cluster ID`,
        'tocsin cluster status shows the cluster id; if this replica ran before, look for its disk first',
      ].join('\n');
    case 'DATA_LOCKED':
      return 'is another tocsin serve running on this folder?';
    case 'DATA_OTHER_CLUSTER':
      return 'name the right folder with --data, or leave --cluster out to take the folder as it is';
    case 'DATA_CORRUPT':
      return 'do not delete anything: keep a copy of the folder; the other members go on without this one';
    case 'ADDRESS_IN_USE':
      return 'is another tocsin serve running? --listen names another address';
    default:
      return undefined;
  }
}
