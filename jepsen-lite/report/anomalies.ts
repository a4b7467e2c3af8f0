import {
  type Finding,
  type Get,
  isWrite,
  type Operation,
  type SeenEvent,
  type Write,
  type WriteOutcome,
} from '../../src/testing/checkers/history.ts';
import { RULES, type Rule } from '../../src/testing/checkers/rules.ts';
import type { Run } from '../run.ts';
import type { Mark } from './axes.ts';

/** All findings of one rule. */
export interface Anomaly {
  readonly rule: Rule;
  readonly means: string;
  readonly says: readonly string[];
  /** Findings that are not shown. */
  readonly more: number;
  /** What happened to the condition that the first one is about, around it. */
  readonly around: readonly Moment[];
}

/** One line of what happened. */
export interface Moment {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly told: string;
  /** It is what the finding names. */
  readonly isNamed: boolean;
}

const SAYS_MAX = 5;
const AROUND_MAX = 16;

/** What is found where: operations by name, events by revision, both by condition. */
export class Evidence {
  readonly #run: Run;
  readonly #writes: ReadonlyMap<string, Write>;

  constructor(run: Run) {
    this.#run = run;
    const writes = run.history.operations.filter(isWrite);
    this.#writes = new Map(writes.map((write) => [write.id, write]));
  }

  get anomalies(): readonly Anomaly[] {
    const byRule = new Map<Rule, Finding[]>();
    for (const finding of this.#run.checks.findings)
      byRule.set(finding.rule, [...(byRule.get(finding.rule) ?? []), finding]);
    return [...byRule].map(([rule, findings]) => ({
      rule,
      means: RULES[rule],
      says: findings.slice(0, SAYS_MAX).map(({ says }) => says),
      more: Math.max(0, findings.length - SAYS_MAX),
      around: this.#around(findings[0]?.says ?? ''),
    }));
  }

  /** When each finding took place, as far as it says. */
  get marks(): readonly Mark[] {
    return this.#run.checks.findings.flatMap(({ rule, says }) => {
      const [at] = this.#momentsIn(says);
      return at === undefined ? [] : [{ at, title: `${rule}: ${says}` }];
    });
  }

  /** Operations first: they were there when the caller noticed. */
  #momentsIn(says: string): readonly number[] {
    const calls = namesIn(says).flatMap((name) => this.#writes.get(name)?.call ?? []);
    const seen = revisionsIn(says).flatMap((revision) => this.#seenAt(revision) ?? []);
    const key = this.#keyIn(says);
    const onKey = this.#run.history.operations.find((each) => keyOf(each) === key)?.call;
    return [...calls, ...seen, ...(onKey === undefined ? [] : [onKey])];
  }

  #seenAt(revision: number): number | undefined {
    return this.#run.seenAt[revision - (this.#run.history.base ?? 0) - 1];
  }

  #eventAt(revision: number): SeenEvent | undefined {
    return this.#run.history.events[revision - (this.#run.history.base ?? 0) - 1];
  }

  /** The condition that a finding is about. */
  #keyIn(says: string): string | undefined {
    const [name] = namesIn(says);
    const write = name === undefined ? undefined : this.#writes.get(name);
    if (write !== undefined) return write.key;
    const [named] = /\bj\d[\w-]*:[\w:.]+/.exec(says) ?? [];
    if (named !== undefined) return named;
    const [revision = -1] = revisionsIn(says);
    return this.#eventAt(revision)?.alert.key;
  }

  /** Operations on the condition of a finding, its events, and those that are named; the nearest ones, in order of time. */
  #around(says: string): readonly Moment[] {
    const key = this.#keyIn(says);
    if (key === undefined) return [];
    const names = namesIn(says);
    const named = new Set(revisionsIn(says));
    const operations = this.#run.history.operations
      .filter((each) => keyOf(each) === key)
      .map((each) => momentOf(each, names));
    const events = this.#run.history.events.flatMap((event, at) =>
      event.alert.key === key || named.has(event.revision)
        ? [this.#momentOfEvent(event, at, says)]
        : [],
    );
    const [center = 0] = this.#momentsIn(says);
    return [...operations, ...events]
      .sort((a, b) => Math.abs(a.at - center) - Math.abs(b.at - center))
      .slice(0, AROUND_MAX)
      .sort((a, b) => a.at - b.at);
  }

  #momentOfEvent({ revision, effect, actor, alert }: SeenEvent, at: number, says: string): Moment {
    return {
      at: this.#run.seenAt[at] ?? 0,
      who: 'the history',
      what: `revision ${revision}: ${effect} by ${actor}`,
      told: `${alert.id} ${alert.state}, activation ${alert.activation}, ${alert.priority}`,
      isNamed: revisionsIn(says).includes(revision),
    };
  }
}

const namesIn = (says: string): readonly string[] => says.match(/\bc\d+\.t?\d+\b/g) ?? [];

const revisionsIn = (says: string): readonly number[] =>
  [...says.matchAll(/\b(?:event|at|told|revision|progress|state) (\d+)/g)].map(([, digits]) =>
    Number(digits),
  );

const keyOf = (operation: Operation): string | undefined =>
  operation.kind === 'list' ? undefined : operation.key;

function momentOf(operation: Operation, names: readonly string[]): Moment {
  const { call: at, end, process } = operation;
  const took = end === Number.POSITIVE_INFINITY ? 'never answered' : `${(end - at).toFixed(1)} ms`;
  const who = `caller ${process}`;
  if (isWrite(operation)) {
    const { kind, id, expectedRevision, outcome } = operation;
    const guard = expectedRevision === undefined ? '' : `, expecting ${expectedRevision}`;
    const what = `${kind} ${id}${guard} (${took})`;
    return { at, who, what, told: outcomeOf(outcome), isNamed: names.includes(id) };
  }
  const what = `${operation.consistency} ${operation.kind} (${took})`;
  const told = operation.kind === 'get' ? answerOf(operation) : '';
  return { at, who, what, told, isNamed: false };
}

function outcomeOf(outcome: WriteOutcome): string {
  if (outcome.type === 'done')
    return `${outcome.effect}, revision ${outcome.revision}, ${outcome.state}`;
  if (outcome.type === 'refused') return `refused: ${outcome.code}`;
  return outcome.type === 'none' ? 'nothing was written' : 'nobody knows';
}

function answerOf({ answer }: Get): string {
  if (answer === undefined) return 'no answer';
  const { revision, value } = answer;
  const is =
    value === undefined
      ? 'nothing is open'
      : `${value.id} ${value.state}, revision ${value.revision}`;
  return `at ${revision}: ${is}`;
}
