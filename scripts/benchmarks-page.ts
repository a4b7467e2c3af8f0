import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  ApplyRun,
  AssertionRun,
  CompressionRun,
  Run,
  SimulatorRun,
  StallRun,
  TrendRun,
} from '../bench/measure/results.ts';
import type { Row } from '../bench/workloads/stage.ts';
import { GOALS_HEAD, goalCells } from './goals-table.ts';

/** docs/benchmarks.md and its plots, from the newest runs in bench/results. */

const RESULTS: string = join(import.meta.dirname, '..', 'bench', 'results');

const read = (name: string): unknown => {
  const path = join(RESULTS, `${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
};
const runOf = (name: string): Run | undefined => read(name) as Run | undefined;

const count = (value: number): string => value.toLocaleString('en-US');

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, at) => (at === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

const minuteOf = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;

function machineLines({ machine, at, seconds }: Pick<Run, 'machine' | 'at' | 'seconds'>): string {
  const { processor, cores, memoryGiB, node, load, syncMs, roundTripMs } = machine;
  return [
    `${minuteOf(at)}, ${processor}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, ${seconds} s a row; load average before the run ${load}.`,
    `A bare append and fdatasync of 256 bytes: p50 ${syncMs.p50} ms, p99 ${syncMs.p99} ms. A bare loopback round trip: p50 ${roundTripMs.p50} ms, p99 ${roundTripMs.p99} ms.`,
  ].join('\n');
}

function rowCells({ asks, load, cpuUs, loadCpuUs, writtenBytes, extra }: Row): readonly string[] {
  const { latencyMs, failed, perSecond } = load;
  const more = Object.entries(extra ?? {}).map(([name, value]) => `${name} ${count(value)}`);
  const notes = failed > 0 ? [...more, `${failed} failed`] : more;
  return [
    notes.length === 0 ? asks : `${asks} (${notes.join(', ')})`,
    count(perSecond),
    ...[latencyMs.p50, latencyMs.p99, latencyMs.p999].map((ms) => ms.toFixed(2)),
    cpuUs.toFixed(1),
    loadCpuUs.toFixed(1),
    writtenBytes === undefined ? '' : count(writtenBytes),
  ];
}

const HEAD: readonly string[] = [
  'asked',
  'a second',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'CPU µs',
  'load CPU µs',
  'bytes written',
];

/** Rates of one peer against ours, kind by kind. */
function ratioTable({ rows }: Run): string {
  const ours = rows.filter(({ workload }) => workload.startsWith('tocsin-'));
  const cells = ours.flatMap((own) => {
    const kind = own.workload.slice('tocsin-'.length);
    return rows
      .filter((row) => row !== own && row.workload.endsWith(`-${kind}`))
      .map((row) => [
        kind,
        row.workload.slice(0, -kind.length - 1),
        (own.load.perSecond / Math.max(1, row.load.perSecond)).toFixed(2),
        (own.load.latencyMs.p50 / Math.max(0.001, row.load.latencyMs.p50)).toFixed(2),
        (own.load.latencyMs.p99 / Math.max(0.001, row.load.latencyMs.p99)).toFixed(2),
      ]);
  });
  return tableOf(['work, in flight', 'against', 'rate ×', 'p50 ×', 'p99 ×'], cells);
}

/** Of a command that is answered at half its kind's latency: the parts that the leader knows of, and the rest. */
function stageTable({ rows, machine }: Run): string {
  const limitMs = machine.syncMs.p50 + machine.roundTripMs.p50;
  const cells = rows
    .filter(({ workload }) => workload.startsWith('stages-'))
    .map(({ workload, load, extra = {} }) => {
      const of = (name: string): number => (extra[`${name}Us`] ?? 0) / 1_000;
      const inside = of('queue') + of('quorum') + of('apply');
      const whole = load.latencyMs.p50;
      const parts = [of('queue'), of('sync'), of('quorum'), of('apply')];
      const rest = Math.max(0, whole - inside);
      return [
        workload.slice('stages-'.length),
        ...[...parts, rest, whole].map((ms) => ms.toFixed(2)),
        (whole / limitMs).toFixed(1),
      ];
    });
  return tableOf(
    [
      'in flight',
      'queue ms',
      'one sync ms',
      'quorum ms',
      'apply, reply ms',
      'client, frames ms',
      'whole ms',
      'whole × limit',
    ],
    cells,
  );
}

const BAR_HEIGHT = 22;
const BAR_WIDTH_MAX = 420;
const NAME_WIDTH = 230;

/** A bar a row, as long as its rate; readable on a light and on a dark page. */
function bars(title: string, rows: readonly Row[]): string {
  const most = Math.max(1, ...rows.map(({ load }) => load.perSecond));
  const height = (rows.length + 1) * BAR_HEIGHT + 10;
  const lines = rows.map(({ workload, load }, at) => {
    const y = (at + 1) * BAR_HEIGHT;
    const width = Math.max(1, Math.round((load.perSecond / most) * BAR_WIDTH_MAX));
    return [
      `<text x="${NAME_WIDTH - 8}" y="${y + 15}" text-anchor="end">${workload}</text>`,
      `<rect x="${NAME_WIDTH}" y="${y + 3}" width="${width}" height="${BAR_HEIGHT - 6}" fill="#3b7dd8"/>`,
      `<text x="${NAME_WIDTH + width + 6}" y="${y + 15}">${count(load.perSecond)}/s</text>`,
    ].join('');
  });
  const width = NAME_WIDTH + BAR_WIDTH_MAX + 100;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#777">`,
    `<title>${title}</title>`,
    `<text x="8" y="15" font-weight="bold">${title}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function trendSection(run: TrendRun, title: string): readonly string[] {
  return [
    `## Vital signs, ${title}`,
    machineLines({ ...run, seconds: run.minutes * 60 }),
    'Recorded 125 Hz waveforms, looped; rules judge each sample, commands are committed beside them one at a time. Heaps are told with their garbage, but for what lives.',
    tableOf(['', 'measured'], run.rows),
  ];
}

