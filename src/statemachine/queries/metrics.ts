import type { UnixMillis } from '../../base/ids.ts';
import { METRIC_KEYS_MAX, METRIC_SAMPLES_MAX } from '../../base/limits.ts';
import type { Alert, AlertEvent, AlertId, Priority } from '../types.ts';
import { Floods } from './floods.ts';

/**
 * How a ward's alarms behave, from the history of alerts alone: added to event by event, and the same as what going through the
 * whole history again gives. Sources: ISA-18.2 (floods, chattering, standing alarms, priority mix), AAMI and ECRI (alarms per
 * bed-day).
 */
export interface AlarmReport {
  readonly from: UnixMillis | undefined;
  readonly until: UnixMillis | undefined;
  /** Nothing happened before `from` that is no longer kept. */
  readonly isWhole: boolean;
  /** Annunciations: raises that opened, and every later activation. */
  readonly annunciations: number;
  readonly byPriority: Readonly<Record<Priority, number>>;
  /** Days of 24 hours that beds were heard of, each from its first alarm on; and the annunciations about beds for each. */
  readonly bedDays: number;
  readonly perBedDay: number;
  /** Times that a unit was flooded, and the share of the time of all units that this took. */
  readonly floods: number;
  readonly floodShare: number;
  /** Annunciations that were the third or later of their condition within a minute. */
  readonly chattering: number;
  /** Conditions that are there, and have been for more than a day. */
  readonly standing: number;
  /** The conditions annunciated most often, at most ten, and their share of all annunciations. */
  readonly worst: readonly BadActor[];
  readonly worstShare: number;
  /** Milliseconds from annunciation to acknowledgement, of the newest METRIC_SAMPLES_MAX. */
  readonly acknowledgedAfter: Waits | undefined;
  /** The same by how many alarms of the unit had gone by themselves in the two hours before. */
  readonly afterFalseAlarms: readonly ExposedWaits[];
  /** Of the activations acknowledged: those that were acknowledged within two seconds of another one by the same person. */
  readonly reflex: number;
  readonly reflexShare: number;
  /** Activations for which at least a second step of a policy was carried out, or one step again, of all. */
  readonly escalatedShare: number;
}

export interface Waits {
  readonly median: number;
  readonly p95: number;
}

export interface ExposedWaits {
  /** Alarms that nobody had to answer: at least so many. */
  readonly from: number;
  readonly count: number;
  readonly waits: Waits | undefined;
}

export interface BadActor {
  readonly dedupKey: string;
  readonly condition: string;
  readonly annunciations: number;
}

const MINUTE = 60_000;
const TWO_HOURS = 7_200_000;
const DAY = 86_400_000;
const REFLEX_MS = 2_000;
const WORST = 10;
/** Bounds of exposure in use in the literature on alarm fatigue (0–29, 30–79, 80 and more in two hours). */
const EXPOSURES = [0, 30, 80] as const;

const ANNUNCIATES: ReadonlySet<AlertEvent['effect']> = new Set<AlertEvent['effect']>([
  'raised',
  'reactivated',
  'escalated',
  'lapsed',
]);

/** What is known of one condition. */
interface Actor {
  readonly condition: string;
  readonly annunciations: number;
  /** Times of the newest three annunciations, oldest first. */
  readonly newest: readonly number[];
}

/** An open alert. */
interface Open {
  readonly raisedAt: number;
  /** Of the activation in force. */
  readonly annunciatedAt: number;
  readonly isPresent: boolean;
  /** Of that activation: whether it was acknowledged, and how many steps of a policy were carried out. */
  readonly isAnswered: boolean;
  readonly steps: number;
}

export class AlarmMetrics {
  readonly #byPriority: Record<Priority, number> = { high: 0, medium: 0, low: 0, none: 0 };
  readonly #floods = new Floods();
  /** When each bed was first heard of. */
  readonly #beds = new Map<string, number>();
  readonly #actors = new Map<string, Actor>();
  readonly #open = new Map<AlertId, Open>();
  readonly #waits: number[] = [];
  readonly #exposed: readonly number[][] = EXPOSURES.map(() => []);
  /** Of each unit, when its alarms ended that nobody acknowledged, as far as two hours back. */
  readonly #gone = new Map<string, number[]>();
  readonly #newestAck = new Map<string, number>();
  #from: UnixMillis | undefined;
  #until: UnixMillis | undefined;
  #isWhole = true;
  #annunciations = 0;
  #ofBeds = 0;
  #chattering = 0;
  #acknowledged = 0;
  #reflex = 0;
  #escalated = 0;

  /** What was open where the history begins that is still kept: its steps are not known. */
  begin(alerts: readonly Alert[]): void {
    this.#isWhole = false;
    for (const alert of alerts)
      if (alert.resolution === undefined) this.#open.set(alert.id, openBefore(alert));
  }

