import { expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { SCHEDULE_AHEAD_MS, SCHEDULE_LEFT_MS_MIN } from '../../src/base/limits.ts';
import { coverageFrom } from '../../src/oncall/coverage.ts';
import type { Proposal } from '../../src/replica/pipeline/proposals.ts';
import { Rota } from '../../src/replica/rota.ts';
import type { Schedule } from '../../src/statemachine/beside/schedule.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { decodeSubmissions, encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { ProcessClock } from './process-clock.ts';

const DAY_MS = 86_400_000;
const WEEKS: Schedule = {
  timeZone: 'Europe/Berlin',
  layers: [
    {
      name: 'weeks',
      users: ['anna', 'ben'],
      rotation: { start: '2025-12-29T07:00', every: 1, unit: 'week' },
      restrictions: [],
    },
  ],
  overrides: [],
};

/** A rota beside a machine that applies what is proposed, and ticks. */
function stage() {
  const time = new VirtualClock();
  const clock = new ProcessClock(time);
  const machine = new AlertMachine();
  const standing = { role: 'leader', term: 1 };
  const lines: string[] = [];
  const proposed: Command[] = [];
  let index = 0;
  const out: Applied = { replies: [], events: [] };
  const apply = (bytes?: Uint8Array): void => {
    index += 1;
    const submissions = bytes === undefined ? [] : decodeSubmissions(bytes);
    for (const { command } of submissions) if (command !== undefined) proposed.push(command);
    machine.apply({ index: logIndex(index), time: clock.wall(), submissions }, out);
  };
  const propose = ({ commands, settle }: Proposal): void => {
    apply(commands);
    settle(out.replies.slice(-1));
  };
  const replica = { machine, standing, problem: undefined, propose };
  const rota = new Rota({ clock, replica, log: (line) => lines.push(line) });
  const set = (schedule: Schedule): void => {
    const coverage = coverageFrom(schedule, clock.wall());
    const asked = { actor: 'anna', observedAt: clock.wall() };
    const command = {
      type: 'set-schedule',
      id: 'icu',
      ...schedule,
      ...coverage,
      ...asked,
    } as const;
    apply(encodeCommand(command, keyFromText(`set ${index}`)));
  };
  const daysGoBy = async (count: number): Promise<void> => {
    for (let day = 0; day < count; day += 1) {
      clock.offset += DAY_MS;
      apply();
      await time.run(2_500);
    }
  };
  return { clock, machine, standing, lines, proposed, rota, set, daysGoBy };
}

const kept = ({ machine }: ReturnType<typeof stage>) => machine.records('schedule').records[0];

test('a leader works out the next shifts long before the known ones end, for ever', async () => {
  const at = stage();
  at.set(WEEKS);
  at.rota.start();
  const users = new Set<string>();
  for (let day = 0; day < 60; day += 1) {
    await at.daysGoBy(1);
    const { until = 0, shifts = [] } = kept(at) ?? {};
    const now = at.clock.wall();
    expect(until - now).toBeGreaterThanOrEqual(SCHEDULE_LEFT_MS_MIN - DAY_MS);
    const user = shifts.find((one) => one.from <= now && now < one.until)?.user;
    expect(user).toBeDefined();
    if (user !== undefined) users.add(user);
  }
  at.rota.stop();
  expect([...users].toSorted()).toEqual(['anna', 'ben']);
  const extensions = at.proposed.filter(({ type }) => type === 'extend-schedule');
  expect(extensions.length).toBeGreaterThan(5);
  expect(extensions.length).toBeLessThan(15);
  expect(at.lines).toEqual([]);
});

test('whoever does not lead leaves it alone', async () => {
  const at = stage();
  at.set(WEEKS);
  at.standing.role = 'follower';
  at.rota.start();
  await at.daysGoBy(30);
  at.rota.stop();
  expect(at.proposed.map(({ type }) => type)).toEqual(['set-schedule']);
});

test('a schedule that this machine cannot work out is complained of once', async () => {
  const at = stage();
  at.set({ ...WEEKS, layers: [] });
  const before = kept(at);
  if (before !== undefined)
    Object.assign(before, {
      timeZone: 'Mars/Olympus',
      until: unixMillis(at.clock.wall() + SCHEDULE_AHEAD_MS),
    });
  at.rota.start();
  await at.daysGoBy(20);
  at.rota.stop();
  expect(at.lines).toHaveLength(1);
  expect(at.lines[0]).toContain('Mars/Olympus');
});
