import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureMachine } from './measure/machine.ts';
import { lineOf, writeRun } from './measure/results.ts';
import { commands } from './workloads/commands.ts';
import { failover } from './workloads/failover.ts';
import { growth } from './workloads/growth.ts';
import { million } from './workloads/million.ts';
import { mixed } from './workloads/mixed.ts';
import { reads } from './workloads/reads.ts';
import { scale } from './workloads/scale.ts';
import { type Row, Stage } from './workloads/stage.ts';
import { stages } from './workloads/stages.ts';
import { transfer } from './workloads/transfer.ts';
import { watch } from './workloads/watch.ts';

/**
 * npm run bench:cluster [-- --only NAME,… --seconds N --alerts N --out FILE]
 *
 * Three real replica processes with sync on, and this process as the load; everything on this machine. Compare figures
 * within one run, and with what the machine itself does, printed first.
 */

const ALL = 'commands,stages,reads,watch,mixed,growth,scale,failover,transfer,million';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: ALL },
    seconds: { type: 'string', default: '5' },
    alerts: { type: 'string', default: '1000000' },
    out: { type: 'string', default: join('bench', 'results', 'cluster.json') },
  },
});
const seconds = Number(values.seconds);
const rows: Row[] = [];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const told = (row: Row): void => {
  rows.push(row);
  say(lineOf(row));
};

async function onStage(
  run: (stage: Stage) => Promise<void>,
  flags: readonly string[] = [],
): Promise<void> {
  const stage = await Stage.open(3, seconds, { flags });
  try {
    await run(stage);
  } finally {
    await stage.close();
  }
}

const WORKLOADS: Readonly<Record<string, () => Promise<void>>> = {
  commands: () => onStage((stage) => commands(stage, told)),
  reads: () => onStage((stage) => reads(stage, told), ['--leases']),
  watch: () => onStage((stage) => watch(stage, told)),
  stages: () => stages(told, seconds),
  mixed: () => mixed(told, seconds),
  growth: () => onStage((stage) => growth(stage, told)),
  failover: () => onStage((stage) => failover(stage, told)),
  transfer: () => onStage((stage) => transfer(stage, told)),
  scale: () => scale(told, seconds),
  million: () => onStage((stage) => million(stage, told, Number(values.alerts))),
};

const machine = await measureMachine();
say(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load}`);
say(`sync p50 ${machine.syncMs.p50} ms, p99 ${machine.syncMs.p99} ms`);
say(`round trip p50 ${machine.roundTripMs.p50} ms, p99 ${machine.roundTripMs.p99} ms\n`);
for (const name of values.only.split(',')) {
  const workload = WORKLOADS[name];
  if (workload === undefined) throw new Error(`no workload ${name}: ${Object.keys(WORKLOADS)}`);
  await workload();
}
await writeRun(values.out, {
  bench: 'cluster',
  at: new Date().toISOString(),
  machine,
  seconds,
  rows,
});
say(`\nwritten to ${values.out}`);
