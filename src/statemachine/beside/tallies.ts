import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { TALLIES_OVER_MAX, TALLY_BEDS_MAX, TALLY_UNITS_MAX } from '../../base/limits.ts';
import type { Alert, AppliedEvent, Priority } from '../types.ts';
import { type RecordBase, Registry } from './registry.ts';

const DAY_MS = 86_400_000;

/** Upper bounds of waits, in seconds; what waited longer than the last is counted after it. */
export const WAIT_BOUNDS: readonly number[] = [5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

/**
 * What happened in one unit on one day (UTC, by log time), counted event by event: what is left to say of alarms once the
 * history no longer holds them. Nothing but events goes in, so going through them again gives the same.
 */
export interface Tally extends RecordBase {
  readonly day: UnixMillis;
  /** Empty = alerts that name none, and units beyond those that are told apart. */
  readonly unit: string;
  /** Raises that opened, and every later activation. */
  readonly annunciations: Readonly<Record<Priority, number>>;
  /** Of these: occurrences that began at once after the condition had ended. */
  readonly returned: number;
  /** Activations that were acknowledged, each once. */
  readonly acknowledged: number;
  /** Of first activations, by how long that took: see WAIT_BOUNDS. */
  readonly waits: readonly number[];
  /** Activations for which a second step of a policy was carried out. */
  readonly escalated: number;
  /** Activations that nobody answered in all loops of their policy. */
  readonly exhausted: number;
  /** Alerts that ended, and of these: by themselves, before anybody acknowledged them. */
  readonly ended: number;
  readonly endedAlone: number;
  /** Different beds that were heard of, as far as they are told apart. */
  readonly beds: number;
  /** Which, while the day lasts. */
  readonly bedsHeard: readonly string[];
  /** Whether the day is over. */
  readonly isOver: boolean;
}

/** The same while it is counted. */
interface Count {
  readonly tally: { -readonly [K in keyof Tally]: Tally[K] };
  readonly annunciations: Record<Priority, number>;
  readonly waits: number[];
  readonly beds: Set<string>;
}

/** Counts by day and unit: those of today, and as many of earlier days as are kept. */
export class Tallies {
  readonly registry: Registry<Tally> = new Registry<Tally>(
    TALLY_UNITS_MAX + 1,
    TALLIES_OVER_MAX,
    ({ isOver }) => !isOver,
  );
  readonly #today = new Map<string, Count>();
  /** Told of a day that is over, unit by unit. */
  readonly #onOver: (tally: Tally) => void;
  #day = 0;

  constructor(onOver: (tally: Tally) => void) {
    this.#onOver = onOver;
  }

  /** What did not count is over at once: most of what happens is that a condition goes on. */
  add(event: AppliedEvent): void {
    const { alert, before, effect } = event;
    switch (effect) {
      case 'raised':
      case 'reactivated':
      case 'escalated':
      case 'lapsed':
        this.#annunciated(event);
        return;
      case 'acknowledged':
        if (before !== undefined && !isAnswered(before)) this.#acknowledged(event);
        break;
      case 'notified':
        if (isSecond(before)) this.#count(event).tally.escalated += 1;
        break;
      case 'exhausted':
        this.#count(event).tally.exhausted += 1;
    }
    if (alert.resolution !== undefined && before?.resolution === undefined) this.#ended(event);
  }

  /** Makes the registry say what was counted. */
  settle(): void {
    for (const { tally, annunciations, waits, beds } of this.#today.values())
      if (this.registry.live(tally.id)?.version !== tally.version)
        this.registry.put({
          ...tally,
          annunciations: { ...annunciations },
          waits: [...waits],
          beds: beds.size,
          bedsHeard: [...beds],
        });
  }

  /** Takes in one of a snapshot. */
  restore(tally: Tally): void {
    this.registry.put(tally);
    this.#day = Math.max(this.#day, tally.day);
    if (!tally.isOver) this.#today.set(tally.unit, countOf(tally));
  }

  #annunciated(event: AppliedEvent): void {
    const { alert, effect } = event;
    const count = this.#count(event);
    count.annunciations[alert.priority] += 1;
    if (effect === 'raised' && alert.flaps > 0) count.tally.returned += 1;
    const { bed } = alert.subject;
    if (bed !== undefined && count.beds.size < TALLY_BEDS_MAX) count.beds.add(bed);
  }

  #acknowledged(event: AppliedEvent): void {
    const { alert, time } = event;
    const { tally, waits } = this.#count(event);
    tally.acknowledged += 1;
    if (alert.activation > 1) return;
    const seconds = (time - alert.raisedAt) / 1_000;
    const place = WAIT_BOUNDS.findIndex((bound) => seconds < bound);
    const at = place < 0 ? WAIT_BOUNDS.length : place;
    waits[at] = (waits[at] ?? 0) + 1;
  }

  #ended(event: AppliedEvent): void {
    const { resolution, acknowledgements } = event.alert;
    const { tally } = this.#count(event);
    tally.ended += 1;
    if (resolution?.how === 'auto' && acknowledgements.length === 0) tally.endedAlone += 1;
  }

  /** The count of the unit and day of an event, which is one more of those that it holds. */
  #count({ time, alert }: AppliedEvent): Count {
    if (time >= this.#day + DAY_MS) this.#turn(time);
    const { unit = '' } = alert.subject;
    const isKnown = this.#today.has(unit) || this.#today.size < TALLY_UNITS_MAX;
    const count = this.#of(isKnown ? unit : '');
    count.tally.version += 1;
    return count;
  }

  #of(unit: string): Count {
    const known = this.#today.get(unit);
    if (known !== undefined) return known;
    const made = countOf(emptyTally(unixMillis(this.#day), unit));
    this.#today.set(unit, made);
    return made;
  }

  /** Another day: the counts of the last one are done. */
  #turn(time: UnixMillis): void {
    this.settle();
    for (const { tally } of this.#today.values()) {
      const last = this.registry.live(tally.id);
      if (last === undefined) continue;
      const done: Tally = { ...last, bedsHeard: [], isOver: true };
      this.registry.put(done);
      this.#onOver(done);
    }
    this.#today.clear();
    this.#day = time - (time % DAY_MS);
  }
}

const isAnswered = ({ acknowledgements, activation }: Alert): boolean =>
  acknowledgements.some((one) => one.activation === activation);

/** Whether what comes after one step of the first loop is carried out. */
const isSecond = (before: Alert | undefined): boolean =>
  before?.escalation?.loop === 0 && before.escalation.step === 1;

const emptyTally = (day: UnixMillis, unit: string): Tally => ({
  id: `${day / DAY_MS}/${unit}`,
  version: 0,
  day,
  unit,
  annunciations: { high: 0, medium: 0, low: 0, none: 0 },
  returned: 0,
  acknowledged: 0,
  waits: Array.from({ length: WAIT_BOUNDS.length + 1 }, () => 0),
  escalated: 0,
  exhausted: 0,
  ended: 0,
  endedAlone: 0,
  beds: 0,
  bedsHeard: [],
  isOver: false,
});

const countOf = (tally: Tally): Count => ({
  tally: { ...tally },
  annunciations: { ...tally.annunciations },
  waits: [...tally.waits],
  beds: new Set(tally.bedsHeard),
});