/** What a command costs without disk and sockets, and what of it every replica pays. */
function applySection({ rows, machine, at }: ApplyRun): readonly string[] {
  const cells = rows.map(({ asks, checkUs, decodeUs, applyUs, replyUs }) => {
    const each = decodeUs + applyUs;
    const three = each * 3 + checkUs + replyUs;
    return [asks, ...[checkUs, decodeUs, applyUs, replyUs, each, three].map((us) => us.toFixed(2))];
  });
  const head = ['commands', 'check', 'decode', 'apply', 'reply', 'a replica', 'three replicas'];
  return [
    '## One command in the main thread',
    `${minuteOf(at)}, ${machine.processor}, Node ${machine.node}; load average after the run ${machine.load}. \`npm run bench:apply\`: entries of 200 records through the functions that a replica calls, one stage after another, in one process; microseconds of CPU a command, garbage collection with it, neither disk nor sockets. Every replica decodes and applies; the one that leads checks and answers too.`,
    tableOf(head, cells),
  ];
}

function assertionSection({ rows, machine, at, count, loads }: AssertionRun): readonly string[] {
  const cells = rows.map(({ what, cpuUs, ratio, chance }) => [
    what,
    ...[cpuUs.toFixed(2), ratio.toFixed(3), chance.toFixed(3)],
  ]);
  return [
    '## Assertions',
    `${minuteOf(at)}, ${machine.processor}, Node ${machine.node}; load average after the run ${machine.load}. \`npm run bench:assertions\`: ${count} assertions taken out of the compiled sources, ${loads} times three new processes, one that asserts and two that do not, asked for rounds in turns.`,
    tableOf(['', 'CPU µs with', 'with to without', 'without to without'], cells),
  ];
}

function simulatorSection({ rows, machine, at, seeds }: SimulatorRun): readonly string[] {
  const cells = rows.map((row) => [
    row.what,
    count(row.simulatedToCpu),
    row.eventUs.toFixed(1),
    ...[row.eventsASecond, row.operationsASecond].map(count),
  ]);
  return [
    '## Simulated time',
    `${minuteOf(at)}, ${machine.processor}, Node ${machine.node}; load average after the run ${machine.load}. \`npm run bench:simulator\`: ${seeds} seeds in worlds of three replicas, from which faults, clients or both are left out, in one process that was warm. CPU time, the checkers and the collector of garbage with it.`,
    tableOf(
      [
        'what happens',
        'simulated to CPU time',
        'CPU µs an event',
        'events a simulated second',
        'operations',
      ],
      cells,
    ),
  ];
}

