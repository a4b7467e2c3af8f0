import type { Run, TrendRun } from '../bench/measure/results.ts';
import type { Row } from '../bench/workloads/stage.ts';

/** The newest runs; undefined = there is none. */
export interface Results {
  readonly cluster: Run | undefined;
  readonly million: Run | undefined;
  readonly peers: Run | undefined;
  /** A steady stream of samples into three replicas. */
  readonly trends: TrendRun | undefined;
  /** As many samples as one replica takes. */
  readonly ingest: TrendRun | undefined;
}

/** One figure that is to be reached. */
interface Goal {
  readonly what: string;
  readonly unit: '/s' | 'ms' | 'MiB' | '×';
  readonly limit: number;
  /** Undefined = not measured. */
  readonly measured: number | undefined;
  /** Ours to etcd's in the same run. */
  readonly etcd?: number | undefined;
}

type Pick = (row: Row) => number | undefined;

const rate: Pick = ({ load }) => load.perSecond;
const p50: Pick = ({ load }) => load.latencyMs.p50;
const p99: Pick = ({ load }) => load.latencyMs.p99;
const extra =
  (name: string): Pick =>
  (row) =>
    row.extra?.[name];

function of(run: Run | undefined, workload: string, pick: Pick): number | undefined {
  const row = run?.rows.find((one) => one.workload === workload);
  return row && pick(row);
}

/** The best of several. */
const most = (...values: readonly (number | undefined)[]): number | undefined =>
  values.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);

function besideEtcd(peers: Run | undefined, kind: string, pick: Pick): number | undefined {
  const [ours, theirs] = ['tocsin', 'etcd'].map((who) => of(peers, `${who}-${kind}`, pick));
  return ours === undefined || theirs === undefined ? undefined : ours / Math.max(0.001, theirs);
}

