import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { SWEEP_LOOKS_AT_ONCE, SWEEPS_MAX } from '../../src/base/limits.ts';
import type { WindowId } from '../../src/statemachine/beside/suppression.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { SnapshotItem } from '../../src/statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import type { Alert, AlertEvent, Reply } from '../../src/statemachine/types.ts';
import { Bench, raise } from './commands.ts';
import { packed } from './packing.ts';
import { submit } from './stories.ts';

/**
 * The end of a silence, a window, an explanation, a rule of inhibition or a lease concerns very many alerts: a machine that
 * may do little with each entry is held against one that does everything at once, through the same entries.
 */

const ALERTS = SWEEP_LOOKS_AT_ONCE * 4;
const by = { actor: 'nurse-1', observedAt: unixMillis(1) };
const gateway = (n: number) => ({
  unit: n % 2 === 0 ? 'icu' : 'ward',
  bed: `${n % 3}`,
  patient: 'p',
  device: 'gw',
});
const keyOf = (n: number): string => `k${n}`;
const OFF = raise({
  dedupKey: 'off',
  kind: 'technical',
  condition: 'ECG:LEADS_OFF',
  subject: { device: 'gw' },
});
const INOP = raise({ ...OFF, dedupKey: 'inop', condition: 'ECG:INOP' });
const rule = (id: string, targets: readonly string[]): Command => ({
  type: 'set-inhibition',
  id,
  sources: ['ECG:LEADS_OFF', 'ECG:INOP'],
  targets,
  ...by,
});

const target = (n: number) => ({ target: { dedupKey: keyOf(n) } });
const place = fc.nat(ALERTS - 1);
const scope = fc.constantFrom({ unit: 'icu' }, { bed: '1' }, { device: 'gw' });
const values = fc.constantFrom(
  { field: 'device' as const, values: ['gw'] },
  { field: 'bed' as const, values: ['2', '0', '1'] },
  { field: 'alert' as const, values: Array.from({ length: 60 }, (_, n) => `A${n * 2 + 3}`) },
);
/** What keeps alerts from being heard, or says that they are known. */
const begins = fc.oneof(
  fc.record({ matcher: values, seconds: fc.constantFrom(50, 1_000) }).map(
    ({ matcher, seconds }): Command => ({
      type: 'silence',
      matchers: [matcher],
      seconds,
      reason: 'x',
      ...by,
    }),
  ),
  fc.tuple(scope, fc.constantFrom(60, 2_000)).map(
    ([where, seconds]): Command => ({
      type: 'open-window',
      ...where,
      startAt: unixMillis(1),
      endAt: unixMillis(1_000_000 + seconds * 1_000),
      reason: 'x',
      ...by,
    }),
  ),
  fc.constantFrom<Command>(OFF, INOP),
  fc.constantFrom<Command>(
    rule('ecg-off', ['RR:']),
    rule('ecg-off', ['HR:']),
    rule('other', ['HR:']),
    { type: 'restore-inhibitions', ...by },
  ),
);
const keepsOn = fc.oneof(
  fc.nat(4).map((n): Command => ({ type: 'unsilence', id: `S${n + 1}`, ...by })),
  fc.nat(4).map((n): Command => ({ type: 'end-window', id: `M${n + 1}`, ...by })),
  fc
    .constantFrom('off', 'inop')
    .map((dedupKey): Command => ({ type: 'clear', target: { dedupKey }, ...by })),
  fc
    .constantFrom('ecg-off', 'other')
    .map((id): Command => ({ type: 'remove-inhibition', id, ...by })),
  fc.constant<Command>({ type: 'detach-device', device: 'gw', ...by }),
  fc.constant<Command>({ type: 'heartbeat', source: 'gw', leaseSeconds: 30, ...by }),
  place.map((n): Command => ({ type: 'acknowledge', ...target(n), ...by })),
  place.map((n): Command => ({ type: 'clear', ...target(n), ...by })),
  place.map((n): Command => raise({ dedupKey: keyOf(n), subject: gateway(n) })),
  place.map((n): Command => ({ type: 'accept', ...target(n), ...by })),
);
const step = fc.record({
  begins: fc.option(begins, { nil: undefined, freq: 2 }),
  command: keepsOn,
  seconds: fc.constantFrom(0, 0, 0, 5, 40, 400),
  ticks: fc.nat(2),
});