function stallSection({ rows, machine, at, alerts }: StallRun): readonly string[] {
  const head = [
    '',
    'ms',
    'CPU ms',
    'a turn: p99 ms',
    'p99.9',
    'longest',
    'above 5 ms',
    'with the collector',
  ];
  const cells = rows.map((row) => [
    row.what,
    ...[row.wallMs, row.cpuMs, row.p99Ms, row.p999Ms, row.longestMs, row.long].map(count),
    count(row.longCollected),
    ...[row.collectingMs, row.longestCollectingMs, row.residentMiB].map(count),
  ]);
  return [
    '## What holds the loop',
    `${minuteOf(at)}, ${machine.processor}, Node ${machine.node}; load average after the run ${machine.load}. \`npm run bench:stalls -- ${alerts}\`: one replica with its disk and its clients in one process. Turns of the loop by how long the thread ran in them, without waits for a core or for other threads, and the collector of garbage told apart: what it ran in steps of marking too, as V8 traces it.`,
    tableOf([...head, 'garbage ms', 'longest', 'MiB'], cells),
  ];
}

function compressionSection({ at, rows }: CompressionRun): readonly string[] {
  const cells = rows.map(({ signal, samples, ours, gzip, gzipCsv }) => [
    signal,
    count(samples),
    ...[ours, gzip, gzipCsv].map((bytes) => bytes.toFixed(2)),
  ]);
  return [
    '## Bytes a sample on disk',
    `${at.slice(0, 10)}: recorded signals in chunks of a minute, each decoded again and compared; gzip -9 of the same chunks as binary columns (eight bytes of time, eight of value), and of whole columns as CSV.`,
    tableOf(['signal', 'samples', 'ours', 'gzip', 'gzip of CSV'], cells),
  ];
}

/** The page and the plots it shows, by path; nothing where nothing was measured. */
export function benchmarkPages(printed: string): ReadonlyMap<string, string> {
  const pages = new Map<string, string>();
  const [cluster, peers] = [runOf('cluster'), runOf('peers')];
  const parts = [
    '# Benchmarks',
    printed,
    'Everything ran on one machine: all replicas and the load. Rates and times belong to that machine at that hour; the ratios within a run are what carries over. [performance.md](performance.md) says where the time goes.',
  ];
  const trendRun = (name: string): TrendRun | undefined => read(name) as TrendRun | undefined;
  const [million, trends, ingest] = [runOf('million'), trendRun('trends'), trendRun('ingest')];
  parts.push(
    '## What is to be reached',
    'From the runs below. [performance.md](performance.md) says of most goals that are missed where the time goes.',
    // A full run of the cluster has those with a million alerts too.
    tableOf(GOALS_HEAD, goalCells({ cluster, million: million ?? cluster, peers, trends, ingest })),
    'What stands beside etcd is of the run under *Beside others*, which may be of another hour and another build than the row.',
  );
  if (cluster !== undefined) {
    pages.set('docs/plots/cluster.svg', bars('commands and reads a second', cluster.rows));
    parts.push('## Three replicas, sync on', machineLines(cluster));
    parts.push(tableOf(HEAD, cluster.rows.map(rowCells)), '![rates](plots/cluster.svg)');
    if (cluster.rows.some(({ workload }) => workload.startsWith('stages-')))
      parts.push(
        'Stages of the leader, by its own account, p50 each; the last column is against one bare sync and one bare round trip of this machine:',
        stageTable(cluster),
      );
  }
  if (peers !== undefined) {
    pages.set('docs/plots/peers.svg', bars('the same work, a second', peers.rows));
    parts.push('## Beside others', machineLines(peers));
    parts.push(tableOf(HEAD, peers.rows.map(rowCells)));
    parts.push('Ours against theirs, in this run:', ratioTable(peers), '![rates](plots/peers.svg)');
  }
  if (million !== undefined)
    parts.push(
      '## With a million alerts',
      machineLines(million),
      tableOf(HEAD, million.rows.map(rowCells)),
    );
  if (trends !== undefined)
    parts.push(...trendSection(trends, 'judged and kept by three replicas'));
  if (ingest !== undefined) parts.push(...trendSection(ingest, 'as many as one replica takes'));
  const compression = read('compression');
  if (compression !== undefined) parts.push(...compressionSection(compression as CompressionRun));
  const [apply, assertions] = [read('apply'), read('assertions')];
  if (apply !== undefined) parts.push(...applySection(apply as ApplyRun));
  if (assertions !== undefined) parts.push(...assertionSection(assertions as AssertionRun));
  const [simulator, stalls] = [read('simulator'), read('stalls')];
  if (simulator !== undefined) parts.push(...simulatorSection(simulator as SimulatorRun));
  if (stalls !== undefined) parts.push(...stallSection(stalls as StallRun));
  if (pages.size > 0) pages.set('docs/benchmarks.md', `${parts.join('\n\n')}\n`);
  return pages;
}
