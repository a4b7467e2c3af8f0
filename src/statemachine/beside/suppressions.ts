import { must } from '../../base/assert.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import {
  INHIBITORS_SHOWN_MAX,
  SILENCES_MAX,
  SILENCES_OVER_MAX,
  WINDOWS_MAX,
  WINDOWS_OVER_MAX,
} from '../../base/limits.ts';
import { type Ledger, SYSTEM } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import { secondsAfter } from '../timers.ts';
import type { Alert, Asked, Glance, Kept, Refusal } from '../types.ts';
import { Registry, unchanged } from './registry.ts';
import {
  type Badges,
  type EndWindowCommand,
  isNarrow,
  type MaintenanceWindow,
  maintains,
  nextEnd,
  type OpenWindowCommand,
  type Silence,
  type SilenceCommand,
  type SilenceId,
  type SuppressionCommand,
  silences,
  type UnsilenceCommand,
  type WindowId,
} from './suppression.ts';
import type { Sweeps } from './sweeps.ts';

const isOpen = ({ endedAt }: Silence | MaintenanceWindow): boolean => endedAt === undefined;

/**
 * Silences, maintenance windows and inhibition. They are looked up when an alert is shown: none of them changes an alert,
 * so silencing one cannot change another, and nothing that is silenced leaves a list. When nothing keeps an alert from being
 * heard any more, its history says so (T18).
 */
export class Suppressions {
  readonly #ledger: Ledger;
  readonly #sweeps: Sweeps;
  readonly silences: Registry<Silence> = new Registry<Silence>(
    SILENCES_MAX,
    SILENCES_OVER_MAX,
    isOpen,
  );
  readonly windows: Registry<MaintenanceWindow> = new Registry<MaintenanceWindow>(
    WINDOWS_MAX,
    WINDOWS_OVER_MAX,
    isOpen,
  );

  constructor(ledger: Ledger, sweeps: Sweeps) {
    this.#ledger = ledger;
    this.#sweeps = sweeps;
    sweeps.sound = (alert, asked) => this.sound([alert], asked);
  }

  /** Undefined when nothing is to be said of the alert. */
  badgesOf(alert: Alert): Badges | undefined {
    const { time } = this.#ledger;
    const silencedBy: SilenceId[] = [];
    const maintenanceBy: WindowId[] = [];
    for (const one of this.silences.liveOnes())
      if (silences(one, alert, time)) silencedBy.push(one.id);
    for (const one of this.windows.liveOnes())
      if (maintains(one, alert, time)) maintenanceBy.push(one.id);
    const inhibitedBy = this.#inhibitorsOf(alert, INHIBITORS_SHOWN_MAX).map(({ id }) => id);
    if (silencedBy.length + inhibitedBy.length + maintenanceBy.length === 0) return undefined;
    return { silencedBy, inhibitedBy, maintenanceBy };
  }

  execute(command: SuppressionCommand): Kept | Refusal {
    switch (command.type) {
      case 'silence':
        return this.#silence(command);
      case 'open-window':
        return this.#openWindow(command);
      case 'unsilence':
      case 'end-window':
        return this.#end(command);
    }
  }

  /** A silence or a window is over by its time. */
  expire(kind: 'silence' | 'window', number: number): void {
    if (kind === 'silence') {
      const silence = must(this.silences.live(`S${number}`), `S${number} is due and gone`);
      const { dueAt = silence.until, until } = silence;
      const later = { version: silence.version + 1, dueAt: nextEnd(silence, dueAt) };
      const isOver = dueAt >= until;
      this.#putSilence(
        silence,
        isOver ? { ...this.#ended(silence, SYSTEM), dueAt: undefined } : { ...silence, ...later },
      );
      this.#endSilence(silence, this.#ledger.system);
    } else {
      const window = must(this.windows.live(`M${number}`), `M${number} is due and gone`);
      this.#putWindow(window, this.#ended(window, SYSTEM));
      this.#endWindow(window, this.#ledger.system);
    }
  }

  /** Takes in what a snapshot holds; false when it does not fit together. */
  restoreSilence(silence: Silence): boolean {
    const { dueAt } = silence;
    if (isOpen(silence) !== (dueAt !== undefined)) return false;
    this.silences.put(silence);
    if (dueAt !== undefined) this.#ledger.timers.set('silence', Number(silence.id.slice(1)), dueAt);
    return true;
  }

  restoreWindow(window: MaintenanceWindow): void {
    this.windows.put(window);
    if (isOpen(window)) this.#ledger.timers.set('window', Number(window.id.slice(1)), window.endAt);
  }