/** Two machines, the same entries. */
class Race {
  readonly fast = new AlertMachine({ effortPerEntryMax: 1_000_000 });
  slow: AlertMachine;
  readonly told: { fast: AlertEvent[]; slow: AlertEvent[] } = { fast: [], slow: [] };
  readonly #limits: { effortPerEntryMax: number };
  #time = 1_000_000;
  #sent = 0;

  constructor(effortPerEntryMax: number) {
    this.#limits = { effortPerEntryMax };
    this.slow = new AlertMachine(this.#limits, packed());
  }

  do(command: Command): void {
    this.doAll([command]);
  }

  /** In one entry. Answers what the slow one replies. */
  doAll(commands: readonly Command[]): readonly Reply[] {
    return this.#entry(
      commands.map((command) => {
        this.#sent += 1;
        return submit(`${this.#sent}`.padStart(32, '0'), command);
      }),
    );
  }

  wait(seconds: number): void {
    this.#time += seconds * 1_000;
    this.#entry([]);
  }

  tick(): void {
    const { effortPerEntryMax } = this.#limits;
    this.#time += 1;
    const before = this.told.slow.length;
    this.#entry([]);
    // The last thing that is due can begin a sweep, and one that is under way goes on: each of these comes to so many alerts,
    // which can be told the end of what another sweep is about, too.
    expect(this.told.slow.length - before).toBeLessThanOrEqual(
      effortPerEntryMax + 2 * SWEEP_LOOKS_AT_ONCE * 2,
    );
  }

  /** Until nothing is due at once. */
  drain(): void {
    for (let n = 0; this.slow.nextDue <= this.#time + 1; n += 1) {
      expect(n).toBeLessThan(SWEEPS_MAX * 10);
      this.tick();
    }
  }

