import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/**
 * npm run proof [-- --run MINUTES]
 *
 * With --run: first simulates fresh seeds for so many minutes, on all processors, searches every world, and runs the
 * checkers in full; what comes of it is added to docs/data/proof, and takes the place there of the last search and the last
 * run of the checkers. What fails adds nothing, and ends with status 1. Search and checkers take some minutes more.
 *
 * With --check: prints nothing, and ends with status 1 if the page is not what would be printed.
 *
 * Prints docs/proof.md from what runs have left in docs/data/proof: `sim*.json` of `npm run sim -- --json`, `jepsen*.json`
 * of `npm run jepsen -- --json`, and `checkers.json`. Only what was really run stands there.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}docs/data/proof/`;
const read = (prefix) =>
  readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(folder + name, 'utf8')));

const at = process.argv.indexOf('--run');
if (at >= 0) await runAll(Number(process.argv[at + 1]));

/** @throws Error when one of them fails */
async function runAll(minutes) {
  if (!(minutes > 0)) throw new Error('--run wants the minutes that seeds are simulated for');
  const main = `${root}dist/src/testing/sim/main.js`;
  const count = availableParallelism();
  const stamp = Math.floor(Date.now() / 1_000);
  const seeds = Array.from({ length: count }, (_, place) => [
    ...[main, '--json', '--minutes', String(minutes)],
    ...['--from', String(stamp * 1_000 + place), '--stride', String(count)],
  ]);
  const runs = await Promise.all(seeds.map((args) => output(args)));
  for (const [place, text] of runs.entries())
    writeFileSync(`${folder}sim-${stamp}-${place + 1}.json`, text);
  writeFileSync(`${folder}search.json`, await output([main, '--json', '--exhaustive']));
  const figures = `${folder}.checkers.json`;
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  try {
    await output([vitest, 'run', 'test/testing/checkers'], { FULL: '1', FIGURES: figures });
    renameSync(figures, `${folder}checkers.json`);
  } finally {
    rmSync(figures, { force: true });
  }
}

/** What a program of Node prints; what it complains of is seen. @throws Error when it fails */
function output(args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${args.join(' ')} ended with status ${code}:\n${text}`));
    });
  });
}

const number = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const sum = (items, pick) => items.reduce((total, item) => total + pick(item), 0);
const sumByName = (items) => {
  const sums = {};
  for (const item of items)
    for (const [name, count] of Object.entries(item.faults)) sums[name] = (sums[name] ?? 0) + count;
  return Object.entries(sums).sort(([, a], [, b]) => b - a);
};
const faultTable = (items) =>
  table(
    ['fault', 'times'],
    sumByName(items).map(([name, count]) => [`\`${name}\``, number(count)]),
  );

/** Every world, and how far it was searched. */
function searchPart({ worlds, coreSeconds }) {
  const rows = worlds.map(({ world, states, transitions, depth, exhausted, broken }) => [
    `\`${world}\``,
    number(states),
    number(transitions),
    exhausted ? 'all there are' : `all up to ${depth} actions away`,
    broken === undefined ? 'none' : broken.why,
  ]);
  return `## Everything that can happen to a few cores (\`npm run sim -- --exhaustive\`)

${table(['from', 'states', 'actions tried', 'which states', 'promises broken'], rows)}

In ${number(coreSeconds)} s of one core.

`;
}

const sims = read('sim');
const jepsens = read('jepsen');
const [checkers] = read('checkers');
const [searched] = read('search');
const total = (name) => sum(sims, (run) => run[name]);
const pairs = new Set(sims.flatMap((run) => run.pairs));
const kinds = sumByName(sims).length;

const page = `# The proof in figures

<!-- Printed by \`npm run proof\` from docs/data/proof. Run something and print again; do not change this text. -->

What has been run, and what came of it. Nothing here is a promise of more than that.

## Simulated clusters (\`npm run sim\`)

${table(
  ['what', 'figure'],
  [
    ['seeds', number(total('seeds'))],
    ['failed', number(total('failed'))],
    ['simulated hours', number(total('virtualMs') / 3_600_000)],
    [
      'simulated time to real time, one process among others on a busy machine',
      `${number(total('virtualMs') / 1_000 / total('seconds'))} : 1`,
    ],
    ['events', number(total('steps'))],
    ['states held against the invariants', number(total('checks'))],
    ['operations checked', number(total('operations'))],
    ['commands acknowledged', number(total('acknowledged'))],
    ['watch messages checked', number(total('watchMessages'))],
    ['conditions whose order could not be decided', number(total('undecided'))],
    ['faults', number(sum(sumByName(sims), ([, count]) => count))],
    ['pairs of kinds of faults met', `${pairs.size} of ${(kinds * (kinds - 1)) / 2}`],
  ],
)}

${faultTable(sims)}

${searched === undefined ? '' : searchPart(searched)}## Real processes (\`npm run jepsen\`)

${table(
  ['commit', 'seconds', 'replicas', 'workload', 'acknowledged', 'operations checked', 'verdict'],
  jepsens.map((run) => [
    run.commit,
    number(run.seconds),
    run.options.replicas,
    run.options.workload,
    number(run.counts.done),
    number(run.checks.operations),
    run.verdict,
  ]),
)}

${faultTable(jepsens)}

## The checkers (\`npm run test:checkers\`)

${table(
  ['what', 'figure'],
  [
    ['good histories without an alarm', number(checkers.good)],
    [
      'histories made bad, and caught',
      `${number(checkers.bad)} in each of ${checkers.mutators} ways`,
    ],
    [
      'operations put in order in one history',
      `${number(checkers.ordered)} in ${number(checkers.orderedSeconds)} s, on a machine busy with other work`,
    ],
  ],
)}
`;
const path = `${root}docs/proof.md`;
if (!process.argv.includes('--check')) writeFileSync(path, page);
else if (readFileSync(path, 'utf8') !== page) {
  console.error('docs/proof.md is not what docs/data/proof gives; print it again: npm run proof');
  process.exitCode = 1;
}
