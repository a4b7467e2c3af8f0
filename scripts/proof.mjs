import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/**
 * npm run proof [-- --run MINUTES]
 *
 * With --run: first simulates fresh seeds for so many minutes, on all processors, then searches every world and runs the
 * checkers in full, side by side; what comes of it takes the place in docs/data/proof of all that earlier runs of these have
 * left there; real processes keep theirs. What fails, or is broken off, ends with another status than 0 and leaves all figures and the
 * page as they were. Search and checkers take some minutes more; what goes on is told meanwhile.
 *
 * With --check: prints nothing, and ends with status 1 if the page is not what would be printed.
 *
 * Prints docs/proof.md from what runs have left in docs/data/proof: `sim*.json` of `npm run sim -- --json`, `jepsen*.json`
 * of `npm run jepsen -- --json`, and `checkers.json`. Only what was really run stands there.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}docs/data/proof/`;
/** As `npm run sim` has it: there is a process for each processor, and threads of its own to collect garbage only wait. */
const ONE_COLLECTOR = '--single-threaded-gc';
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
    ...[ONE_COLLECTOR, main, '--json', '--minutes', String(minutes)],
    ...['--from', String(stamp * 1_000 + place), '--stride', String(count)],
  ]);
  const runs = await told(`simulating fresh seeds in ${count} processes, ${minutes} min`, () =>
    Promise.all(seeds.map((args) => output(args))),
  );
  const [search, checkers] = await Promise.all([
    told('searching every world', () => output([main, '--json', '--exhaustive'])),
    told('checking the checkers', checkCheckers),
  ]);
  const sims = runs.map((text, place) => [`sim-${stamp}-${place + 1}.json`, text]);
  keep(new Map([...sims, ['search.json', search], ['checkers.json', checkers]]));
}

/** All of it takes its place at once, when all of it is there. Whatever was run before goes last: nothing is ever lost. */
function keep(files) {
  const draft = (name) => `${folder}.${name}`;
  for (const [name, text] of files) writeFileSync(draft(name), text);
  for (const name of files.keys()) renameSync(draft(name), `${folder}${name}`);
  for (const name of readdirSync(folder))
    if (name.startsWith('sim') && !files.has(name)) rmSync(`${folder}${name}`);
}

/** Says what goes on, every half a minute that it does, and when it is done. */
async function told(what, work) {
  const began = performance.now();
  const say = (how) =>
    process.stderr.write(`${what}: ${how} ${Math.round((performance.now() - began) / 1_000)} s\n`);
  process.stderr.write(`${what} …\n`);
  const timer = setInterval(say, 30_000, 'still, after');
  try {
    const result = await work();
    say('done in');
    return result;
  } finally {
    clearInterval(timer);
  }
}

async function checkCheckers() {
  const figures = `${folder}.checkers.json`;
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  try {
    await output([vitest, 'run', 'test/testing/checkers'], { FULL: '1', FIGURES: figures });
    return readFileSync(figures, 'utf8');
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
const total = (name) => sum(sims, (run) => run[name] ?? 0);
const struck = (names) => sum(sims, ({ faults }) => sum(names, (name) => faults[name] ?? 0));
const found = (names) =>
  sum(sims, ({ findings = {} }) => sum(names, (name) => findings[name] ?? 0));
const KILLS = ['kill', 'kill-all'];
const CORRUPTIONS = [
  ...['disk-rot', 'disk-torn', 'disk-misdirected', 'disk-state', 'disk-forgets', 'disk-wiped'],
  'snapshot-rot',
];
// The first of them did not say what it took of a core it had for itself.
const coreSeconds = sum(sims, (run) => run.coreSeconds ?? run.seconds);
const HOURS_A_YEAR = 8_766;
const hours = total('virtualMs') / 3_600_000;
const pairs = new Set(sims.flatMap((run) => run.pairs));
const pairsMax = Math.max(...sims.map((run) => run.pairsMax ?? 0));

const page = `# The proof in figures

<!-- Printed by \`npm run proof\` from docs/data/proof. Run something and print again; do not change this text. -->

What has been run, and what came of it. Nothing here is a promise of more than that.

## Simulated clusters (\`npm run sim\`)

${table(
  ['what', 'figure'],
  [
    ['seeds', number(total('seeds'))],
    ['failed', number(total('failed'))],
    ['simulated', `${number(hours)} hours, ${(hours / HOURS_A_YEAR).toPrecision(2)} years`],
    [
      'simulated time to time of one core',
      `${number(total('virtualMs') / 1_000 / coreSeconds)} : 1`,
    ],
    ['events', number(total('steps'))],
    ['states held against the invariants', number(total('checks'))],
    ['operations checked', number(total('operations'))],
    ['commands acknowledged', number(total('acknowledged'))],
    ['acknowledged and lost', number(found(['lost']))],
    ['carried out or told twice', number(found(['exactly-once', 'escalated-once', 'watch-order']))],
    ['watch messages checked', number(total('watchMessages'))],
    ['samples of trends acknowledged', number(total('samples'))],
    ['unknown: conditions whose order could not be decided', number(total('undecided'))],
    ['processes killed, or all at once', number(struck(KILLS))],
    ['disks and snapshots damaged, wiped or put back', number(struck(CORRUPTIONS))],
    ['faults', number(sum(sumByName(sims), ([, count]) => count))],
    ['pairs of kinds of faults met', `${pairs.size} of ${pairsMax}`],
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
      `${number(checkers.ordered)} in ${number(checkers.orderedSeconds)} s of one core`,
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
