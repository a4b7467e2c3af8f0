import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, type Millis, millis, type ReplicaId, replicaId } from '../../src/base/ids.ts';
import { LONG_WAIT_AGAIN_MS, LONG_WAIT_MS, TICK_MS } from '../../src/base/limits.ts';
import { aloud, LongWait } from '../../src/replica/health/long-wait.ts';
import { Waits } from '../../src/replica/health/waits.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

/** A clock that is set by hand. */
function handClock(): { now: number; monotonic(): Millis } {
  return {
    now: 5_000,
    monotonic() {
      return millis(this.now);
    },
  };
}

test('a wait is told of after three seconds and each ten from then on, and a new one as the first', () => {
  const phase = fc.record({ isWaiting: fc.boolean(), ticks: fc.integer({ min: 1, max: 900 }) });
  fc.assert(
    fc.property(fc.array(phase), (phases) => {
      const clock = handClock();
      const wait = new LongWait(clock);
      for (const { isWaiting, ticks } of phases) {
        const said: number[] = [];
        wait.look(false);
        for (let tick = 0; tick <= ticks; tick += 1) {
          const seconds = wait.look(isWaiting);
          if (seconds !== undefined) said.push(seconds);
          clock.now += TICK_MS;
        }
        const due: number[] = [];
        for (let at = LONG_WAIT_MS; at <= ticks * TICK_MS; at += LONG_WAIT_AGAIN_MS)
          due.push(at / 1_000);
        expect(said).toEqual(isWaiting ? due : []);
      }
    }),
  );
});

test('whoever stood still meanwhile says so once', () => {
  const clock = handClock();
  const wait = new LongWait(clock);
  expect(wait.look(true)).toBeUndefined();
  clock.now += 60_500;
  expect([wait.look(true), wait.look(true)]).toEqual([60, undefined]);
});

test('what takes long while a replica comes up is said, and no longer when it is over or has failed', async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const parts = { clock, log: (line: string) => lines.push(line) };
  let end: (value: number) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const first = aloud(parts, 'reading the log', new Promise<number>((done) => (end = done)));
  const second = aloud(parts, 'opening', new Promise<number>((_, failed) => (fail = failed)));
  await clock.run(millis(LONG_WAIT_MS));
  end(7);
  expect(await first).toBe(7);
  await clock.run(millis(LONG_WAIT_AGAIN_MS));
  fail(new Error('EIO'));
  await expect(second).rejects.toThrow('EIO');
  await clock.run(millis(60_000));
  expect(lines).toEqual([
    'reading the log: 3 s so far',
    'opening: 3 s so far',
    'opening: 13 s so far',
  ]);
});

/** A replica of three that is in touch with the second one alone. */
class Waiting {
  readonly clock = handClock();
  readonly lines: string[] = [];
  readonly driver: { standing: { leader: ReplicaId | undefined }; committed: number } = {
    standing: { leader: replicaId(1) },
    committed: 0,
  };
  applied = 0;
  readonly #waits = new Waits({
    clock: this.clock,
    driver: this.driver,
    members: { others: [{ id: replicaId(2) }, { id: replicaId(3) }] },
    links: { isConnected: (id) => id === 2 },
    applied: () => logIndex(this.applied),
    log: (line) => this.lines.push(line),
  });

  pass(ms: number, each: () => void = () => {}): void {
    for (let at = 0; at < ms; at += TICK_MS) {
      this.clock.now += TICK_MS;
      each();
      this.#waits.tick();
    }
  }
}

test('a replica without a leader says whom it hears', () => {
  const one = new Waiting();
  one.pass(10_000);
  one.driver.standing = { leader: undefined };
  one.pass(14_000);
  one.driver.standing = { leader: replicaId(1) };
  one.pass(20_000);
  expect(one.lines).toEqual([
    'no leader known for 3 s; in touch with 2; not in touch with 3',
    'no leader known for 13 s; in touch with 2; not in touch with 3',
  ]);
});

test('a replica that has long to apply says how far it is, and one that keeps up says nothing', () => {
  const one = new Waiting();
  one.pass(10_000, () => {
    one.applied = one.driver.committed;
    one.driver.committed += 100;
  });
  expect(one.lines).toEqual([]);
  one.driver.committed += 1_000_000;
  one.pass(4_000, () => {
    one.applied += 10;
  });
  expect(one.lines).toEqual([
    expect.stringMatching(/^applying the log, at entry \d+ of \d+: 3 s so far$/),
  ]);
});
