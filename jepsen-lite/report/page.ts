import { isWrite, type Operation } from '../../src/testing/checkers/history.ts';
import { TIMEOUT_MS } from '../callers.ts';
import type { Run } from '../run.ts';
import type { Timing } from '../workloads/workload.ts';
import { type Anomaly, Evidence } from './anomalies.ts';
import { escaped, RED, secondsOf } from './axes.ts';
import { faultLanes, ROLES, replicaLanes } from './lanes.ts';
import {
  COLOURS,
  type Dot,
  type DotKind,
  latencyPlot,
  type Scene,
  throughputPlot,
} from './plots.ts';
import { STYLE } from './style.ts';

/** The whole report as one page that needs nothing else. */
export function pageOf(run: Run): string {
  const { options, verdict, history, spans, stretches } = run;
  const evidence = new Evidence(run);
  const { marks, anomalies } = evidence;
  const timings = [...history.operations.map(timingOf), ...run.timings];
  const dots = timings.map(dotOf).sort((a, b) => a.at - b.at);
  const endMs = Math.max(1_000, run.seconds * 1_000);
  const scene: Scene = { dots, spans, marks, endMs };
  const parts = [
    `<h1>Tocsin under faults</h1>`,
    `<p class="lead"><span class="verdict ${verdict}">${verdict}</span> ${sentenceOf(run)}</p>`,
    problemsOf(run, anomalies),
    section('Faults', `What was broken, and which replicas it was about. ${HINT}`),
    spans.length === 0 ? '<p class="none">None.</p>' : plot(faultLanes(spans, marks, endMs)),
    section('Replicas', keyOf(roleKeys())),
    plot(replicaLanes(stretches, spans, marks, endMs)),
    section('Latency of each operation, by when it ended', keyOf(kindKeys(marks.length > 0))),
    plot(latencyPlot(scene)),
    section('Operations a second', ''),
    plot(throughputPlot(scene)),
    `<div class="columns">${tablesOf(run)}</div>`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>tocsin: ${verdict}, seed ${options.seed}</title><style>${STYLE}</style></head><body>
${parts.join('\n')}
</body></html>
`;
}

const HINT = 'Point at anything to read more.';
const section = (title: string, says: string): string =>
  `<h2>${title}</h2><p class="key">${says}</p>`;
const plot = (drawing: string): string => `<div class="plot">${drawing}</div>`;

const MEANS = {
  valid: 'Every check passed.',
  INVALID: 'Something happened that must not.',
  VOID: 'Nothing wrong was seen, but too little was proven.',
} as const;

function sentenceOf({ verdict, counts, faults, seconds, checks, options }: Run): string {
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const on = options.attach.length === 0 ? `${options.replicas} replicas` : 'an attached cluster';
  return `${MEANS[verdict]} In ${seconds.toFixed(0)} s on ${on}, under ${struck} faults, ${counts.done} commands were acknowledged and ${checks.operations} operations checked.`;
}

function dotOf({ call, end, kind }: Timing): Dot {
  const took = end === Number.POSITIVE_INFINITY ? TIMEOUT_MS : end - call;
  return { at: call + took, took, kind };
}

const timingOf = (operation: Operation): Timing => {
  const { call, end } = operation;
  return { call, end, kind: kindOf(operation) };
};

function kindOf(operation: Operation): Timing['kind'] {
  if (!isWrite(operation)) return operation.answer === undefined ? 'none' : 'read';
  const { type } = operation.outcome;
  return type === 'done' ? 'write' : type;
}

/** What is wrong: by the replicas themselves, and rule by rule with what happened around the first case. */
function problemsOf({ why, checks }: Run, anomalies: readonly Anomaly[]): string {
  if (why.length === 0) return '';
  const found = new Set(checks.findings.map(({ rule, says }) => `${rule}: ${says}`));
  const others = why.filter((line) => !found.has(line));
  const list = others.map((line) => `<li><pre>${escaped(line)}</pre></li>`).join('');
  return `<h2>What is wrong</h2>${list === '' ? '' : `<ul>${list}</ul>`}${anomalies.map(anomalyOf).join('')}`;
}

function anomalyOf({ rule, means, says, more, around }: Anomaly): string {
  const list = says.map((line) => `<li><code>${escaped(line)}</code></li>`).join('');
  const rest = more === 0 ? '' : `<li>and ${more} more</li>`;
  return `<div class="anomaly"><h3>${escaped(means)} <code>${rule}</code></h3><ul>${list}${rest}</ul>${surroundings(around)}</div>`;
}

function surroundings(around: Anomaly['around']): string {
  if (around.length === 0) return '';
  const lines = around.map(
    ({ at, who, what, told, isNamed }) =>
      `<tr${isNamed ? ' class="named"' : ''}><td>${(at / 1_000).toFixed(3)} s</td><td>${escaped(who)}</td><td>${escaped(what)}</td><td>${escaped(told)}</td></tr>`,
  );
  return `<details open><summary>What happened around the first one, to the same condition</summary><table><tr><th>called, or seen</th><th>who</th><th>what</th><th>told</th></tr>${lines.join('')}</table></details>`;
}

interface Key {
  readonly colour: string;
  readonly says: string;
}

const keyOf = (keys: readonly Key[]): string =>
  keys
    .map(({ colour, says }) => `<span><i style="background:${colour}"></i>${says}</span>`)
    .join('');

const roleKeys = (): readonly Key[] => [
  ...Object.values(ROLES),
  { colour: '#e08a2e', says: 'a fault is about it' },
];

const KINDS: Readonly<Record<DotKind, string>> = {
  write: 'command done',
  read: 'read answered',
  refused: 'refused',
  none: 'failed, nothing written',
  unknown: 'nobody knows',
};

const kindKeys = (isMarked: boolean): readonly Key[] => [
  ...Object.entries(KINDS).map(([kind, says]) => ({ colour: COLOURS[kind as DotKind], says })),
  { colour: '#f6d9b8', says: 'a fault is under way' },
  ...(isMarked ? [{ colour: RED, says: 'red lines: something is wrong' }] : []),
];

/** Tables of figures, each with a title; those without figures are left out. */
function tablesOf(run: Run): string {
  const { options, checks, counts, codes, faults, leftOut, figures, folder, commit } = run;
  const { attach, nemeses, rate } = options;
  const load = {
    seconds: options.seconds,
    workload: options.workload,
    callers: options.clients,
    'rate asked for': `${rate}/s`,
    replicas: attach.length === 0 ? options.replicas : attach.join(', '),
    nemeses: nemeses.join(', ') || 'none',
    seed: options.seed,
    commit,
    folder,
  };
  const told = {
    done: counts.done,
    refused: counts.refused,
    'nothing written': counts.none,
    'nobody knows': counts.unknown,
    'reads answered': counts.reads,
    'reads failed': counts.readsFailed,
  };
  const checked = {
    operations: checks.operations,
    events: checks.events,
    'watch messages': checks.watchMessages,
    'conditions searched for an order': checks.conditions,
    'conditions not decided': checks.unknown,
    findings: checks.findings.length,
  };
  return [
    table('Load', load),
    table('What callers were told', told),
    table('Told instead of an answer', codes),
    table('Checked', checked),
    ...Object.entries(figures).map(([name, each]) => table(`Work: ${name}`, each)),
    table('Faults', faults),
    table('Left out', leftOut),
    table('Replicas', {
      'changes of leader seen': leadersOf(run),
      'run for': secondsOf(run.seconds * 1_000),
    }),
  ].join('');
}

function leadersOf({ stretches }: Run): number {
  const terms = new Set(stretches.filter(({ role }) => role === 'leader').map(({ term }) => term));
  return Math.max(0, terms.size - 1);
}

function table(title: string, cells: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(cells).map(
    ([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  );
  return lines.length === 0 ? '' : `<div><h2>${title}</h2><table>${lines.join('')}</table></div>`;
}
