import { type Condition, openOf, perform } from './condition-model.ts';
import {
  differenceOf,
  FINDINGS_MAX,
  type Finding,
  type Get,
  type History,
  isWrite,
  type List,
  type Operation,
  type SeenAlert,
  type SeenEvent,
  type Write,
} from './history.ts';
import type { Rule } from './rules.ts';
import { provenBy } from './settled.ts';

/**
 * The check by revision. Every change has a place in one order, the revisions; so instead of searching for an order that
 * explains the history, take the one that the cluster claims and hold everything against it: real time, a replay on a
 * model of our own, what each caller was told, and that every command stands in it once or, where its caller was told
 * so, not at all. O(n log n). It trusts the revisions that the cluster gives; linearizability.ts does not.
 */
export function checkVersionOrder(history: History): readonly Finding[] {
  const check = new VersionOrder(history);
  check.matchEvents();
  check.replay();
  check.holdRealTime();
  check.explainUnchanged();
  return check.findings;
}

/** One state of a condition, and the revision from which on it was in force. */
interface Version {
  readonly from: number;
  readonly condition: Condition;
}

class VersionOrder {
  readonly findings: Finding[] = [];
  readonly #history: History;
  readonly #base: number;
  readonly #last: number;
  readonly #writes: Map<string, Write> = new Map();
  #ours: Set<string> | undefined;
  /** Revision of the event that a write caused. */
  readonly #placeOf: Map<string, number> = new Map();
  readonly #versions: Map<string, Version[]> = new Map();
  readonly #units: Map<string, Map<string, SeenAlert>> = new Map();
  /** For each operation, the highest revision that was known before it was called. */
  readonly #floors: Float64Array;

  constructor(history: History) {
    this.#history = history;
    this.#base = history.base ?? 0;
    this.#last = this.#base + history.events.length;
    this.#floors = floors(history.operations);
    for (const operation of history.operations)
      if (isWrite(operation)) this.#writes.set(operation.id, operation);
  }

  /** Revisions are 1, 2, 3 …; each event has one cause; each cause was told the truth about its event. */
  matchEvents(): void {
    this.#history.events.forEach((event, at) => {
      const due = this.#base + at + 1;
      if (event.revision !== due)
        this.#find('contiguous', `event ${event.revision} where ${due} is due`);
      const write = this.#writes.get(event.actor);
      if (write === undefined) {
        if (this.#history.elsewhere?.has(event.revision) || this.#isForeign(event)) return;
        this.#find('phantom', `nobody asked for event ${event.revision} by ${event.actor}`);
        return;
      }
      const before = this.#placeOf.get(event.actor);
      if (before !== undefined)
        this.#find('exactly-once', `${event.actor} happened at ${before} and ${event.revision}`);
      this.#placeOf.set(event.actor, event.revision);
    });
    for (const write of this.#writes.values()) this.#matchOutcome(write);
  }

  #isForeign({ alert }: SeenEvent): boolean {
    if (this.#history.isShared !== true) return false;
    this.#ours ??= new Set(Array.from(this.#writes.values(), ({ key }) => key));
    return !this.#ours.has(alert.key);
  }