  #silence(command: SilenceCommand): Kept | Refusal {
    const { matchers, seconds, untilCleared = false, reason, actor } = command;
    if (!matchers.some(isNarrow))
      return refuse('TOO_BROAD', 'a silence names an alert, a patient, a bed or a device');
    if (this.silences.isFull)
      return refuse('OVER_LIMIT', `there are ${this.silences.liveCount} silences already`);
    const { time, revision } = this.#ledger;
    const until = secondsAfter(time, seconds);
    return this.#putSilence(undefined, {
      id: `S${this.#ledger.nextNumber()}`,
      version: 1,
      matchers,
      createdAt: time,
      revision,
      until,
      dueAt: nextEnd({ createdAt: time, until }, time),
      untilCleared,
      reason,
      by: actor,
      endedAt: undefined,
      endedBy: undefined,
    });
  }

  #openWindow(command: OpenWindowCommand): Kept | Refusal {
    const { unit, bed, device, startAt, endAt, reason, actor } = command;
    if (unit === undefined && bed === undefined && device === undefined)
      return refuse('TOO_BROAD', 'a maintenance window names a unit, a bed or a device');
    if (endAt <= startAt || endAt <= this.#ledger.time)
      return refuse('BAD_REQUEST', 'endAt: must be after startAt, and not past');
    if (this.windows.isFull)
      return refuse('OVER_LIMIT', `there are ${this.windows.liveCount} windows already`);
    const id: WindowId = `M${this.#ledger.nextNumber()}`;
    const ended = { endedAt: undefined, endedBy: undefined };
    const scope = { unit, bed, device };
    return this.#putWindow(undefined, {
      id,
      version: 1,
      ...scope,
      startAt,
      endAt,
      reason,
      by: actor,
      ...ended,
    });
  }

  #end(command: UnsilenceCommand | EndWindowCommand): Kept | Refusal {
    const { id, actor } = command;
    if (command.type === 'unsilence') {
      const silence = this.silences.get(id);
      if (silence === undefined) return refuse('RECORD_NOT_FOUND', `there is no silence ${id}`);
      if (!isOpen(silence)) return unchanged(silence);
      const reply = this.#putSilence(silence, { ...this.#ended(silence, actor), dueAt: undefined });
      this.#endSilence(silence, command);
      return reply;
    }
    const window = this.windows.get(id);
    if (window === undefined) return refuse('RECORD_NOT_FOUND', `there is no window ${id}`);
    if (!isOpen(window)) return unchanged(window);
    const reply = this.#putWindow(window, this.#ended(window, actor));
    this.#endWindow(window, command);
    return reply;
  }

  /** Those that a silence silenced until now, and nothing else does, are audible again. */
  #endSilence(silence: Silence, asked: Asked): void {
    this.#sweeps.begin({ over: 'silence', silence }, this.#timeOf(silence.dueAt), asked);
  }

  /** The same of a window. Only those of a whole unit are looked for among all alerts. */
  #endWindow(window: MaintenanceWindow, asked: Asked): void {
    this.#sweeps.begin({ over: 'window', window }, this.#timeOf(window.endAt), asked);
  }

  /** Of alerts that something kept from being heard: those that nothing does any more are audible again. */
  sound(alerts: readonly Alert[], asked: Asked): void {
    for (const alert of alerts) {
      // To say so of one before can have changed this one: it was told of then.
      if (!this.#ledger.table.isNewest(alert)) continue;
      if (alert.pausedUntil === undefined && !this.#isMuted(alert))
        this.#ledger.care(alert, 'sound', {}, asked);
    }
  }

  /**
   * Whether something keeps an alert from being heard, as far as the records go: what is due and has not been carried out
   * still does, so that of two that end at one instant the second one makes the alert audible.
   */
  #isMuted(alert: Alert): boolean {
    for (const one of this.silences.liveOnes())
      if (silences(one, alert, this.#timeOf(one.dueAt))) return true;
    for (const one of this.windows.liveOnes())
      if (maintains(one, alert, this.#timeOf(one.endAt))) return true;
    return this.#inhibitorsOf(alert, 1).length > 0;
  }

  /** Now, or the last instant before something is due. */
  #timeOf(dueAt: UnixMillis | undefined): UnixMillis {
    const { time } = this.#ledger;
    return dueAt === undefined ? time : unixMillis(Math.min(time, dueAt - 1));
  }

  #inhibitorsOf(alert: Alert, max: number): readonly Glance[] {
    const { inhibitions, subjects } = this.#ledger;
    const { device } = alert.subject;
    if (device === undefined) return [];
    return subjects.neighbours.of(device, inhibitions.explainersOf(alert), max);
  }

  #ended<T extends Silence | MaintenanceWindow>(before: T, by: string): T {
    return { ...before, version: before.version + 1, endedAt: this.#ledger.time, endedBy: by };
  }

  #putSilence(before: Silence | undefined, after: Silence): Kept {
    this.silences.put(after);
    const number = Number(after.id.slice(1));
    this.#ledger.timers.change('silence', number, before?.dueAt, after.dueAt);
    return this.#noted(after);
  }

  #putWindow(before: MaintenanceWindow | undefined, after: MaintenanceWindow): Kept {
    this.windows.put(after);
    const dueAt = isOpen(after) ? after.endAt : undefined;
    const number = Number(after.id.slice(1));
    this.#ledger.timers.change('window', number, before?.endAt, dueAt);
    return this.#noted(after);
  }

  #noted(record: Silence | MaintenanceWindow): Kept {
    this.#ledger.foldRecord(record);
    return { ok: true, effect: 'kept', id: record.id, version: record.version };
  }
}
