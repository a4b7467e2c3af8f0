import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type History, isWrite, type Operation } from '../src/testing/checkers/history.ts';
import { COLOURS, type Dot, type DotKind, latencyPlot, throughputPlot } from './plot.ts';
import type { Run } from './run.ts';

/** Writes what a run leaves behind: history.jsonl, verdict.json and report.html, beside the replicas' own logs. */
export async function writeReport(run: Run): Promise<void> {
  const { history, ...rest } = run;
  await writeHistory(join(run.folder, 'history.jsonl'), history);
  await writeFile(join(run.folder, 'verdict.json'), `${JSON.stringify(rest, null, 2)}\n`);
  await writeFile(join(run.folder, 'report.html'), pageOf(run));
}

async function writeHistory(path: string, history: History): Promise<void> {
  const stream = createWriteStream(path);
  const write = async (line: object): Promise<void> => {
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, 'drain');
  };
  for (const operation of history.operations) await write({ operation });
  for (const event of history.events) await write({ event });
  for (const watch of history.watches) await write({ watch });
  stream.end();
  await once(stream, 'close');
}

function dotOf(operation: Operation): Dot {
  const isOpen = operation.end === Number.POSITIVE_INFINITY;
  const took = isOpen ? 3_000 : operation.end - operation.call;
  return { at: operation.call + took, took, kind: kindOf(operation) };
}

function kindOf(operation: Operation): DotKind {
  if (!isWrite(operation)) return operation.answer === undefined ? 'none' : 'read';
  const { type } = operation.outcome;
  return type === 'done' ? 'write' : type;
}

/** When the operations ran that a finding names. */
function anomaliesOf({ checks, history }: Run): number[] {
  const calls = new Map(
    history.operations.flatMap((each) => (isWrite(each) ? [[each.id, each.call] as const] : [])),
  );
  return checks.findings.flatMap(({ says }) => {
    const named = says.match(/c\d+\.\d+/g) ?? [];
    return named.flatMap((id) => calls.get(id) ?? []);
  });
}

const escaped = (text: unknown): string =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const rows = (cells: Readonly<Record<string, unknown>>): string =>
  Object.entries(cells)
    .map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`)
    .join('');

const STYLE = `
  :root { color-scheme: light; font: 15px/1.45 system-ui, sans-serif; color: #1d2430; background: #fbfbfc; }
  body { max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  .verdict { display: inline-block; padding: .25rem .9rem; border-radius: 999px; font-weight: 650; color: #fff; }
  .valid { background: #2d8a4e; } .INVALID { background: #cc3340; } .VOID { background: #8a6d1b; }
  .plot { background: #fff; border: 1px solid #e2e5ea; border-radius: 10px; padding: .6rem; }
  .tick { font: 11px system-ui, sans-serif; fill: #66707f; } .fault { font: 9px system-ui, sans-serif; fill: #b4631a; }
  table { border-collapse: collapse; } th, td { text-align: left; padding: .18rem .9rem .18rem 0; vertical-align: top; }
  th { font-weight: 550; color: #566; white-space: nowrap; } td { font-variant-numeric: tabular-nums; }
  .columns { display: flex; flex-wrap: wrap; gap: 3rem; } .key span { margin-right: 1.2rem; white-space: nowrap; }
  .key i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .35rem; }
  li { margin: .15rem 0; } code { font-size: .92em; }
`;

const KEY: Readonly<Record<DotKind, string>> = {
  write: 'command done',
  read: 'read answered',
  refused: 'refused',
  none: 'failed, nothing written',
  unknown: 'outcome unknown',
};

function pageOf(run: Run): string {
  const { options, verdict, why, checks, counts, faults, spans, history, folder, commit } = run;
  const dots = history.operations.map(dotOf).sort((a, b) => a.at - b.at);
  const endMs = Math.max(1_000, ...dots.map(({ at }) => at).slice(-1), run.seconds * 1_000);
  const { seconds, nemeses, workload, clients, rate, replicas, seed } = options;
  const load = {
    seconds,
    workload,
    clients,
    'rate asked for': `${rate}/s`,
    replicas: options.attach.length === 0 ? replicas : options.attach.join(', '),
    nemeses: nemeses.join(', ') || 'none',
    seed,
    commit,
    folder,
  };
  const checked = {
    operations: checks.operations,
    events: checks.events,
    'watch messages': checks.watchMessages,
    'conditions searched for an order': checks.conditions,
    'conditions not decided': checks.unknown,
    findings: checks.findings.length,
  };
  const told = {
    done: counts.done,
    refused: counts.refused,
    'nothing written': counts.none,
    'outcome unknown': counts.unknown,
    'reads answered': counts.reads,
    'reads failed': counts.readsFailed,
  };
  const key = Object.entries(KEY)
    .map(
      ([kind, says]) =>
        `<span><i style="background:${COLOURS[kind as DotKind]}"></i>${says}</span>`,
    )
    .join('');
  const problems =
    why.length === 0
      ? ''
      : `<h2>Why</h2><ul>${why.map((line) => `<li><code>${escaped(line)}</code></li>`).join('')}</ul>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tocsin: ${verdict}, seed ${seed}</title><style>${STYLE}</style></head><body>
<h1>Tocsin under faults</h1>
<p><span class="verdict ${verdict}">${verdict}</span> &nbsp; ${counts.done} commands acknowledged, ${Object.values(faults).reduce((sum, count) => sum + count, 0)} faults, in ${run.seconds.toFixed(0)} s</p>
${problems}
<h2>Latency of each operation</h2>
<p class="key">${key}<span><i style="background:#f0a04b55"></i>a fault is under way</span></p>
<div class="plot">${latencyPlot(dots, spans, endMs, anomaliesOf(run))}</div>
<h2>Operations a second</h2>
<div class="plot">${throughputPlot(dots, spans, endMs)}</div>
<div class="columns">
<div><h2>Load</h2><table>${rows(load)}</table></div>
<div><h2>What callers were told</h2><table>${rows(told)}</table></div>
<div><h2>Checked</h2><table>${rows(checked)}</table></div>
<div><h2>Faults</h2><table>${rows(faults)}</table></div>
</div>
</body></html>
`;
}