  #matchOutcome({ id, outcome }: Write): void {
    const place = this.#placeOf.get(id);
    const changes = outcome.type === 'done' && outcome.effect !== 'unchanged';
    if (changes && place === undefined)
      this.#find('lost', `${id} was told ${outcome.effect} at ${outcome.revision}; it is gone`);
    else if (changes && place !== outcome.revision)
      this.#find('moved', `${id} was told revision ${outcome.revision}, it stands at ${place}`);
    else if (!changes && outcome.type !== 'unknown' && place !== undefined)
      this.#find('denied', `${id} was told ${outcome.type}, but it happened at ${place}`);
  }

  /** Carries out every event on the model, and compares what each reader saw on the way. */
  replay(): void {
    const reads = this.#history.operations.filter(
      (each): each is Get | List => !isWrite(each) && each.answer !== undefined,
    );
    reads.sort((a, b) => (a.answer?.revision ?? 0) - (b.answer?.revision ?? 0));
    let next = 0;
    const readTo = (revision: number): void => {
      for (let read = reads[next]; read !== undefined; read = reads[next]) {
        if ((read.answer?.revision ?? 0) > revision) return;
        this.#compareRead(read);
        next += 1;
      }
    };
    readTo(this.#base);
    for (const event of this.#history.events) {
      this.#replayEvent(event);
      readTo(event.revision);
    }
    for (const read of reads.slice(next))
      this.#find('future', `a read saw revision ${read.answer?.revision} of ${this.#last}`);
  }

  #replayEvent(event: SeenEvent): void {
    const write = this.#writes.get(event.actor);
    const { key } = event.alert;
    const before = this.#versions.get(key)?.at(-1)?.condition;
    const place = `event ${event.revision} by ${event.actor}`;
    if (write !== undefined) {
      const done = perform(before, write, event.revision);
      if (write.key !== key) this.#find('replay', `${place} is about ${key}, not ${write.key}`);
      else if ('code' in done) this.#find('replay', `${place} should have been ${done.code}`);
      else if (done.effect !== event.effect)
        this.#find('replay', `${place} is ${event.effect}, not ${done.effect}`);
      else {
        const difference = differenceOf(event.alert, done.after);
        if (difference !== undefined) this.#find('replay', `${place} left ${difference}`);
      }
      this.#compareReply(write, event);
    }
    this.#adopt(event);
  }

  #compareReply({ id, outcome }: Write, { alert, effect, revision }: SeenEvent): void {
    if (outcome.type !== 'done' || outcome.revision !== revision) return;
    const told = [outcome.effect, outcome.alertId, outcome.activation, outcome.state].join(' ');
    const is = [effect, alert.id, alert.activation, alert.state].join(' ');
    if (told !== is) this.#find('reply', `${id} was told ${told}, its event is ${is}`);
  }

  /** From here on the cluster's word stands, so that one fault is found once. */
  #adopt({ alert, revision }: SeenEvent): void {
    const versions = this.#versions.get(alert.key);
    const version = { from: revision, condition: alert };
    if (versions === undefined) this.#versions.set(alert.key, [version]);
    else versions.push(version);
    let unit = this.#units.get(alert.unit);
    if (unit === undefined) {
      unit = new Map();
      this.#units.set(alert.unit, unit);
    }
    if (alert.state === 'RESOLVED') unit.delete(alert.id);
    else unit.set(alert.id, alert);
  }

  #compareRead(read: Get | List): void {
    const { revision } = read.answer ?? { revision: 0 };
    if (read.kind === 'get') {
      const is = openOf(this.#versions.get(read.key)?.at(-1)?.condition);
      const difference = differenceOf(read.answer?.value, is);
      if (difference !== undefined)
        this.#find('read', `${nameOf(read)} at ${revision} saw ${difference}`);
      return;
    }
    const alerts = [...(this.#units.get(read.unit)?.values() ?? [])];
    const saw = read.answer?.alerts ?? [];
    if (saw.length !== alerts.length)
      this.#find('read', `${nameOf(read)} at ${revision} saw ${saw.length} of ${alerts.length}`);
    const differing = alerts.findIndex((alert, at) => differenceOf(saw[at], alert) !== undefined);
    if (saw.length === alerts.length && differing >= 0)
      this.#find(
        'read',
        `${nameOf(read)} at ${revision} saw ${differenceOf(saw[differing], alerts[differing])}`,
      );
  }

  /** Whoever was called after another had its answer comes after it in the order too. */
  holdRealTime(): void {
    this.#history.operations.forEach((operation, at) => {
      const floor = this.#floors[at] as number;
      if (isWrite(operation)) {
        const place = this.#placeOf.get(operation.id);
        if (place !== undefined && place <= floor)
          this.#find(
            'real-time',
            `${operation.id} stands at ${place}, but ${floor} was known before it was called`,
          );
        return;
      }
      const revision = operation.answer?.revision;
      if (operation.consistency === 'local' || revision === undefined || revision >= floor) return;
      this.#find('stale', `${nameOf(operation)} saw ${revision}, but ${floor} was known before`);
    });
  }

  /** What changed nothing has no place of its own: there must be one, while it was under way, that explains it. */
  explainUnchanged(): void {
    const { operations } = this.#history;
    const silent = (each: Operation): each is Write =>
      isWrite(each) &&
      (each.outcome.type === 'refused' ||
        (each.outcome.type === 'done' && each.outcome.effect === 'unchanged'));
    if (!operations.some(silent)) return;
    const ceilingOf = this.#ceilings();
    operations.forEach((operation, at) => {
      if (!silent(operation)) return;
      const [floor, ceiling] = [this.#floors[at] as number, ceilingOf[at] as number];
      const versions = this.#versions.get(operation.key) ?? [];
      let first = firstAfter(versions, floor) - 1;
      for (; first < versions.length; first += 1) {
        const version = versions[first];
        if (version !== undefined && version.from > ceiling) break;
        if (explains(operation, version?.condition)) return;
      }
      const told = operation.outcome.type === 'refused' ? operation.outcome.code : 'unchanged';
      this.#find(
        'unexplained',
        `${operation.id} was told ${told}, which nothing from ${floor} to ${ceiling} explains`,
      );
    });
  }

  /** The last revision that can have been reached when an operation ended: what was asked later comes later. */
  #ceilings(): Float64Array {
    const { operations } = this.#history;
    const lowestFrom = new Float64Array(operations.length + 1).fill(this.#last + 1);
    for (let at = operations.length - 1; at >= 0; at -= 1) {
      const operation = operations[at] as Operation;
      const place = isWrite(operation) ? this.#placeOf.get(operation.id) : undefined;
      lowestFrom[at] = Math.min(lowestFrom[at + 1] as number, place ?? this.#last + 1);
    }
    const ceilings = new Float64Array(operations.length);
    operations.forEach(({ end }, at) => {
      ceilings[at] = (lowestFrom[firstCalledAfter(operations, end)] as number) - 1;
    });
    return ceilings;
  }

  #find(rule: Rule, says: string): void {
    if (this.findings.length < FINDINGS_MAX) this.findings.push({ rule, says });
  }
}

