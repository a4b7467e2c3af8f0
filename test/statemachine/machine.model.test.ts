import { equal, ok } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import { RANK } from '../../src/statemachine/alerts/transitions.ts';
import type { Batch } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { Alert, AlertEvent } from '../../src/statemachine/types.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { bare, deepFreeze, play, SMALL_LIMITS, story, write } from './stories.ts';

/** How many stories. */
const RUNS = 2_000;

/** `toEqual` explains, and is slow; this asks it only when there is something to explain. */
function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) {
    expect(actual).toStrictEqual(expected);
    throw new Error('differs, in a way that toStrictEqual does not see');
  }
}

const everything = (machine: AlertMachine): readonly Alert[] =>
  machine.list({}, { limit: 1_000 }).alerts;

/** Invariants of domain model A.3, between two states of one machine. */
class Watch {
  readonly #ended = new Set<string>();
  readonly #voided = new Set<string>();
  readonly #endedByHand = new Set<string>();
  readonly #steps = new Set<string>();
  readonly #newest = new Map<string, Alert>();
  #revision = 0;
  #index = 0;

  check(machine: AlertMachine, events: readonly AlertEvent[]): void {
    for (const event of events) this.#checkEvent(event);
    equal(machine.revision, this.#revision);
    const now = everything(machine);
    const open = now.filter((alert) => alert.resolution === undefined);
    // I1: at most one open occurrence of a condition.
    equal(new Set(open.map((alert) => alert.dedupKey)).size, open.length);
    equal(machine.openCount, open.length);
    for (const alert of open) checkEscalation(machine, alert, this.#endedByHand);
    // I5: a record is what its alert's newest event showed; nobody else's command changed it.
    for (const alert of now) same(alert, this.#newest.get(alert.id));
  }

  /** I7: each step of each loop of an activation is carried out once. */
  #checkStep({ effect, alert: { id, activation, escalation } }: AlertEvent): void {
    if (effect !== 'notified' || escalation === undefined) return;
    const step = `${id} ${activation} ${escalation.loop} ${escalation.step}`;
    equal(this.#steps.has(step), false, step);
    this.#steps.add(step);
  }

  #checkEvent(event: AlertEvent): void {
    const { alert } = event;
    // I3: revisions are contiguous, log indexes never fall, an alert's versions are contiguous.
    equal(event.revision, this.#revision + 1);
    ok(event.index >= this.#index, `index fell from ${this.#index} to ${event.index}`);
    equal(alert.revision, event.revision);
    equal(alert.version, (this.#newest.get(alert.id)?.version ?? 0) + 1);
    // I8: nothing leads out of RESOLVED, but that it is found to have been entered in error (T26).
    equal(this.#ended.has(alert.id) && event.effect !== 'voided', false);
    if (alert.resolution !== undefined) this.#ended.add(alert.id);
    if (event.effect === 'voided') equal(this.#voided.has(alert.id), false);
    if (event.effect === 'voided') this.#voided.add(alert.id);
    if (['resolved', 'discharged', 'voided'].includes(event.effect))
      this.#endedByHand.add(alert.dedupKey);
    this.#checkStep(event);
    this.#newest.set(alert.id, alert);
    this.#revision = event.revision;
    this.#index = event.index;
  }
}

/** I2: while nobody sees to an alert that a policy applies to, something is due, or it is said that nobody answered. */
function checkEscalation(machine: AlertMachine, alert: Alert, ended: ReadonlySet<string>): void {
  const { escalation, acknowledged, id } = alert;
  const policy = escalation && machine.policyOf(escalation);
  if (policy === undefined || acknowledged) return;
  if (escalation?.step === 0 && RANK[alert.priority] < RANK[policy.minPriority]) return;
  // Somebody may have ended that alert by hand; nobody else can clear it.
  const isSaid = (): boolean => machine.get({ dedupKey: `tocsin:unanswered:${id}` }) !== undefined;
  if (escalation?.exhausted) ok(ended.has(`tocsin:unanswered:${id}`) || isSaid(), id);
  else
    ok(
      escalation?.dueAt !== undefined && escalation.dueAt > machine.time,
      `${id} waits for nothing`,
    );
}

/** Each patient is in the bed that names them, and no bed names anybody else. */
function checkBeds(machine: AlertMachine): void {
  const beds = machine.records('bed', 0, 1_000).records;
  const patients = machine.records('patient', 0, 1_000).records;
  for (const { id, place } of patients) {
    const named = beds.filter(({ patient }) => patient === id);
    same(
      named.map(({ id: bed }) => bed),
      place ? [`${place.unit}/${place.bed}`] : [],
    );
  }
  for (const { patient } of beds)
    ok(patient === undefined || patients.some(({ id }) => id === patient), `${patient} is nobody`);
}

/** Whether the records beside the alerts, and the marks that follow from them, are those of the model. */
function checkRecords(machine: AlertMachine, model: ReferenceModel): void {
  same(machine.records('silence', 0, 1_000).records, model.silences);
  same(machine.records('window', 0, 1_000).records, model.windows);
  same(machine.records('source', 0, 1_000).records, model.sources);
  same(machine.records('incident', 0, 1_000).records, model.incidents);
  same(machine.records('rule', 0, 1_000).records, model.rules);
  same(machine.records('schedule', 0, 1_000).records, model.schedules);
  same(machine.records('session', 0, 1_000).records, model.sessions);
  same(machine.records('inhibition', 0, 1_000).records, model.inhibitions);
  same(machine.records('bed', 0, 1_000).records, model.beds);
  same(machine.records('patient', 0, 1_000).records, model.patients);
  same(machine.records('device', 0, 1_000).records, model.devices);
  for (const alert of model.all()) same(machine.badgesOf(alert), model.badges(alert));
}

describe('random stories', () => {
  // Four parts of 500 stories, so that no part comes near the time allowed on a busy machine.
  test.each([1, 2, 3, 4])('the machine does what the domain table says (part %i of 4)', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const model = new ReferenceModel(SMALL_LIMITS);
        const batches = write(steps, model);
        const machine = new AlertMachine(SMALL_LIMITS, packed());
        const replay = new ReferenceModel(SMALL_LIMITS);
        const watch = new Watch();
        for (const batch of batches) {
          const out: Applied = { replies: [], events: [] };
          const had = replay.events.length;
          machine.apply(batch, out);
          deepFreeze(out);
          replay.begin(batch);
          const expected = batch.submissions.map((one) => replay.submit(one));
          same(out.replies.map(bare), expected);
          same(out.events, replay.events.slice(had));
          same(
            everything(machine).map((alert) => alert.id),
            replay.all().map((alert) => alert.id),
          );
          same(machine.time, replay.time);
          same(machine.records('notification', 0, 10_000).records, replay.notifications);
          same(
            machine.records('policy', 0, 100).records,
            replay.policies.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
          );
          checkRecords(machine, replay);
          checkBeds(machine);
          watch.check(machine, out.events);
        }
        same(everything(machine), model.all());
        for (const alert of model.all()) {
          same(machine.get({ id: alert.id }), alert);
          const { dedupKey } = alert;
          same(machine.get({ dedupKey }), model.find({ dedupKey }));
        }
      }),
      { numRuns: RUNS / 4 },
    );
  });

  test('replaying a log gives the same state and the same digest (I10)', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const first = play(batches);
        const second = play(batches);
        expect(second.machine.digest).toBe(first.machine.digest);
        same(second.events, first.events);
        same(second.replies, first.replies);
      }),
      { numRuns: 200 },
    );
  });

  test('how commands are split into entries decides nothing but the index of their events', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const single = batches.flatMap((batch) =>
          batch.submissions.map((submission) => ({ ...batch, submissions: [submission] })),
        );
        const numbered: Batch[] = single.map((batch, i) => ({ ...batch, index: logIndex(i + 1) }));
        const together = play(batches);
        const apart = play(numbered);
        const unplaced = (events: readonly AlertEvent[]): unknown =>
          events.map((event) => ({ ...event, index: 0 }));
        same(apart.replies, together.replies);
        same(unplaced(apart.events), unplaced(together.events));
        same(everything(apart.machine), everything(together.machine));
      }),
      { numRuns: 200 },
    );
  });

  test('a log whose every command arrives twice gives the events of the log itself', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const twice: Batch[] = batches.map((batch) => ({
          ...batch,
          submissions: batch.submissions.flatMap((one) => [one, one]),
        }));
        const once = play(batches);
        const again = play(twice);
        same(again.events, once.events);
        const everySecond = again.replies.filter((_, i) => i % 2 === 1);
        same(
          again.replies.filter((_, i) => i % 2 === 0),
          once.replies,
        );
        same(everySecond, once.replies);
      }),
      { numRuns: 200 },
    );
  });

  test('a whole log applied a second time changes nothing while its replies are kept', () => {
    const limits = { ...SMALL_LIMITS, repliesMax: 100 };
    fc.assert(
      fc.property(story, (steps) => {
        const batches = write(steps, new ReferenceModel(limits));
        const { machine, replies, events } = play(batches, limits);
        const before = everything(machine);
        const out: Applied = { replies: [], events: [] };
        let index = Number(machine.applied);
        for (const batch of batches) {
          index += 1;
          machine.apply({ ...batch, index: logIndex(index) }, out);
        }
        same(out.replies, replies);
        same(out.events, []);
        expect(machine.revision).toBe(events.length);
        same(everything(machine), before);
      }),
      { numRuns: 200 },
    );
  });
});