  /** The slow one goes on from a snapshot of itself. */
  restart(): void {
    const restorer = new MachineRestorer(this.#limits, packed());
    for (const item of this.slow.capture().items()) restorer.add(item);
    this.slow = restorer.finish();
  }

  #entry(submissions: ReturnType<typeof submit>[]): readonly Reply[] {
    const index = logIndex(this.fast.applied + 1);
    let out: Applied = { replies: [], events: [] };
    for (const which of ['fast', 'slow'] as const) {
      out = { replies: [], events: [] };
      this[which].apply({ index, time: unixMillis(this.#time), submissions }, out);
      this.told[which].push(...out.events);
    }
    return out.replies;
  }
}

const SPREAD: ReadonlySet<string> = new Set(['audible', 'stale']);
const effectsOf = (events: readonly AlertEvent[], dedupKey: string): string[] =>
  events.filter(({ alert }) => alert.dedupKey === dedupKey).map(({ effect }) => effect);
/** Of two ends at once it does not matter which one an alert is told of first. */
const spreadOf = (effects: readonly string[]): string[] =>
  effects.filter((effect) => SPREAD.has(effect)).sort();
/** What an alert has come to, without where in history that was. */
const outcome = (machine: AlertMachine, alert: Alert | undefined): object =>
  alert === undefined
    ? {}
    : {
        acknowledged: alert.acknowledged,
        presence: alert.presence,
        isStale: alert.staleSince !== undefined,
        resolution: alert.resolution?.how,
        badges: machine.badgesOf(alert),
      };

function compare({ fast, slow, told }: Race): void {
  for (let n = 0; n < ALERTS; n += 1) {
    const one = effectsOf(told.fast, keyOf(n));
    const other = effectsOf(told.slow, keyOf(n));
    const rest = (effects: string[]): string[] => effects.filter((effect) => !SPREAD.has(effect));
    expect(rest(other)).toEqual(rest(one));
    // What somebody did about it in time need not be told; and who said that it is still there before it was known that
    // its device is lost is told so after that, once more.
    if (rest(one).length === 1) expect(spreadOf(other)).toEqual(spreadOf(one));
    else
      expect(spreadOf(other).length).toBeLessThanOrEqual(
        spreadOf(one).length + rest(one).filter((effect) => effect === 'continued').length,
      );
    const [mine, its] = [slow, fast].map((machine) => {
      const alert = machine.get({ dedupKey: keyOf(n) });
      const told = outcome(machine, alert);
      // An alert that explains has another id here and there.
      return JSON.stringify(told).replace(/"A\d+"/g, 'A');
    });
    expect(mine).toBe(its);
  }
}

describe('what concerns very many alerts is done a little with each entry', () => {
  test('each alert is told of once, as if all had been told at once, whatever is done meanwhile', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(step, { minLength: 3, maxLength: 12 }),
        fc.nat(12),
        (effort, steps, restartAt) => {
          const race = new Race(effort);
          race.do({ type: 'set-bed', unit: 'icu', bed: '9', ...by });
          race.do({ type: 'attach-device', device: 'gw', unit: 'icu', bed: '9', ...by });
          for (let n = 0; n < ALERTS; n += 1)
            race.do(raise({ dedupKey: keyOf(n), subject: gateway(n) }));
          for (const [at, { begins, command, seconds, ticks }] of steps.entries()) {
            if (begins !== undefined) {
              race.drain();
              race.do(begins);
            }
            race.do(command);
            for (let n = 0; n < ticks; n += 1) race.tick();
            if (seconds > 0) race.wait(seconds);
            if (at === restartAt) race.restart();
          }
          race.drain();
          compare(race);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a unit’s window that ends is not looked through at once', () => {
    const race = new Race(4);
    for (let n = 0; n < ALERTS; n += 1) race.do(raise({ dedupKey: keyOf(n), subject: gateway(n) }));
    const endAt = unixMillis(2_000_000);
    race.do({
      type: 'open-window',
      unit: 'icu',
      startAt: by.observedAt,
      endAt,
      reason: 'x',
      ...by,
    });
    race.do({ type: 'end-window', id: 'M1', ...by });
    const audible = () => race.told.slow.filter(({ effect }) => effect === 'audible').length;
    expect(audible()).toBeLessThan(ALERTS / 2);
    const [alert] = race.slow.list({ unit: 'icu' }).alerts;
    // What keeps an alert from being heard is worked out when it is asked for: that is over at once.
    expect(alert && race.slow.badgesOf(alert)).toBeUndefined();
    race.drain();
    expect(audible()).toBe(ALERTS / 2);
  });
});

/** Many alerts that one explains, in a machine that does little with each entry, of which the explaining rule is gone. */
function unruled(): Race {
  const race = new Race(4);
  race.do(OFF);
  for (let n = 0; n < ALERTS; n += 1) race.do(raise({ dedupKey: keyOf(n), subject: gateway(n) }));
  race.do({ type: 'remove-inhibition', id: 'ecg-off', ...by });
  return race;
}

const audibleOf = (race: Race, n: number): number =>
  effectsOf(race.told.slow, keyOf(n)).filter((effect) => effect === 'audible').length;
const toldOnce = (race: Race): void => {
  race.drain();
  compare(race);
  for (let n = 0; n < ALERTS; n += 1) expect(audibleOf(race, n)).toBe(1);
};
const LAST = ALERTS - 1;

describe('a rule of inhibition that is gone is looked through a little with each entry', () => {
  test('what it explained is told so once, and explained by nothing at once', () => {
    const race = unruled();
    expect(audibleOf(race, 0)).toBe(1);
    expect(audibleOf(race, LAST)).toBe(0);
    const last = race.slow.get({ dedupKey: keyOf(LAST) });
    expect(last && race.slow.badgesOf(last)).toBeUndefined();
    toldOnce(race);
  });

  test('so is what it explained by an alert that ends meanwhile', () => {
    const race = unruled();
    race.do({ type: 'clear', target: { dedupKey: 'off' }, ...by });
    toldOnce(race);
  });

  test('so is an alert that changes in one transaction with the end of what explained it', () => {
    const race = unruled();
    race.do({
      type: 'transaction',
      guards: [],
      commands: [
        { type: 'clear', target: { dedupKey: 'off' }, ...by },
        { type: 'accept', ...target(LAST), ...by },
      ],
      ...by,
    });
    expect(audibleOf(race, LAST)).toBe(1);
    toldOnce(race);
  });

  test('so is all of it by a machine that goes on from a snapshot', () => {
    const race = unruled();
    race.restart();
    race.do({ type: 'clear', target: { dedupKey: 'off' }, ...by });
    race.restart();
    toldOnce(race);
  });

  test('what a later alert would have explained is told of nothing', () => {
    const race = new Race(4);
    for (let n = 0; n < ALERTS; n += 1) race.do(raise({ dedupKey: keyOf(n), subject: gateway(n) }));
    race.do({ type: 'remove-inhibition', id: 'ecg-off', ...by });
    race.do(OFF);
    race.drain();
    expect(audibleOf(race, LAST)).toBe(0);
  });

  test('more than can be remembered are refused, until what those before explained has been told so', () => {
    const race = unruled();
    const toggles = Array.from({ length: SWEEPS_MAX }, (_, n): Command[] => [
      rule('ecg-off', [`HR:${n}`]),
      { type: 'remove-inhibition', id: 'ecg-off', ...by },
    ]);
    const replies = race.doAll(toggles.flat());
    expect(replies.filter(({ ok }) => !ok)).toMatchObject([{ code: 'OVER_LIMIT' }]);
    race.drain();
    const [again] = race.doAll([{ type: 'remove-inhibition', id: 'ecg-off', ...by }]);
    expect(again).toMatchObject({ effect: 'removed' });
  });
});

test('what is due to one alert waits for none of the sweeps under way, and each entry goes on with one of these', () => {
  const bench = new Bench({ effortPerEntryMax: 4 });
  for (let n = 0; n < ALERTS; n += 1)
    bench.done(raise({ dedupKey: keyOf(n), subject: gateway(n) }));
  const steps = [{ targets: ['user:anna'], delaySeconds: 60 }];
  const policy = { steps, repeat: 9, minPriority: 'high', confirmSeconds: 600 } as const;
  bench.do({ type: 'set-policy', id: 'default', ...policy, ...by });
  bench.done(raise({ dedupKey: 'x', priority: 'high', subject: {} }));
  const due = (): number => bench.machine.get({ dedupKey: 'x' })?.escalation?.dueAt ?? 0;
  const window = { startAt: unixMillis(1), endAt: unixMillis(1e12), reason: 'x' };
  const made = Array.from({ length: 6 }, () =>
    bench.do({ type: 'open-window', device: 'gw', ...window, ...by }),
  );
  for (const one of made)
    bench.do({
      type: 'end-window',
      id: one.ok && 'id' in one ? (one.id as WindowId) : 'M0',
      ...by,
    });
  const sweeps = (): SnapshotItem[] =>
    [...bench.machine.capture().items()].filter(
      (item) => item.kind === 'record' && item.type === 'sweep',
    );
  expect(sweeps().length).toBeGreaterThan(3);
  const before = JSON.stringify(sweeps());
  const at = due();
  bench.at(at);
  const told = bench.out.events.filter(({ alert }) => alert.dedupKey === 'x');
  expect(told.at(-1)).toMatchObject({ effect: 'notified', time: at });
  expect(JSON.stringify(sweeps())).not.toBe(before);
});
