import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { Alert, AlertEvent, AlertId, Priority } from '../../src/statemachine/types.ts';
import type { AlertCounts, BedScene } from './scene.ts';

const RANK: Readonly<Record<Priority, number>> = { none: 0, low: 1, medium: 2, high: 3 };

/** The open alerts as a watch tells of them. */
export class AlertBoard {
  readonly #open: Map<AlertId, Alert> = new Map();
  readonly #counts = { raised: 0, acknowledged: 0, cleared: 0 };

  take(message: WatchMessage): void {
    if (message.type === 'event') this.#takeEvent(message.event);
    if (message.type === 'compacted') {
      this.#open.clear();
      for (const alert of message.alerts) this.#put(alert);
    }
  }

  get counts(): AlertCounts {
    return { ...this.#counts, open: this.#open.size };
  }

  /** An open alert as it stands. */
  get(id: AlertId): Alert | undefined {
    return this.#open.get(id);
  }

  /** What the open alerts mean for each bed, by its name; beds without any are not in it. */
  beds(metrics: readonly string[]): ReadonlyMap<string, Pick<BedScene, 'alarms' | 'worst'>> {
    const beds = new Map<string, { alarms: (Priority | undefined)[]; worst: BedScene['worst'] }>();
    for (const alert of this.#open.values()) {
      const { subject, cause, presence, priority } = alert;
      if (subject.bed === undefined) continue;
      let bed = beds.get(subject.bed);
      if (bed === undefined) {
        bed = { alarms: metrics.map(() => undefined), worst: undefined };
        beds.set(subject.bed, bed);
      }
      bed.worst = worseOf(bed.worst, alert);
      const at = metrics.indexOf(cause?.metric ?? '');
      const known = bed.alarms[at];
      if (
        at >= 0 &&
        presence === 'present' &&
        (known === undefined || RANK[priority] > RANK[known])
      )
        bed.alarms[at] = priority;
    }
    return beds;
  }

  #takeEvent(event: AlertEvent): void {
    this.#put(event.alert);
    if (event.effect === 'raised' || event.effect === 'reactivated') this.#counts.raised += 1;
    if (event.effect === 'acknowledged') this.#counts.acknowledged += 1;
    if (event.effect === 'cleared') this.#counts.cleared += 1;
  }

  #put(alert: Alert): void {
    if (displayState(alert) === 'RESOLVED') this.#open.delete(alert.id);
    else this.#open.set(alert.id, alert);
  }
}

/** The higher priority, and acknowledged only if both are. */
function worseOf(worst: BedScene['worst'], alert: Alert): BedScene['worst'] {
  const { priority, acknowledged } = alert;
  if (worst === undefined) return { priority, acknowledged };
  return {
    priority: RANK[priority] > RANK[worst.priority] ? priority : worst.priority,
    acknowledged: acknowledged && worst.acknowledged,
  };
}
