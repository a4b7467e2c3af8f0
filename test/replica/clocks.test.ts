import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millis, type ReplicaId, replicaId, unixMillis } from '../../src/base/ids.ts';
import {
  CLOCK_ERROR_MS_MAX,
  CLOCK_KEPT_MS,
  CLOCK_SKEW_MS_MAX,
  UNIX_MILLIS_MAX,
} from '../../src/base/limits.ts';
import { agreementOf } from '../../src/replica/clocks/agreement.ts';
import { Clocks } from '../../src/replica/clocks/clocks.ts';
import { LogTime } from '../../src/replica/clocks/log-time.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { ProcessClock } from './process-clock.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const HOUR_MS = 3_600_000;

describe('what a majority of clocks agrees on', () => {
  const right = fc.integer({ min: 0, max: CLOCK_SKEW_MS_MAX });
  const wrong = fc.integer({ min: -HOUR_MS, max: HOUR_MS });

  test('is as good as the right ones, while fewer than half are wrong', () => {
    fc.assert(
      fc.property(
        fc.array(right, { minLength: 1, maxLength: 5 }),
        fc.array(wrong, { maxLength: 4 }),
        (rights, wrongs) => {
          fc.pre(wrongs.length < rights.length);
          const agreed = agreementOf(
            [...wrongs, ...rights],
            rights.length + wrongs.length,
            CLOCK_SKEW_MS_MAX,
          );
          expect(agreed).toBeDefined();
          expect(agreed).toBeGreaterThanOrEqual(-CLOCK_SKEW_MS_MAX);
          expect(agreed).toBeLessThanOrEqual(CLOCK_SKEW_MS_MAX * 2);
        },
      ),
    );
  });

  test('is never what a minority shows', () => {
    expect(agreementOf([5], 3, 10)).toBeUndefined();
    expect(agreementOf([5, 50_000], 3, 10)).toBeUndefined();
    expect(agreementOf([5, 50_000, 50_001], 3, 10)).toBe(50_000);
    expect(agreementOf([5, 9, 50_000, 50_001], 4, 10)).toBeUndefined();
    expect(agreementOf([7], 1, 10)).toBe(7);
  });
});

