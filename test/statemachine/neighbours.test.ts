import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEIGHBOURS_LOOKED_THROUGH_MAX } from '../../src/base/limits.ts';
import { AlertTable } from '../../src/statemachine/alerts/alert-table.ts';
import { Subjects } from '../../src/statemachine/alerts/subjects.ts';
import type { Alert } from '../../src/statemachine/types.ts';

const DEVICES = ['gw', 'm1'] as const;
const CONDITIONS = ['ECG:LEADS_OFF', 'HR:LO', 'HR:HI'] as const;

/** As much of an alert as is looked at. */
const alertOf = (number: number, change: Change): Alert =>
  ({
    id: `A${number}`,
    dedupKey: `${number}`,
    condition: CONDITIONS[number % 3],
    text: '',
    labels: {},
    acknowledgements: [],
    subject: { device: change.device },
    presence: change.isPresent ? 'present' : 'cleared',
    staleSince: change.isStale ? 1 : undefined,
    resolution: change.isOver ? { how: 'auto' } : undefined,
  }) as unknown as Alert;

interface Change {
  readonly device: string | undefined;
  readonly isPresent: boolean;
  readonly isStale: boolean;
  readonly isOver: boolean;
}

const mostly = fc.nat(5).map((n) => n > 0);
const change: fc.Arbitrary<Change> = fc.record({
  device: fc.constantFrom('gw', 'gw', 'gw', 'm1', undefined),
  isPresent: mostly,
  isStale: mostly.map((one) => !one),
  isOver: fc.boolean(),
});
/** Many that come, some that change, and many that go: a device becomes crowded, and is so no more. */
const crowd = fc.record({
  come: fc.nat(50),
  changes: fc.array(fc.record({ which: fc.nat(), change }), { maxLength: 20 }),
  go: fc.nat(50),
});

/** Open alerts of a device, those that are known to be there, found by looking through all of them. */
const lookedThrough = (
  open: ReadonlyMap<number, Alert>,
  device: string,
  asked: string[],
): string[] =>
  [...open.values()]
    .filter(
      ({ subject, condition, presence, staleSince }) =>
        subject.device === device &&
        asked.includes(condition) &&
        presence === 'present' &&
        staleSince === undefined,
    )
    .map(({ id }) => id)
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

const THERE: Change = { device: 'gw', isPresent: true, isStale: false, isOver: false };

/** Alerts, and the index that is asked about them. */
class Ward {
  readonly open = new Map<number, Alert>();
  readonly #table = new AlertTable(
    { resolvedAlertsMax: 1_000, dedupKeysRememberedMax: 1 },
    { seed: 1 },
  );
  readonly #subjects = new Subjects(this.#table);
  #newest = 0;

  begin(as: Change): void {
    this.#newest += 1;
    const alert = alertOf(this.#newest, as);
    this.#table.open(alert, 0);
    this.#subjects.file(undefined, alert);
    this.open.set(this.#newest, alert);
  }

  change(which: number, to: Change): void {
    const numbers = [...this.open.keys()];
    const number = numbers[which % numbers.length];
    const before = number === undefined ? undefined : this.open.get(number);
    if (number === undefined || before === undefined) return;
    const alert = alertOf(number, to);
    this.#table.replace(before, alert);
    this.#subjects.file(before, alert);
    if (to.isOver) this.open.delete(number);
    else this.open.set(number, alert);
  }

  check(asked: string[], max: number): void {
    for (const device of DEVICES) {
      const found = this.#subjects.neighbours.of(device, asked, max).map(({ id }) => id);
      expect(found).toEqual(lookedThrough(this.open, device, asked).slice(0, max));
    }
  }
}

describe('what is known to be there at a device', () => {
  test('is what looking through all open alerts finds, however many there are, and however they come and go', () => {
    let most = 0;
    fc.assert(
      fc.property(
        fc.array(crowd, { maxLength: 6 }),
        fc.subarray([...CONDITIONS]),
        fc.integer({ min: 1, max: 80 }),
        (crowds, asked, max) => {
          const ward = new Ward();
          for (const { come, changes, go } of crowds) {
            for (let n = 0; n < come; n += 1) ward.begin({ ...THERE, isPresent: n % 5 > 0 });
            for (const { which, change: to } of changes) ward.change(which, to);
            most = Math.max(most, ward.open.size);
            ward.check(asked, max);
            for (let n = 0; n < go; n += 1) ward.change(n, { ...THERE, isOver: true });
            ward.check(asked, max);
          }
        },
      ),
      { numRuns: 100 },
    );
    expect(most).toBeGreaterThan(NEIGHBOURS_LOOKED_THROUGH_MAX);
  });
});
