import type { UnixMillis } from '../../base/ids.ts';
import { METRIC_SAMPLES_MAX } from '../../base/limits.ts';
import type { Alert, AlertEvent, Priority } from '../types.ts';

/**
 * How a ward's alarms behave, from the history of alerts alone: added to event by event, and the same as what going through the
 * whole history again gives. Sources: ISA-18.2 (floods, chattering, priority mix), AAMI and ECRI (alarms per bed-day).
 */
export interface AlarmReport {
  readonly from: UnixMillis | undefined;
  readonly until: UnixMillis | undefined;
  /** Annunciations: raises that opened, and every later activation. */
  readonly annunciations: number;
  readonly byPriority: Readonly<Record<Priority, number>>;
  /** Per bed that had any, and day of 24 hours. */
  readonly perBedDay: number;
  /** Times that more than FLOOD_FROM were annunciated in ten minutes, and the share of the time that this took. */
  readonly floods: number;
  readonly floodShare: number;
  /** Annunciations that were the third or later of their condition within a minute. */
  readonly chattering: number;
  /** Milliseconds from annunciation to acknowledgement, of the newest METRIC_SAMPLES_MAX. */
  readonly acknowledgedAfter: { readonly median: number; readonly p95: number } | undefined;
  /** Of the activations acknowledged: those that were acknowledged within two seconds of another one by the same person. */
  readonly reflex: number;
  /** Activations for which at least a second step of a policy was carried out, of all. */
  readonly escalatedShare: number;
}

/** ISA-18.2: a flood begins above the first in ten minutes, and ends below the second. */
const FLOOD_FROM = 10;
const FLOOD_UNTIL = 5;
const TEN_MINUTES = 600_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
const REFLEX_MS = 2_000;

const ANNUNCIATES: ReadonlySet<AlertEvent['effect']> = new Set<AlertEvent['effect']>([
  'raised',
  'reactivated',
  'escalated',
  'lapsed',
]);

/** Numbers of annunciations by unit: a flood is one of those who have to listen to it. */
interface UnitState {
  /** Times of the annunciations of the last ten minutes, oldest first. */
  recent: number[];
  floodSince: number | undefined;
}

export class AlarmMetrics {
  readonly #byPriority: Record<Priority, number> = { high: 0, medium: 0, low: 0, none: 0 };
  readonly #units = new Map<string, UnitState>();
  readonly #beds = new Set<string>();
  /** Times of the newest annunciations of each condition. */
  readonly #ofKey = new Map<string, number[]>();
  readonly #waits: number[] = [];
  readonly #newestAck = new Map<string, number>();
  #from: UnixMillis | undefined;
  #until: UnixMillis | undefined;
  #annunciations = 0;
  #floods = 0;
  #floodMs = 0;
  #chattering = 0;
  #reflex = 0;
  #escalated = 0;
  readonly #begun = new Map<string, number>();

  add(event: AlertEvent): void {
    const { time, effect, alert } = event;
    this.#from ??= time;
    this.#until = time;
    if (ANNUNCIATES.has(effect)) this.#annunciated(alert, time);
    if (effect === 'acknowledged') this.#acknowledged(event);
    if (effect === 'notified' && placeOf(alert) === 2) this.#escalated += 1;
    if (alert.resolution !== undefined) this.#begun.delete(alert.id);
  }

  report(): AlarmReport {
    const from = this.#from ?? 0;
    const until = this.#until ?? 0;
    const days = Math.max(until - from, 1) / DAY;
    const beds = Math.max(this.#beds.size, 1);
    const units = Math.max(this.#units.size, 1);
    let floodMs = this.#floodMs;
    for (const { floodSince } of this.#units.values())
      if (floodSince !== undefined) floodMs += until - floodSince;
    return {
      from: this.#from,
      until: this.#until,
      annunciations: this.#annunciations,
      byPriority: { ...this.#byPriority },
      perBedDay: this.#annunciations / beds / days,
      floods: this.#floods,
      floodShare: floodMs / Math.max(until - from, 1) / units,
      chattering: this.#chattering,
      acknowledgedAfter: quantiles(this.#waits),
      reflex: this.#reflex,
      escalatedShare: this.#annunciations === 0 ? 0 : this.#escalated / this.#annunciations,
    };
  }

  #annunciated(alert: Alert, time: UnixMillis): void {
    const { unit = '', bed } = alert.subject;
    this.#annunciations += 1;
    this.#byPriority[alert.priority] += 1;
    if (bed !== undefined) this.#beds.add(`${unit} ${bed}`);
    this.#begun.set(alert.id, time);
    const times = [...(this.#ofKey.get(alert.dedupKey) ?? []), time].slice(-3);
    this.#ofKey.set(alert.dedupKey, times);
    if (times.length === 3 && time - (times[0] ?? time) < MINUTE) this.#chattering += 1;
    this.#flood(unit, time);
  }

  #flood(unit: string, time: UnixMillis): void {
    const state = this.#units.get(unit) ?? { recent: [], floodSince: undefined };
    this.#units.set(unit, state);
    const before = state.recent.filter((one) => one > time - TEN_MINUTES);
    if (state.floodSince !== undefined && before.length < FLOOD_UNTIL) {
      this.#floodMs += time - state.floodSince;
      state.floodSince = undefined;
    }
    state.recent = [...before, time];
    if (state.floodSince !== undefined || state.recent.length <= FLOOD_FROM) return;
    state.floodSince = time;
    this.#floods += 1;
  }

  #acknowledged({ alert, actor, time }: AlertEvent): void {
    const begun = this.#begun.get(alert.id);
    if (begun === undefined || alert.acknowledgements.filter(ofNow(alert)).length > 1) return;
    this.#waits.push(time - begun);
    if (this.#waits.length > METRIC_SAMPLES_MAX) this.#waits.shift();
    const before = this.#newestAck.get(actor);
    if (before !== undefined && time - before < REFLEX_MS) this.#reflex += 1;
    this.#newestAck.set(actor, time);
  }
}

const ofNow =
  ({ activation }: Alert) =>
  (one: { readonly activation: number }): boolean =>
    one.activation === activation;

/** Which step of its activation was carried out last: 1, 2, 3 … over all rounds. */
const placeOf = ({ escalation }: Alert): number =>
  escalation === undefined ? 0 : escalation.loop === 0 ? escalation.step : 3;

function quantiles(
  waits: readonly number[],
): { readonly median: number; readonly p95: number } | undefined {
  if (waits.length === 0) return undefined;
  const sorted = [...waits].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p95: at(0.95) };
}