describe('log time', () => {
  const steps = fc.array(
    fc.record({
      ms: fc.integer({ min: 0, max: 5_000 }),
      jump: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
      agrees: fc.boolean(),
      isUsed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  );

  test('never goes back or stands still, and runs ahead of what clocks agree on only by where it came from', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (course) => {
        const clock = new VirtualClock();
        const own = new ProcessClock(clock);
        let agrees = true;
        const time = new LogTime(own, () => (agrees ? clock.wall() : undefined));
        let newest = time.after(unixMillis(0));
        for (const step of course) {
          own.offset = step.jump;
          agrees = step.agrees;
          await clock.run(step.ms);
          const stamp = time.after(newest);
          expect(stamp - newest).toBeGreaterThanOrEqual(Math.floor(step.ms / 2) - 1);
          expect(stamp).toBeLessThanOrEqual(clock.wall());
          if (step.agrees) expect(stamp).toBe(clock.wall());
          if (step.isUsed) newest = stamp;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('that is ahead goes by half the pace until the clocks have come up to it', async () => {
    const clock = new VirtualClock();
    const time = new LogTime(clock, () => clock.wall());
    const ahead = 10_000;
    let newest = unixMillis(clock.wall() + ahead);
    const began = newest;
    time.after(newest);
    for (let second = 1; second <= 30; second += 1) {
      await clock.run(1_000);
      newest = time.after(newest);
      const expected = second < 20 ? began + second * 500 : clock.wall();
      expect(Math.abs(newest - expected)).toBeLessThanOrEqual(second);
    }
  });

  test('ends at the last moment that a Date can hold', async () => {
    const clock = new VirtualClock();
    const time = new LogTime(clock, () => undefined);
    const last = unixMillis(UNIX_MILLIS_MAX);
    time.after(unixMillis(last - 1_000));
    await clock.run(60_000);
    expect(time.after(unixMillis(last - 1_000))).toBe(last);
    expect(time.after(last)).toBe(last);
  });

  test('begins with the own clock where there is nothing to go on from', () => {
    const clock = new VirtualClock();
    expect(new LogTime(clock, () => undefined).after(unixMillis(0))).toBe(clock.wall());
  });
});

describe('clocks that are asked', () => {
  const [one, two, three] = [replicaId(1), replicaId(2), replicaId(3)];

  function stage(): {
    clock: VirtualClock;
    own: ProcessClock;
    clocks: Clocks;
    asked: () => number;
  } {
    const clock = new VirtualClock();
    const own = new ProcessClock(clock);
    const all = [one, two, three].map((id) => ({
      id,
      address: '',
      incarnation: 1,
      roles: [],
      priority: 0,
    }));
    let question = 0;
    const tell = (): void => {
      question += 1;
    };
    const links = { tell, tellOne: (): void => {} };
    const clocks = new Clocks(one, own, { all, voters: [one, two, three] }, links);
    return { clock, own, clocks, asked: () => question };
  }

  async function answer(
    { clock, clocks, asked }: ReturnType<typeof stage>,
    peer: ReplicaId,
    off: number,
    tripMs = 2,
  ): Promise<void> {
    clocks.ask();
    await clock.run(tripMs / 2);
    const wall = unixMillis(clock.wall() + off);
    await clock.run(tripMs / 2);
    clocks.told(peer, { question: asked(), wall });
  }

  test('agree on the own clock with one other, and say which one is off', async () => {
    const at = stage();
    expect(at.clocks.now()).toBeUndefined();
    await answer(at, two, 30);
    expect(at.clocks.now()).toBe(at.own.wall());
    await answer(at, three, HOUR_MS);
    at.clocks.ask();
    expect(at.clocks.alarms).toEqual([
      { name: 'peer-clock-off', says: expect.stringMatching(/replica 3 is 36000\d\d ms ahead/) },
    ]);
    expect(at.clocks.ranks.get(three)).toBeLessThan(at.clocks.ranks.get(one) ?? 0);
  });

  test('outvote the own one the moment it jumps', async () => {
    const at = stage();
    await answer(at, two, 0);
    await answer(at, three, 0);
    at.own.offset = HOUR_MS;
    expect(Math.abs((at.clocks.now() ?? 0) - at.clock.wall())).toBeLessThanOrEqual(2);
    expect(at.clocks.ask()).toBe(true);
    expect(at.clocks.alarms[0]?.name).toBe('clock-off');
  });

  test('say so when no majority agrees', async () => {
    const at = stage();
    await answer(at, two, -HOUR_MS);
    at.clocks.ask();
    expect(at.clocks.now()).toBeUndefined();
    expect(at.clocks.alarms[0]?.name).toBe('clocks-differ');
  });

  test('are not believed when they answer too slowly, or to an older question, nor for ever', async () => {
    const at = stage();
    await answer(at, two, 0, CLOCK_ERROR_MS_MAX * 2 + 10);
    expect(at.clocks.now()).toBeUndefined();
    const late = { question: at.asked(), wall: at.clock.wall() };
    at.clocks.ask();
    at.clocks.told(two, late);
    expect(at.clocks.now()).toBeUndefined();
    await answer(at, two, 0);
    expect(at.clocks.now()).toBeDefined();
    await at.clock.run(millis(CLOCK_KEPT_MS + 1));
    at.clocks.ask();
    expect(at.clocks.now()).toBeUndefined();
  });
});

describe('a cluster', () => {
  async function running(seed: number): Promise<VirtualCluster> {
    const cluster = new VirtualCluster(3, seed);
    for (const id of [1, 2, 3]) await cluster.clock.settle(cluster.start(id));
    await cluster.converge();
    return cluster;
  }

  test.each([HOUR_MS, -HOUR_MS])(
    'whose leader’s clock jumps by %d ms keeps the time, says so, and is led by another',
    async (jump) => {
      const cluster = await running(7);
      const client = await cluster.client('ward');
      const leader = cluster.leader.status().replicaId;
      const raise = async (dedupKey: string): Promise<number> => {
        const alarm = { dedupKey, condition: 'HR:HI', priority: 'high' } as const;
        const { alertId: id } = await cluster.clock.settle(client.raise(alarm));
        const { value } = await cluster.clock.settle(client.get({ id }));
        return Math.abs((value?.raisedAt ?? 0) - cluster.clock.wall());
      };
      expect(await raise('before')).toBeLessThan(CLOCK_SKEW_MS_MAX);
      const machine = cluster.machines[leader - 1];
      if (machine !== undefined) machine.clock.offset = jump;
      expect(await raise('at once')).toBeLessThan(CLOCK_SKEW_MS_MAX);
      for (let waited = 0; waited < 60_000; waited += 100) {
        await cluster.clock.run(100);
        if (cluster.leader.status().replicaId !== leader) break;
      }
      expect(cluster.leader.status().replicaId).not.toBe(leader);
      const names = cluster.running.map(({ replica }) => replica?.status().alarms[0]?.name);
      expect(names.toSorted()).toEqual(['clock-off', 'peer-clock-off', 'peer-clock-off']);
      expect(await raise('after')).toBeLessThan(CLOCK_SKEW_MS_MAX);
      await cluster.close();
    },
  );

  test('that has only the member whose clock is off and one other left does not stand still in time', async () => {
    const cluster = await running(9);
    const leader = cluster.leader.status().replicaId;
    const [other = replicaId(1)] = [1, 2, 3].map(replicaId).filter((id) => id !== leader);
    cluster.crash(other, 'lost');
    const machine = cluster.machines[leader - 1];
    if (machine !== undefined) machine.clock.offset = HOUR_MS;
    const client = await cluster.client('ward');
    await cluster.clock.settle(
      client.raise({
        dedupKey: 'k',
        condition: 'HR:HI',
        priority: 'high',
        acknowledgementSeconds: 10,
      }),
    );
    const acked = await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
    expect(acked.state).toBe('ACTIVE_ACK');
    const stateNow = async (): Promise<boolean | undefined> =>
      (await cluster.clock.settle(client.get({ dedupKey: 'k' }))).value?.acknowledged;
    await cluster.clock.run(8_000);
    expect(await stateNow()).toBe(true);
    await cluster.clock.run(4_000);
    expect(await stateNow()).toBe(false);
    await cluster.close();
  });
});
