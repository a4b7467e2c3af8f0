import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * npm run proof
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

const sims = read('sim');
const jepsens = read('jepsen');
const [checkers] = read('checkers');
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

## Real processes (\`npm run jepsen\`)

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
writeFileSync(`${root}docs/proof.md`, page);
