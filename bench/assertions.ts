import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CostAnswer, CostQuestion } from './measure/assertion-cost.ts';
import { measureMachine } from './measure/machine.ts';
import { type AssertionRow, writeRun } from './measure/results.ts';

/**
 * What the assertions that stay on in production cost: `npm run bench:assertions`. Three cores agree on entries, and a
 * machine of alerts applies commands: in a process that asserts, in one with every `assert` and `must` taken out of the
 * compiled sources, and in a second one of that kind, to know how much of what is seen is chance. They are asked for short
 * rounds in turns, so that whatever else the computer does hits all alike.
 */

/** How well the compiler does is partly luck: so often it begins anew, with three new processes. */
const LOADS = 20;
const WARM_UPS = 6;
const ROUNDS = 7;
const PARTS = ['base', 'raft', 'statemachine'];
const SOURCES = join(import.meta.dirname, '..', 'src');
const SUBJECT = join(import.meta.dirname, 'measure', 'assertion-cost.js');
const QUESTIONS: Readonly<Record<CostQuestion, string>> = {
  entry: 'an entry agreed on by three cores',
  command: 'a command applied',
};

function copied(folder: string): string {
  for (const part of PARTS) cpSync(join(SOURCES, part), join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return folder;
}

/** Removes all assertions from compiled sources, messages with them. Answers how many. */
function strip(folder: string): number {
  let count = 0;
  for (const part of PARTS)
    for (const name of readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.js') || name === 'assert.js') continue;
      const path = join(folder, part, name);
      const stripped = silenced(readFileSync(path, 'utf8'));
      writeFileSync(path, stripped.text);
      count += stripped.count;
    }
  return count;
}

/** Statements that assert go; of a `must` its first argument stays. */
function silenced(text: string): { text: string; count: number } {
  const calls = /\b(?:assert|assertWhole|must)\(/;
  let count = 0;
  let silent = text.replace(/(?<=^\s*)assert(?:Whole)?\([\s\S]*?\);$/gm, () => {
    count += 1;
    return ';';
  });
  for (let found = calls.exec(silent); found !== null; found = calls.exec(silent)) {
    if (found[0] !== 'must(') throw new Error(`an assertion that is no statement: ${found.input}`);
    const { comma, end } = argumentsFrom(silent, found.index + 'must'.length);
    const there = silent.slice(found.index + 'must'.length, comma);
    silent = silent.slice(0, found.index) + there + silent.slice(end);
    count += 1;
  }
  return { text: silent, count };
}

/** Where the first argument of a call ends, and where the closing bracket stands. */
function argumentsFrom(text: string, open: number): { comma: number; end: number } {
  let depth = 0;
  let comma = -1;
  for (let end = open; end < text.length; end += 1) {
    const sign = text[end] as string;
    if ('([{'.includes(sign)) depth += 1;
    else if (sign === ',' && depth === 1 && comma < 0) comma = end;
    else if (')]}'.includes(sign)) depth -= 1;
    if (depth === 0) return { comma, end };
  }
  throw new Error('a bracket is never closed');
}

async function ask(subject: ChildProcess, question: CostQuestion): Promise<CostAnswer> {
  subject.send(question);
  const [answer] = (await once(subject, 'message')) as [CostAnswer];
  return answer;
}

/** The least of some rounds of each, in turns: whatever else the computer does only ever adds. */
async function leastOf(
  subjects: readonly ChildProcess[],
  question: CostQuestion,
): Promise<readonly number[]> {
  const least = subjects.map(() => Number.POSITIVE_INFINITY);
  for (let round = -WARM_UPS; round < ROUNDS; round += 1)
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const at = (turn + round + WARM_UPS) % subjects.length;
      const answer = await ask(subjects[at] as ChildProcess, question);
      if (round >= 0) least[at] = Math.min(least[at] as number, answer);
    }
  return least;
}

/** The mean of the middle half: what was lucky or unlucky counts for nothing. */
function middleOf(values: readonly number[]): number {
  const quarter = Math.floor(values.length / 4);
  const half = values.toSorted((a, b) => a - b).slice(quarter, values.length - quarter);
  return half.reduce((sum, value) => sum + value, 0) / half.length;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/** `loads` holds what each cost in the process that asserts, and in the two that do not. */
function rowOf(question: CostQuestion, loads: readonly (readonly number[])[]): AssertionRow {
  const column = (at: number): readonly number[] => loads.map((costs) => costs[at] as number);
  const [asserting, silent, again] = [column(0), column(1), column(2)];
  return {
    what: QUESTIONS[question],
    cpuUs: rounded(middleOf(asserting)),
    ratio: rounded(middleOf(asserting) / middleOf([...silent, ...again])),
    chance: rounded(middleOf(again) / middleOf(silent)),
  };
}

async function measure(sources: readonly string[]): Promise<readonly AssertionRow[]> {
  const costs = { entry: [] as (readonly number[])[], command: [] as (readonly number[])[] };
  for (let times = 0; times < LOADS; times += 1) {
    const subjects = sources.map((source) => fork(SUBJECT, [source]));
    try {
      costs.entry.push(await leastOf(subjects, 'entry'));
      costs.command.push(await leastOf(subjects, 'command'));
    } finally {
      for (const subject of subjects) subject.kill();
    }
  }
  return [rowOf('entry', costs.entry), rowOf('command', costs.command)];
}

const folder = mkdtempSync(join(tmpdir(), 'tocsin-assertions-'));
try {
  const asserting = copied(join(folder, 'with'));
  const silent = copied(join(folder, 'without'));
  const count = strip(silent);
  const rows = await measure([asserting, silent, silent]);
  console.log(`${count} assertions taken out of ${PARTS.map((part) => `src/${part}`).join(', ')}`);
  for (const { what, cpuUs, ratio, chance } of rows)
    console.log(
      `${what}: ${cpuUs} µs of CPU with assertions; with to without: ${ratio}; without to without: ${chance}`,
    );
  const at = new Date().toISOString();
  const machine = await measureMachine();
  const run = { bench: 'assertions', at, machine, count, loads: LOADS, rows } as const;
  await writeRun(join('bench', 'results', 'assertions.json'), run);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