const nameOf = (read: Get | List): string =>
  `${read.kind} of ${read.kind === 'get' ? read.key : read.unit} by process ${read.process}`;

/** For each operation, the highest revision proven by one that had ended before it was called. */
function floors(operations: readonly Operation[]): Float64Array {
  const byEnd = new Uint32Array(operations.length);
  const ends = new Float64Array(operations.length);
  operations.forEach(({ end }, at) => {
    byEnd[at] = at;
    ends[at] = end;
  });
  byEnd.sort((a, b) => (ends[a] as number) - (ends[b] as number));
  const result = new Float64Array(operations.length);
  let ended = 0;
  let floor = 0;
  operations.forEach((operation, at) => {
    for (; ended < byEnd.length; ended += 1) {
      const other = byEnd[ended] as number;
      if (!((ends[other] as number) < operation.call)) break;
      floor = Math.max(floor, provenBy(operations[other] as Operation));
    }
    result[at] = floor;
  });
  return result;
}

function explains(write: Write, condition: Condition): boolean {
  const done = perform(condition, write, 0);
  const { outcome } = write;
  if (outcome.type === 'refused') return 'code' in done && done.code === outcome.code;
  if (outcome.type !== 'done' || 'code' in done || done.effect !== 'unchanged') return false;
  const { id, activation, revision, state } = done.after;
  return (
    outcome.alertId === id &&
    outcome.activation === activation &&
    outcome.revision === revision &&
    outcome.state === state
  );
}

function firstAfter(versions: readonly Version[], revision: number): number {
  let [low, high] = [0, versions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle] as Version).from > revision) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstCalledAfter(operations: readonly Operation[], moment: number): number {
  let [low, high] = [0, operations.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((operations[middle] as Operation).call > moment) high = middle;
    else low = middle + 1;
  }
  return low;
}
