import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { logIndex } from '../../src/base/ids.ts';
import { NOTIFY_RETRY_MS, TICK_MS } from '../../src/base/limits.ts';
import type { Delivery, Page, Sender } from '../../src/notify/types.ts';
import { type NotifiedReplica, Notifier } from '../../src/replica/notifier.ts';
import type { Proposal } from '../../src/replica/pipeline/proposals.ts';
import type { Notification } from '../../src/statemachine/beside/notifications.ts';
import type { Command, Submission } from '../../src/statemachine/commands.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { decodeSubmissions } from '../../src/wire/commands/commands.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { submit } from '../statemachine/stories.ts';
import { raiseOf } from './scripted.ts';

/** A replica that leads as long as the test says, with one page to send. What is proposed to it waits. */
class Ward implements NotifiedReplica, Sender {
  readonly clock: VirtualClock = new VirtualClock();
  readonly machine: AlertMachine = new AlertMachine();
  readonly proposed: Proposal[] = [];
  readonly pages: Page[] = [];
  standing: NotifiedReplica['standing'] = { role: 'leader', term: 2 };
  problem: TocsinError | undefined;
  answer: (signal: AbortSignal) => Delivery | Promise<Delivery> = () => ({
    outcome: 'confirmed',
    detail: '',
  });
  readonly #notifier: Notifier;

  constructor() {
    const raise = raiseOf('k');
    const { actor, observedAt } = raise;
    const steps = [{ targets: ['webhook:first'], delaySeconds: 600 }];
    const asked = { actor, observedAt, id: 'default', repeat: 0, confirmSeconds: 60 } as const;
    this.#do({ type: 'set-policy', steps, minPriority: 'low', ...asked });
    this.#do(raise);
    const senders = new Map([['webhook', this]]);
    const log = (): void => undefined;
    this.#notifier = new Notifier({ clock: this.clock, replica: this, senders, log });
    this.#notifier.start();
  }

  async send(page: Page, signal: AbortSignal): Promise<Delivery> {
    this.pages.push(page);
    return this.answer(signal);
  }

  propose(proposal: Proposal): void {
    this.proposed.push(proposal);
  }

  get notification(): Notification | undefined {
    return this.machine.records('notification').records[0];
  }

  /** Applies what is in a report, as if it had been committed. */
  commit({ commands }: Proposal): void {
    this.#apply(decodeSubmissions(commands));
  }

  #do(command: Command): void {
    this.#apply([submit(`${this.machine.applied}`.padStart(32, '0'), command)]);
  }

  #apply(submissions: readonly Submission[]): void {
    const index = logIndex(this.machine.applied + 1);
    const time = this.clock.wall();
    this.machine.apply({ index, time, submissions }, { replies: [], events: [] });
  }

  stop(): void {
    this.#notifier.stop();
    expect(this.clock.pending).toBe(0);
  }
}

test('no page leaves a state that is in doubt; once it is not, what is queued leaves', async () => {
  const ward = new Ward();
  ward.problem = new TocsinError('UNAVAILABLE', 'the state is being rebuilt');
  await ward.clock.run(3 * NOTIFY_RETRY_MS);
  expect(ward.pages).toEqual([]);
  ward.problem = undefined;
  await ward.clock.run(TICK_MS);
  expect(ward.pages.map(({ id }) => id)).toEqual(['N1']);
  ward.stop();
});

test.each([
  ['is deposed', { standing: { role: 'follower', term: 3 } }],
  ['leads again in another term', { standing: { role: 'leader', term: 4 } }],
  ['finds its state in doubt', { problem: new TocsinError('UNAVAILABLE', 'in doubt') }],
])('whoever %s tries none of its pages again, and reports none', async (_what, learnt) => {
  const ward = new Ward();
  ward.answer = () => ({ outcome: 'failed', detail: '' });
  // The next attempt is due together with the tick at which the notifier would look for itself, and before it.
  await ward.clock.run(TICK_MS + NOTIFY_RETRY_MS - 1);
  expect(ward.pages).toHaveLength(1);
  Object.assign(ward, learnt);
  const isLeading = ward.standing.role === 'leader' && ward.problem === undefined;
  ward.answer = (signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve({ outcome: 'sent', detail: '' }));
    });
  await ward.clock.run(4 * NOTIFY_RETRY_MS);
  // A new reign begins anew, once.
  expect(ward.pages).toHaveLength(isLeading ? 2 : 1);
  expect(ward.proposed).toEqual([]);
  ward.standing = { role: 'follower', term: 9 };
  await ward.clock.run(TICK_MS);
  ward.stop();
});

test('what arrives after its leader was deposed is not reported', async () => {
  const ward = new Ward();
  let arrive = (_delivery: Delivery): void => undefined;
  ward.answer = () =>
    new Promise((resolve) => {
      arrive = resolve;
    });
  await ward.clock.run(TICK_MS);
  expect(ward.pages).toHaveLength(1);
  ward.standing = { role: 'follower', term: 3 };
  arrive({ outcome: 'confirmed', detail: '' });
  await ward.clock.run(10 * TICK_MS);
  expect(ward.proposed).toEqual([]);
  ward.stop();
});

test('reports of two reigns change a notification once, in whatever order they are committed', async () => {
  for (const late of [0, 1]) {
    const ward = new Ward();
    await ward.clock.run(TICK_MS);
    ward.standing = { role: 'leader', term: 4 };
    await ward.clock.run(TICK_MS);
    expect(ward.pages.map(({ id }) => id)).toEqual(['N1', 'N1']);
    const [first, second] = late === 0 ? [1, 0] : [0, 1];
    const before = ward.notification;
    ward.commit(ward.proposed[first] as Proposal);
    const after = ward.notification;
    expect(after).toMatchObject({ state: 'confirmed', version: (before?.version ?? 0) + 1 });
    ward.commit(ward.proposed[second] as Proposal);
    expect(ward.notification).toEqual(after);
    ward.stop();
  }
});
