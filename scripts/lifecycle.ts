import { CARE_MOVES } from '../src/statemachine/alerts/care-transitions.ts';
import {
  ALARM_STATES,
  ISA_STATES,
  KIND_CODES,
  PHASES,
  PRIORITY_CODES,
} from '../src/statemachine/alerts/crosswalk.ts';
import {
  type Cell,
  CONDITION_MOVES,
  FROM_STATES,
  type From,
  type Move,
  TRANSITIONS,
} from '../src/statemachine/alerts/transitions.ts';
import { GUARDS } from './guards.ts';

/** docs/lifecycle.md: the table of transitions as the machine uses it, a diagram of it, and the words of other systems. */

const MOVES: readonly Move[] = [...CONDITION_MOVES, ...CARE_MOVES];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function told(cell: Cell): string {
  if (cell.does === 'nothing') return 'unchanged';
  if (cell.does === 'refuse') return cell.code;
  return `${cell.rule} ${cell.effect}: ${cell.to}${cell.annunciates ? ', new activation' : ''}`;
}

const rowsOf = (moves: readonly Move[]): string[][] =>
  moves.map((move) => [move, ...FROM_STATES.map((from) => told(TRANSITIONS[from][move]))]);

/** Each pair of states with the rules that lead from one to the other; those that stay are left out. */
function diagram(): string {
  const rules = new Map<string, Set<string>>();
  const note = (from: From, cell: Cell): void => {
    if (cell.does !== 'change' || cell.to === from) return;
    const key = `${from === 'NONE' ? '[*]' : from} --> ${cell.to}`;
    rules.set(key, (rules.get(key) ?? new Set()).add(`${cell.rule} ${cell.effect}`));
  };
  for (const from of FROM_STATES) for (const move of MOVES) note(from, TRANSITIONS[from][move]);
  const arrows = [...rules].map(([key, names]) => `    ${key}: ${[...names].join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...arrows, '```'].join('\n');
}

export function lifecyclePage(printed: string): string {
  const head = ['move', ...FROM_STATES];
  const states = FROM_STATES.filter((from) => from !== 'NONE');
  const words = (codes: Readonly<Record<string, string>>): string =>
    Object.entries(codes)
      .map(([word, code]) => `${word} ${code}`)
      .join(', ');
  return [
    '# The life of an alert',
    printed,
    'What each command, and time, does in each state. `NONE`: no occurrence of the condition is known. Rules T1 to T27 are those of ' +
      'the domain model; a cell that says *unchanged* is a command that finds done what it asks for. Guards that depend on more ' +
      'than the state (revisions, activations, caps, a second person) are checked before a cell is carried out.',
    '## The turns of a condition',
    table(head, rowsOf(CONDITION_MOVES)),
    '## What is done about it, by people and by time',
    '`lapse` (an acknowledgement that held for a time), `unanswered`, `notify` and `exhaust` (steps of an escalation policy), ' +
      '`lose` and `regain` (the source of an alert), `sound` (nothing keeps it from being heard any more) are brought by time, ' +
      'by a source or by what else happens, the others by commands.',
    table(head, rowsOf(CARE_MOVES)),
    '## What else is asked',
    'The guards of the domain model, and what is made of them. The first that fails is the reply, and every reply is replicated.',
    table(
      ['rules', 'the domain model asks', 'checked'],
      GUARDS.map(({ rules, asks, checked }) => [rules, asks, checked]),
    ),
    '## As a diagram',
    'Without what leaves the state as it is.',
    diagram(),
    '## In the words of other systems',
    table(
      ['state', 'IHE PCD-04 alarm state', 'ISA-18.2'],
      states.map((state) => [state, ALARM_STATES[state], ISA_STATES[state]]),
    ),
    table(
      ['event', 'IHE PCD-04 phase while the alert stays open'],
      Object.entries(PHASES).map(([effect, phase]) => [effect, phase]),
    ),
    'An event that ends an alert is `end`; one that ends a latched alert by acknowledging it is `reset`. ' +
      `Priorities: ${words(PRIORITY_CODES)}. Types: ${words(KIND_CODES)}.`,
  ].join('\n\n');
}
