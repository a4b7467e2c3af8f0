import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Revision, revision } from '../../src/base/ids.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { historyOf } from '../../src/statemachine/queries/alert-history.ts';
import { History } from '../../src/statemachine/queries/history.ts';
import { Past } from '../../src/statemachine/queries/past.ts';
import type { Alert, AlertEvent, AlertFilter, AlertId } from '../../src/statemachine/types.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { SMALL_LIMITS, story, write } from './stories.ts';

const filter: fc.Arbitrary<AlertFilter> = fc.constantFrom<AlertFilter>(
  {},
  { open: true },
  { open: false },
  { states: ['ACTIVE_ACK', 'RESOLVED'] },
  { unit: 'icu-1' },
);

interface Seen {
  readonly at: Revision;
  readonly alerts: readonly Alert[];
}

/** Plays a story; notes after each batch what a list would show. */
function played(
  steps: Parameters<typeof write>[0],
  narrow: AlertFilter,
  historyEventsMax: number,
): { machine: AlertMachine; history: History; seen: Seen[]; events: AlertEvent[] } {
  const limits = { ...SMALL_LIMITS, listScanMax: 3 };
  const machine = new AlertMachine(limits, packed());
  const history = new History(historyEventsMax);
  const events: AlertEvent[] = [];
  const seen: Seen[] = [];
  for (const batch of write(steps, new ReferenceModel(SMALL_LIMITS))) {
    const out: Applied = { replies: [], events: [] };
    machine.apply(batch, out);
    for (const event of out.events) history.push(event);
    events.push(...out.events);
    const all: Alert[] = [];
    for (let after: AlertId | undefined, isMore = true; isMore; isMore = after !== undefined) {
      const page = machine.list(narrow, after === undefined ? {} : { after });
      all.push(...page.alerts);
      after = page.next;
    }
    seen.push({ at: machine.revision, alerts: all });
  }
  return { machine, history, seen, events };
}

describe('a list of an earlier revision', () => {
  test('is what it was then, page by page, whatever has happened since', () => {
    fc.assert(
      fc.property(story, filter, fc.integer({ min: 1, max: 4 }), (steps, narrow, limit) => {
        const { machine, history, seen } = played(steps, narrow, 10_000);
        for (const { at, alerts } of seen) {
          const past = new Past(at);
          const found: Alert[] = [];
          for (
            let after: AlertId | undefined, isMore = true;
            isMore;
            isMore = after !== undefined
          ) {
            const options = after === undefined ? { limit } : { limit, after };
            const page = machine.listAt(past, history, narrow, options);
            expect(page.alerts.length).toBeLessThanOrEqual(limit);
            found.push(...page.alerts);
            after = page.next;
          }
          expect(found).toEqual(alerts);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('goes on while more happens, and is refused once the history has moved on', () => {
    const machine = new AlertMachine(SMALL_LIMITS);
    const history = new History(30);
    const steps = fc.sample(story, { numRuns: 10, seed: 3 }).flat();
    const past = new Past(revision(0));
    for (const batch of write(steps, new ReferenceModel(SMALL_LIMITS))) {
      const out: Applied = { replies: [], events: [] };
      machine.apply(batch, out);
      for (const event of out.events) history.push(event);
      // What was undone stays so, though the history forgets it.
      expect(machine.listAt(past, history, {}, {}).alerts).toEqual([]);
    }
    expect(history.oldest).toBeGreaterThan(1);
    expect(() => machine.listAt(new Past(revision(0)), history, {}, {})).toThrow(
      `the history begins at ${history.oldest}`,
    );
  });
});

describe('the history of an alert', () => {
  test('is each of its steps, in order, back to where the history begins', () => {
    fc.assert(
      fc.property(
        story,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, max, limit) => {
          const { history, events } = played(steps, {}, max);
          const ids = new Set(events.map(({ alert }) => alert.id));
          for (const id of ids) {
            const own = events.filter(({ alert }) => alert.id === id);
            const kept = own.filter(({ revision: at }) => at >= history.oldest);
            const told: AlertEvent[] = [];
            let isCompacted = false;
            let from: Revision | undefined = own.at(-1)?.revision;
            while (from !== undefined) {
              const page = historyOf(history, id, from, limit);
              told.unshift(...page.events);
              isCompacted = page.isCompacted;
              from = page.next;
            }
            expect(told).toEqual(kept);
            expect(isCompacted).toBe(kept.length < own.length);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('does not begin with a step of another alert', () => {
    const [steps = []] = fc
      .sample(story, { numRuns: 20, seed: 1 })
      .filter((one) => one.length > 20);
    const { history, events } = played(steps, {}, 1_000);
    const other = events.find(({ alert }) => alert.id !== 'A1')?.revision ?? revision(1);
    expect(() => historyOf(history, 'A1', other, 10)).toThrow('is not a step of A1');
  });
});