  add(event: AlertEvent): void {
    const { time, effect, alert } = event;
    this.#from ??= time;
    this.#until = time;
    if (ANNUNCIATES.has(effect)) this.#annunciated(alert, time);
    if (effect === 'acknowledged') this.#wasAcknowledged(event);
    if (effect === 'notified' && this.#open.get(alert.id)?.steps === 1) this.#escalated += 1;
    if (alert.resolution === undefined)
      this.#open.set(alert.id, openAfter(this.#open.get(alert.id), event));
    else this.#ended(alert, time);
  }

  report(): AlarmReport {
    const until = this.#until ?? 0;
    const spanMs = Math.max(until - (this.#from ?? 0), 1);
    const { units } = this.#floods;
    let bedMs = 0;
    for (const first of this.#beds.values()) bedMs += Math.max(until - first, 1);
    const worst = this.#worst();
    const ofWorst = worst.reduce((sum, { annunciations }) => sum + annunciations, 0);
    return {
      from: this.#from,
      until: this.#until,
      isWhole: this.#isWhole,
      annunciations: this.#annunciations,
      byPriority: { ...this.#byPriority },
      bedDays: bedMs / DAY,
      perBedDay: share(this.#ofBeds, bedMs / DAY),
      floods: this.#floods.count,
      floodShare: share(this.#floods.msUntil(until), spanMs * units),
      chattering: this.#chattering,
      standing: this.#standing(until),
      worst,
      worstShare: share(ofWorst, this.#annunciations),
      acknowledgedAfter: quantiles(this.#waits),
      afterFalseAlarms: EXPOSURES.map((from, at) => {
        const waits = this.#exposed[at] ?? [];
        return { from, count: waits.length, waits: quantiles(waits) };
      }),
      reflex: this.#reflex,
      reflexShare: share(this.#reflex, this.#acknowledged),
      escalatedShare: share(this.#escalated, this.#annunciations),
    };
  }

  #annunciated(alert: Alert, time: number): void {
    const { unit = '', bed } = alert.subject;
    const { dedupKey, condition } = alert;
    this.#annunciations += 1;
    this.#byPriority[alert.priority] += 1;
    if (bed !== undefined) {
      this.#ofBeds += 1;
      const place = `${unit} ${bed}`;
      if (!this.#beds.has(place)) put(this.#beds, place, time);
    }
    const before = this.#actors.get(dedupKey);
    const newest = [...(before?.newest ?? []), time].slice(-3);
    put(this.#actors, dedupKey, {
      condition,
      annunciations: (before?.annunciations ?? 0) + 1,
      newest,
    });
    if (newest.length === 3 && time - (newest[0] ?? time) < MINUTE) this.#chattering += 1;
    this.#floods.add(unit, time);
  }

  #wasAcknowledged({ alert, actor, time }: AlertEvent): void {
    const open = this.#open.get(alert.id);
    if (open === undefined || open.isAnswered) return;
    this.#acknowledged += 1;
    const gone = (this.#gone.get(alert.subject.unit ?? '') ?? []).filter(
      (at) => at > time - TWO_HOURS,
    );
    const exposure = EXPOSURES.findLastIndex((from) => gone.length >= from);
    for (const waits of [this.#waits, this.#exposed[exposure] ?? []]) {
      waits.push(time - open.annunciatedAt);
      if (waits.length > METRIC_SAMPLES_MAX) waits.shift();
    }
    const before = this.#newestAck.get(actor);
    if (before !== undefined && time - before < REFLEX_MS) this.#reflex += 1;
    put(this.#newestAck, actor, time);
  }

  /** An alarm that went by itself before anybody acknowledged it asked nothing of anybody. */
  #ended({ id, subject, resolution, acknowledgements }: Alert, time: number): void {
    this.#open.delete(id);
    if (resolution?.how !== 'auto' || acknowledgements.length > 0) return;
    const { unit = '' } = subject;
    const gone = (this.#gone.get(unit) ?? []).filter((at) => at > time - TWO_HOURS);
    put(this.#gone, unit, [...gone, time].slice(-Math.max(...EXPOSURES)));
  }

  #standing(until: number): number {
    let count = 0;
    for (const { raisedAt, isPresent } of this.#open.values())
      if (isPresent && until - raisedAt > DAY) count += 1;
    return count;
  }

  #worst(): BadActor[] {
    const all = [...this.#actors].map(([dedupKey, { condition, annunciations }]) => ({
      dedupKey,
      condition,
      annunciations,
    }));
    return all
      .sort((a, b) => b.annunciations - a.annunciations || (a.dedupKey < b.dedupKey ? -1 : 1))
      .slice(0, WORST);
  }
}

/** Puts in the newest; the one that was not heard of for longest goes when there are too many. */
function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > METRIC_KEYS_MAX && oldest !== undefined) map.delete(oldest);
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** What an open alert is after a step, from what it was before. */
function openAfter(before: Open | undefined, { alert, effect, time }: AlertEvent): Open {
  const { raisedAt, presence, acknowledged } = alert;
  const isNew = ANNUNCIATES.has(effect);
  const same = isNew ? undefined : before;
  return {
    raisedAt,
    annunciatedAt: isNew ? time : (before?.annunciatedAt ?? raisedAt),
    isPresent: presence === 'present',
    isAnswered: acknowledged || (same?.isAnswered ?? false),
    steps: (same?.steps ?? 0) + (effect === 'notified' ? 1 : 0),
  };
}

/** The same of one whose steps are not known: what its record tells of them. */
function openBefore({ raisedAt, presence, activation, acknowledgements, escalation }: Alert): Open {
  const { loop = 0, step = 0 } = escalation ?? {};
  return {
    raisedAt,
    annunciatedAt: raisedAt,
    isPresent: presence === 'present',
    isAnswered: acknowledgements.some((one) => one.activation === activation),
    steps: loop === 0 ? step : loop + step,
  };
}

function quantiles(waits: readonly number[]): Waits | undefined {
  if (waits.length === 0) return undefined;
  const sorted = [...waits].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { median: at(0.5), p95: at(0.95) };
}