/** A figure behind a word in a row of words: `p99` of `p50 1.2 ms, p99 3.4 ms`. */
function inWords(run: TrendRun | undefined, row: string, figure: RegExp): number | undefined {
  const text = run?.rows.find(([what]) => what.startsWith(row))?.[1];
  const found = text === undefined ? undefined : figure.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

const commandGoals = ({ cluster, peers }: Results): readonly Goal[] => {
  const puts = besideEtcd(peers, 'put-1000', rate);
  const alone = pair(
    'one command at a time',
    [of(cluster, 'commands-1', p50), of(cluster, 'commands-1', p99)],
    [0.6, 3],
  );
  return [
    {
      what: 'durable commands, each its own call',
      unit: '/s',
      limit: 100_000,
      measured: most(of(cluster, 'commands-1000', rate), of(cluster, 'commands-4000', rate)),
      etcd: puts,
    },
    { what: 'the same, to etcd in one run', unit: '×', limit: 15, measured: puts },
    {
      what: 'in batches of 100',
      unit: '/s',
      limit: 300_000,
      measured: of(cluster, 'batches', rate),
    },
    ...alone.map((goal, at) => ({
      ...goal,
      etcd: besideEtcd(peers, 'put-1', at === 0 ? p50 : p99),
    })),
  ];
};

const readGoals = ({ cluster, peers }: Results): readonly Goal[] => [
  {
    what: 'linearizable reads',
    unit: '/s',
    limit: 150_000,
    measured: of(cluster, 'get-linearizable-1000', rate),
    etcd: besideEtcd(peers, 'get-1000', rate),
  },
  {
    what: 'one read at a time, p50',
    unit: 'ms',
    limit: 0.2,
    measured: of(cluster, 'get-linearizable-1', p50),
    etcd: besideEtcd(peers, 'get-1', p50),
  },
  {
    what: 'events to 1,000 watchers',
    unit: '/s',
    limit: 500_000,
    measured: of(cluster, 'watch', extra('deliveredPerSecond')),
  },
  {
    what: 'commands beside a stuck watcher, to those without',
    unit: '×',
    limit: 0.95,
    measured: of(cluster, 'watch-stuck', extra('timesTheRateWithout')),
  },
];

const sampleGoals = ({ trends, ingest }: Results): readonly Goal[] => [
  {
    what: 'samples into one replica, rules on',
    unit: '/s',
    limit: 1_000_000,
    measured: inWords(ingest, 'samples sent', /([0-9]+)\/s/),
  },
  {
    what: 'samples replicated to all',
    unit: '/s',
    limit: 100_000,
    measured: inWords(trends, 'samples sent', /([0-9]+)\/s/),
  },
  {
    what: 'a frame of them judged, p99.9',
    unit: 'ms',
    limit: 1,
    measured: inWords(trends, 'replica 1, its thread of trends', /p99\.9 ([0-9.]+)/),
  },
  ...pair(
    'sample in to watcher told, while they flow',
    [
      inWords(trends, 'crossed limits', /p50 ([0-9.]+)/),
      inWords(trends, 'crossed limits', /p99 ([0-9.]+)/),
    ],
    [1, 5],
  ),
];

const failoverGoals = ({ cluster }: Results): readonly Goal[] => [
  ...pair(
    'leader killed, to the next command',
    [of(cluster, 'failover-killed', p50), of(cluster, 'failover-killed', p99)],
    [150, 600],
  ),
  {
    what: 'leader silent, to the next command, p99',
    unit: 'ms',
    limit: 1_500,
    measured: of(cluster, 'failover-silent', p99),
  },
  { what: 'orderly transfer, p50', unit: 'ms', limit: 20, measured: of(cluster, 'transfer', p50) },
];

const sizeGoals = ({ million }: Results): readonly Goal[] => [
  {
    what: '1,000,000 open alerts, a replica',
    unit: 'MiB',
    limit: 1.2 * 1_024,
    measured: of(million, 'raise-many', extra('mebibytesAReplica')),
  },
  {
    what: 'restart with them',
    unit: 'ms',
    limit: 8_000,
    measured: of(million, 'raise-many', extra('restartAppliedMs')),
  },
  {
    what: 'a read while a snapshot of them is taken, p99',
    unit: 'ms',
    limit: 5,
    measured: of(million, 'raise-many', extra('readMsP99Meanwhile')),
  },
];

/** Two percentiles of the same. */
const pair = (
  what: string,
  [half, most99]: readonly [number | undefined, number | undefined],
  [limit50, limit99]: readonly [number, number],
): readonly Goal[] => [
  { what: `${what}, p50`, unit: 'ms', limit: limit50, measured: half },
  { what: `${what}, p99`, unit: 'ms', limit: limit99, measured: most99 },
];

/** Rates and ratios are to be as large as the limit, all else is to be as small. */
const isMet = ({ unit, limit }: Goal, measured: number): boolean =>
  unit === '/s' || unit === '×' ? measured >= limit : measured <= limit;

function figure(value: number, unit: Goal['unit']): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return unit === '/s' ? `${text}/s` : `${text} ${unit}`;
}

export const GOALS_HEAD: readonly string[] = [
  'what',
  'goal',
  'measured',
  'reached',
  '× etcd in one run',
];

const GOALS = [commandGoals, readGoals, sampleGoals, failoverGoals, sizeGoals];

/** Each goal as cells under GOALS_HEAD. */
export const goalCells = (results: Results): readonly (readonly string[])[] =>
  GOALS.flatMap((goals) => goals(results)).map((goal) => {
    const { what, unit, limit, measured, etcd } = goal;
    const isRate = unit === '/s' || unit === '×';
    return [
      what,
      `${isRate ? '≥' : '≤'} ${figure(limit, unit)}`,
      measured === undefined ? 'not measured' : figure(measured, unit),
      measured === undefined ? '' : isMet(goal, measured) ? 'yes' : 'no',
      etcd === undefined ? '' : etcd.toFixed(2),
    ];
  });
