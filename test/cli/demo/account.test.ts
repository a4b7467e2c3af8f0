import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Account, account, type Held, type Told } from '../../../cli/demo/account.ts';
import type { AlertEvent } from '../../../src/statemachine/types.ts';
import { goodHistory } from './histories.ts';

const isClean = ({ lost, duplicated, differing, digestsEqual }: Account): boolean =>
  lost === 0 && duplicated === 0 && differing === 0 && digestsEqual;

const seeds = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  size: fc.integer({ min: 1, max: 40 }),
});

/** The same with the history of one replica, or of all, made into another. */
const tamper = (
  held: readonly Held[],
  everywhere: boolean,
  change: (events: AlertEvent[]) => AlertEvent[],
): readonly Held[] =>
  held.map((one, at) =>
    everywhere || at === 1 ? { ...one, events: change(structuredClone([...one.events])) } : one,
  );

/** Whose event it is. Who changed nothing was told of the state before, which another event may have led to as well. */
const toldOf = (told: readonly Told[], { revision }: AlertEvent): Told | undefined =>
  told.find(
    ({ outcome }) =>
      typeof outcome !== 'string' &&
      outcome.revision === revision &&
      outcome.effect !== 'unchanged',
  );

/** Every leaf of a value, as a path to it. */
function leavesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [path];
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, key]));
}

function changeLeaf(value: unknown, path: readonly string[]): void {
  const key = path.at(-1) ?? '';
  let parent = value as Record<string, unknown>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string, unknown>;
  const before = parent[key];
  if (typeof before === 'number') parent[key] = before + 1;
  else if (typeof before === 'boolean') parent[key] = !before;
  else parent[key] = `${before}~`;
}

