import type { Delay } from '../../src/testing/checkers/escalation-once.ts';
import type { Seen } from './workload.ts';

/**
 * How late steps were, for people: in all, and without the time in which something was broken, which is what the cluster takes
 * to find a leader again and to go on.
 */
export function latenessOf(
  delays: readonly Delay[],
  spans: Seen['spans'],
): Readonly<Record<string, string>> {
  const late = sorted(delays.map(({ lateMs }) => lateMs));
  // Who was told the soonest was told at once: the news may be late too.
  const ahead = delays.reduce(
    (least, { time, seenAt }) => Math.min(least, seenAt - time),
    Number.POSITIVE_INFINITY,
  );
  const unbroken = sorted(
    delays.map(({ lateMs, time }) => lateMs - brokenIn(spans, time + ahead - lateMs, time + ahead)),
  );
  return {
    'late, median': at(late, 0.5),
    'late, 99 %': at(late, 0.99),
    'late, most': at(late, 1),
    'without faults, 99 %': at(unbroken, 0.99),
    'without faults, most': at(unbroken, 1),
  };
}

const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

const at = (rising: readonly number[], share: number): string =>
  `${Math.round(rising[Math.min(rising.length - 1, Math.floor(rising.length * share))] ?? 0)} ms`;

/** How long between these two moments something was broken, whatever it was. */
function brokenIn(spans: Seen['spans'], from: number, to: number): number {
  let broken = 0;
  let until = from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const begins = Math.max(span.from, until);
    const ends = Math.min(span.to, to);
    if (ends <= begins) continue;
    broken += ends - begins;
    until = ends;
  }
  return broken;
}
