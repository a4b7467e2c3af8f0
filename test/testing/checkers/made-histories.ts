import { logIndex, unixMillis } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import type { Command, Submission } from '../../../src/statemachine/commands.ts';
import { AlertMachine } from '../../../src/statemachine/machine.ts';
import {
  type AppliedEvent,
  isDone,
  type Priority,
  type Reply,
} from '../../../src/statemachine/types.ts';
import {
  type Get,
  type History,
  type List,
  type Operation,
  type SeenAlert,
  type SeenEvent,
  type SeenMessage,
  seen,
  type WatchLog,
  type Write,
  type WriteOutcome,
} from '../../../src/testing/checkers/history.ts';

/** How large a made history is. */
export interface Size {
  readonly processes: number;
  readonly operationsEach: number;
  readonly keys: number;
  readonly units: number;
  readonly unknown: number;
  readonly watches: number;
}

export const SMALL: Size = {
  processes: 5,
  operationsEach: 12,
  keys: 3,
  units: 2,
  unknown: 0.05,
  watches: 3,
};

const PRIORITIES: readonly Priority[] = ['low', 'medium', 'high'];

/** When an operation was called, took effect on the one true machine, and ended. */
interface Slot {
  readonly process: number;
  readonly count: number;
  readonly call: number;
  readonly at: number;
  readonly end: number;
}

/**
 * A history that is good by construction: operations that overlap at random, carried out one after another by the
 * production machine, each at some moment between its call and its end.
 */
export function makeHistory(seed: number, size: Size = SMALL): History {
  return new Maker(seed, size).make();
}

class Maker {
  readonly #prng: Prng;
  readonly #size: Size;
  readonly #machine = new AlertMachine({ repliesMax: 2 ** 10 });
  readonly #events: SeenEvent[] = [];
  /** Revisions that each process has seen, by key: what it may expect. */
  readonly #known: Map<string, number> = new Map();
  #index = 0;

  constructor(seed: number, size: Size) {
    this.#prng = new Prng(seed);
    this.#size = size;
  }