describe('the account of told and held', () => {
  test('reports nothing for a history in which all went well', () => {
    fc.assert(
      fc.property(seeds, ({ seed, size }) => {
        const { told, held } = goodHistory(seed, size);
        const sum = account(told, held);
        expect(sum.findings).toEqual([]);
        expect(isClean(sum)).toBe(true);
        expect(sum.events).toBe(held[0]?.events.length);
      }),
      { numRuns: 100 },
    );
  });

  test('finds any event that is gone, on one replica or on all, renumbered or not', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        (story, pick, everywhere, renumber) => {
          const { told, held } = goodHistory(story.seed, story.size);
          const count = held[0]?.events.length ?? 0;
          fc.pre(count > 0);
          const at = pick % count;
          const victim = held[0]?.events[at] as AlertEvent;
          const bad = tamper(held, everywhere, (events) => {
            const kept = events.toSpliced(at, 1);
            return renumber
              ? kept.map((event, index) => ({
                  ...event,
                  revision: (index + 1) as typeof event.revision,
                }))
              : kept;
          });
          const sum = account(told, bad);
          expect(isClean(sum)).toBe(false);
          // That nobody was told of it is no loss; renumbered, it leaves others in the wrong place.
          if (toldOf(told, victim) !== undefined) expect(sum.lost).toBeGreaterThan(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('finds any event that is there twice, with its own revision or a new one', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        (story, pick, everywhere, renumber) => {
          const { told, held } = goodHistory(story.seed, story.size);
          const count = held[0]?.events.length ?? 0;
          fc.pre(count > 0);
          const at = pick % count;
          const bad = tamper(held, everywhere, (events) => {
            const copy = structuredClone(events[at] as AlertEvent);
            if (!renumber) return events.toSpliced(at, 0, copy);
            const revision = (count + 1) as typeof copy.revision;
            return [...events, { ...copy, revision, alert: { ...copy.alert, revision } }];
          });
          const sum = account(told, bad);
          expect(sum.duplicated).toBeGreaterThan(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('finds any two events that changed places', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        (story, a, b, everywhere, renumber) => {
          const { told, held } = goodHistory(story.seed, story.size);
          const count = held[0]?.events.length ?? 0;
          fc.pre(count > 1 && a % count !== b % count);
          const bad = tamper(held, everywhere, (events) => {
            const [one, other] = [events[a % count] as AlertEvent, events[b % count] as AlertEvent];
            const swapped = events.with(a % count, other).with(b % count, one);
            return renumber
              ? swapped.map((event, index) => ({
                  ...event,
                  revision: (index + 1) as typeof event.revision,
                }))
              : swapped;
          });
          expect(isClean(account(told, bad))).toBe(false);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('finds any field of any event that one replica has otherwise', () => {
    fc.assert(
      fc.property(seeds, fc.nat(), fc.nat(), (story, pick, leaf) => {
        const { told, held } = goodHistory(story.seed, story.size);
        const count = held[0]?.events.length ?? 0;
        fc.pre(count > 0);
        const bad = tamper(held, false, (events) => {
          const event = events[pick % count];
          const leaves = leavesOf(event);
          changeLeaf(event, leaves[leaf % leaves.length] ?? []);
          return events;
        });
        expect(isClean(account(told, bad))).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  test('finds any field of any alert that one replica has otherwise', () => {
    fc.assert(
      fc.property(seeds, fc.nat(), fc.nat(), (story, pick, leaf) => {
        const { told, held } = goodHistory(story.seed, story.size);
        const count = held[0]?.alerts.length ?? 0;
        fc.pre(count > 0);
        const bad = held.map((one) => ({ ...one, alerts: structuredClone([...one.alerts]) }));
        const alert = bad[2]?.alerts[pick % count];
        const leaves = leavesOf(alert);
        changeLeaf(alert, leaves[leaf % leaves.length] ?? []);
        const sum = account(told, bad);
        expect(sum.differing).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  test('finds on all replicas what a caller said otherwise', () => {
    const fields = ['actor', 'observedAt', 'effect'] as const;
    const { told, held } = goodHistory(7, 60);
    for (const [at, event] of (held[0]?.events ?? []).entries())
      for (const field of fields) {
        const bad = tamper(held, true, (events) => {
          changeLeaf(events[at], [field]);
          return events;
        });
        const sum = account(told, bad);
        const wasTold = toldOf(told, event) !== undefined;
        expect(wasTold ? sum.lost : sum.duplicated, `${field} of ${at}`).toBeGreaterThan(0);
      }
  });
});

describe('what callers were told', () => {
  const { told, held } = goodHistory(11, 60);
  const done = told.filter(
    ({ outcome }) => typeof outcome !== 'string' && outcome.effect !== 'unchanged',
  );

  test('a command told done twice is one event claimed twice', () => {
    expect(account([...told, done[0] as Told], held).duplicated).toBe(1);
  });

  test('an event whose caller was told of nothing is one too many', () => {
    const one = done[3] as Told;
    const others = told.map((each) =>
      each === one ? { ...each, outcome: 'none' as const } : each,
    );
    expect(account(others, held)).toMatchObject({ lost: 0, duplicated: 1, differing: 0 });
  });

  test('an event whose caller was told unknown is accounted for once', () => {
    const one = done[3] as Told;
    const others = told.map((each) =>
      each === one ? { ...each, outcome: 'unknown' as const } : each,
    );
    const before = account(told, held).unknownHappened;
    const sum = account(others, held);
    expect(sum).toMatchObject({ lost: 0, duplicated: 0, differing: 0 });
    expect(sum.unknownHappened).toBe(before + 1);
  });

  test('events of actors whose commands are not told are counted, not judged', () => {
    const actors = new Set(told.map(({ command }) => command.actor));
    actors.delete('nurse-2');
    const known = told.filter(({ command }) => actors.has(command.actor));
    const theirs = held[0]?.events.filter(({ actor }) => actor === 'nurse-2').length;
    const sum = account(known, held, { actors });
    expect(sum).toMatchObject({ lost: 0, duplicated: 0, byOthers: theirs });
    expect(account(known, held).duplicated).toBe(theirs);
  });

  test('a digest or a place in the log that differs is said', () => {
    const [first, ...others] = held as [Held, Held, Held];
    expect(account(told, [{ ...first, digest: 'f' }, ...others]).digestsEqual).toBe(false);
    expect(account(told, [...others, { ...first, applied: 1 }]).digestsEqual).toBe(false);
    expect(account(told, []).digestsEqual).toBe(false);
  });

  test('the findings are bounded', () => {
    const sum = account(
      told,
      held.map((one) => ({ ...one, events: [], alerts: [] })),
    );
    expect(sum.lost).toBe(told.filter(({ outcome }) => typeof outcome !== 'string').length);
    expect(sum.findings).toHaveLength(20);
  });
});
