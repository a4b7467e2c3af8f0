import fc from 'fast-check';
import { expect, test } from 'vitest';
import { millis, revision } from '../../src/base/ids.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { WatchHub } from '../../src/replica/service/watch-hub.ts';
import { Turns } from '../../src/replica/turns.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import type { Batch } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { AlertFilter, AppliedEvent } from '../../src/statemachine/types.ts';
import { WatchReader } from '../../src/wire/clients/watch-messages.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { ReferenceModel } from '../statemachine/reference-model.ts';
import { SMALL_LIMITS, story, write } from '../statemachine/stories.ts';
import { ScriptedChannel } from './scripted.ts';

/** What a filter may ask for that changes in the life of an alert. */
const filter: fc.Arbitrary<AlertFilter> = fc.constantFrom<AlertFilter>(
  {},
  { open: true },
  { states: ['ACTIVE_UNACK'] },
  { states: ['LATCHED', 'RTN_UNACK'] },
  { priorities: ['high'] },
  { unit: 'icu-1' },
  { bed: '2', open: true },
  { device: 'm2' },
  { stale: true },
  { text: 'probe' },
);

/** Applies a story while somebody watches it, from a revision on; answers what the watcher was told. */
async function watched(
  batches: readonly Batch[],
  narrow: AlertFilter,
  from: number,
  historyEventsMax: number,
): Promise<{ state: AppliedState; told: WatchMessage[]; events: AppliedEvent[] }> {
  const clock = new VirtualClock();
  const state = new AppliedState(new AlertMachine(SMALL_LIMITS), historyEventsMax);
  const hub = new WatchHub(state, clock, new Turns(clock));
  const channel = new ScriptedChannel();
  const events: AppliedEvent[] = [];
  const other = new ScriptedChannel();
  hub.add(channel, 1, revision(from), narrow);
  hub.add(other, 1, revision(1), {}); // given the same bytes, for which nothing ever leaves
  for (const batch of batches) {
    const out: Applied = { replies: [], events: [] };
    state.machine.apply(batch, out);
    for (const event of out.events) state.history.push(event);
    events.push(...out.events);
    hub.wake();
    await clock.run(batch.index % 3 === 0 ? 600 : 0);
  }
  await clock.run(millis(600));
  hub.close();
  for (const message of messagesOf(other)) expect(message).not.toHaveProperty('leaves');
  return { state, told: messagesOf(channel), events };
}

function messagesOf(channel: ScriptedChannel): WatchMessage[] {
  const reader = new WatchReader();
  return channel.watched(1).flatMap((body) => reader.read(body));
}

test('who keeps what a filtered watch tells knows at its end which open alerts match', async () => {
  await fc.assert(
    fc.asyncProperty(story, filter, fc.integer({ min: 1, max: 30 }), async (steps, narrow, max) => {
      const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
      const { state, told } = await watched(batches, narrow, 1, max);
      const known = new Map<string, number>();
      for (const message of told) {
        if (message.type === 'compacted') known.clear();
        const alerts = message.type === 'compacted' ? message.alerts : [];
        for (const { id, revision: at, resolution } of alerts)
          if (resolution === undefined) known.set(id, at);
        if (message.type !== 'event') continue;
        const { id, revision: at, resolution } = message.event.alert;
        if (message.leaves) expect(known.delete(id)).toBe(true);
        else known.set(id, at);
        if (resolution !== undefined) known.delete(id);
      }
      const { alerts } = state.machine.list({ open: true, ...narrow }, { limit: 1_000 });
      for (const { id, revision: at } of alerts) expect(known.get(id)).toBe(at);
      const open = [...known.keys()].filter(
        (id) => state.machine.get({ id: id as `A${number}` })?.resolution === undefined,
      );
      expect(open).toHaveLength(alerts.filter(({ resolution }) => !resolution).length);
    }),
    { numRuns: 300 },
  );
});

test('of a transaction a watcher is told all that matches, or nothing yet', async () => {
  await fc.assert(
    fc.asyncProperty(
      story,
      filter,
      fc.integer({ min: 1, max: 12 }),
      async (steps, narrow, from) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const { told, events } = await watched(batches, narrow, from, 1_000);
        const transactionOf = (at: number): number | undefined => events[at - 1]?.transaction;
        told.forEach((message, at) => {
          const next = told[at + 1];
          const own = message.type === 'event' ? transactionOf(message.event.revision) : undefined;
          const isContinued =
            own !== undefined &&
            next?.type === 'event' &&
            transactionOf(next.event.revision) === own;
          expect(message.type === 'event' && message.more === true).toBe(isContinued);
          if (message.type === 'event') return;
          // Progress never stands within one, so who resumes there misses no part of it.
          const within = transactionOf(message.revision);
          expect(within === undefined || within !== transactionOf(message.revision + 1)).toBe(true);
        });
      },
    ),
    { numRuns: 300 },
  );
});