  make(): History {
    const slots = Array.from({ length: this.#size.processes }, (_, process) =>
      this.#slotsOf(process),
    ).flat();
    slots.sort((a, b) => a.at - b.at);
    const operations = slots.map((slot) => this.#perform(slot));
    operations.sort((a, b) => a.call - b.call);
    const watches = Array.from({ length: this.#size.watches }, (_, at) => this.#watch(at));
    return { operations, events: this.#events, watches };
  }

  #unit(key: number): string {
    return `u${key % this.#size.units}`;
  }

  #slotsOf(process: number): Slot[] {
    let now = this.#prng.between(0, 20);
    return Array.from({ length: this.#size.operationsEach }, (_, count) => {
      const call = now + this.#prng.between(0, 10);
      const at = call + this.#prng.between(0, 10) + this.#prng.unit();
      const end = Math.ceil(at) + this.#prng.between(0, 10);
      now = end + 1;
      return { process, count, call, at, end };
    });
  }

  #perform(slot: Slot): Operation {
    const { process, call, end } = slot;
    const key = `k${this.#prng.between(1, this.#size.keys)}`;
    const timed = { process, call, end };
    const draw = this.#prng.unit();
    const { revision } = this.#machine;
    if (draw < 0.25) {
      const alert = this.#machine.get({ dedupKey: key });
      if (alert !== undefined) this.#known.set(`${process} ${key}`, alert.revision);
      const value = alert === undefined ? undefined : seen(alert);
      const answer = this.#prng.chance(0.03) ? undefined : { revision, value };
      return { kind: 'get', key, ...timed, consistency: 'linearizable', answer } satisfies Get;
    }
    if (draw < 0.35) {
      const unit = this.#unit(this.#prng.between(1, this.#size.keys));
      const { alerts } = this.#machine.list({ unit, open: true }, { limit: 1000 });
      const answer = { revision, alerts: alerts.map(seen) };
      return { kind: 'list', unit, ...timed, consistency: 'linearizable', answer } satisfies List;
    }
    return this.#write(slot, key);
  }

  #write(slot: Slot, key: string): Write {
    const prng = this.#prng;
    const kind = prng.pick(['raise', 'raise', 'clear', 'acknowledge'] as const);
    const known = this.#known.get(`${slot.process} ${key}`);
    const raise = {
      priority: prng.pick(PRIORITIES),
      latching: prng.chance(0.4),
      acknowledgementRequired: prng.chance(0.4),
      unit: this.#unit(Number(key.slice(1))),
    };
    const write: Omit<Write, 'outcome'> = {
      kind,
      id: `p${slot.process}.${slot.count}`,
      key,
      process: slot.process,
      call: slot.call,
      end: slot.end,
      ...(prng.chance(0.4) && known !== undefined ? { expectedRevision: known } : {}),
      ...(kind === 'raise' ? raise : {}),
    };
    const isUnknown = prng.chance(this.#size.unknown);
    if (isUnknown && prng.chance(0.5))
      return { ...write, end: Number.POSITIVE_INFINITY, outcome: { type: 'unknown' } };
    if (prng.chance(0.02)) return { ...write, outcome: { type: 'none' } };
    const outcome = outcomeOf(this.#apply(write));
    if (outcome.type === 'done') this.#known.set(`${slot.process} ${key}`, outcome.revision);
    if (isUnknown) return { ...write, end: Number.POSITIVE_INFINITY, outcome: { type: 'unknown' } };
    return { ...write, outcome };
  }

  #apply(write: Omit<Write, 'outcome'>): Reply {
    this.#index += 1;
    const submission: Submission = {
      key: this.#index.toString(16).padStart(32, '0'),
      fingerprint: this.#index,
      command: commandOf(write),
    };
    const out: { replies: Reply[]; events: AppliedEvent[] } = { replies: [], events: [] };
    const batch = { index: logIndex(this.#index), time: unixMillis(this.#index) };
    this.#machine.apply({ ...batch, submissions: [submission] }, out);
    for (const { revision, effect, actor, alert } of out.events)
      this.#events.push({ revision, effect, actor, alert: seen(alert) });
    const [reply] = out.replies;
    if (reply === undefined) throw new Error('no reply');
    return reply;
  }

  #watch(at: number): WatchLog {
    const prng = this.#prng;
    const from = prng.between(1, Math.max(1, this.#events.length));
    const unit = prng.chance(0.5) ? this.#unit(prng.between(1, this.#size.keys)) : undefined;
    const isOpenOnly = prng.chance(0.5);
    const wants = (alert: SeenAlert | undefined): boolean =>
      alert !== undefined &&
      (unit === undefined || alert.unit === unit) &&
      !(isOpenOnly && alert.state === 'RESOLVED');
    const messages: SeenMessage[] = [];
    const end = prng.between(from, this.#events.length + 1);
    for (let revision = from; revision < end; revision += 1) {
      const event = this.#events[revision - 1] as SeenEvent;
      const { alert } = event;
      const before = this.#events
        .slice(0, revision - 1)
        .findLast(({ alert: { id } }) => id === alert.id)?.alert;
      if (wants(alert) || wants(before))
        messages.push({ type: 'event', event, leaves: !wants(alert) });
      if (prng.chance(0.2)) messages.push({ type: 'progress', revision });
    }
    return { name: `watch ${at}`, from, unit, isOpenOnly, messages };
  }
}

function outcomeOf(reply: Reply): WriteOutcome {
  if (!reply.ok) return { type: 'refused', code: reply.code };
  if (!isDone(reply)) throw new Error(`a reply about record ${reply.id}`);
  const { effect, alertId, activation, revision, state } = reply;
  return { type: 'done', effect, alertId, activation, revision, state };
}

function commandOf(write: Omit<Write, 'outcome'>): Command {
  const guard =
    write.expectedRevision === undefined
      ? {}
      : { expectedRevision: write.expectedRevision as AppliedEvent['revision'] };
  const origin = { actor: write.id, observedAt: unixMillis(1), ...guard };
  if (write.kind !== 'raise')
    return { type: write.kind, target: { dedupKey: write.key }, ...origin };
  return {
    type: 'raise',
    ...origin,
    dedupKey: write.key,
    kind: 'physiological',
    priority: write.priority ?? 'none',
    condition: 'HR:HI',
    text: write.id,
    subject: { unit: write.unit ?? '' },
    latching: write.latching ?? false,
    acknowledgementRequired: write.acknowledgementRequired ?? false,
  };
}
