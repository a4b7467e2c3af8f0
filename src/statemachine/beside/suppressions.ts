import { must } from '../../base/assert.ts';
import {
  SILENCES_MAX,
  SILENCES_OVER_MAX,
  WINDOWS_MAX,
  WINDOWS_OVER_MAX,
} from '../../base/limits.ts';
import { type Ledger, SYSTEM } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import { secondsAfter } from '../timers.ts';
import type { Alert, Kept, Refusal } from '../types.ts';
import { inhibitorsOf } from './inhibition.ts';
import { Registry } from './registry.ts';
import {
  type Badges,
  type EndWindowCommand,
  isNarrow,
  type MaintenanceWindow,
  maintains,
  type OpenWindowCommand,
  type Silence,
  type SilenceCommand,
  type SilenceId,
  type SuppressionCommand,
  silences,
  type UnsilenceCommand,
  type WindowId,
} from './suppression.ts';

const isOpen = ({ endedAt }: Silence | MaintenanceWindow): boolean => endedAt === undefined;

/**
 * Silences, maintenance windows and inhibition. They are looked up when an alert is shown: none of them changes an alert,
 * so silencing one cannot change another, and nothing that is silenced leaves a list.
 */
export class Suppressions {
  readonly #ledger: Ledger;
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

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
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
    const { device } = alert.subject;
    const neighbours = device === undefined ? [] : this.#ledger.explainingOf(device);
    const inhibitedBy = inhibitorsOf(alert, neighbours);
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
      this.#putSilence(silence, this.#ended(silence, SYSTEM));
    } else {
      const window = must(this.windows.live(`M${number}`), `M${number} is due and gone`);
      this.#putWindow(window, this.#ended(window, SYSTEM));
    }
  }

  /** Takes in what a snapshot holds. */
  restoreSilence(silence: Silence): void {
    this.silences.put(silence);
    if (isOpen(silence))
      this.#ledger.timers.set('silence', Number(silence.id.slice(1)), silence.until);
  }

  restoreWindow(window: MaintenanceWindow): void {
    this.windows.put(window);
    if (isOpen(window)) this.#ledger.timers.set('window', Number(window.id.slice(1)), window.endAt);
  }

  #silence(command: SilenceCommand): Kept | Refusal {
    const { matchers, seconds, untilCleared = false, reason, actor } = command;
    if (!isNarrow(matchers))
      return refuse('TOO_BROAD', 'a silence names an alert, a patient, a bed or a device');
    if (this.silences.isFull)
      return refuse('OVER_LIMIT', `there are ${this.silences.liveCount} silences already`);
    const { time, revision } = this.#ledger;
    return this.#putSilence(undefined, {
      id: `S${this.#ledger.nextNumber()}`,
      version: 1,
      matchers,
      createdAt: time,
      revision,
      until: secondsAfter(time, seconds),
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
      return this.#putSilence(silence, this.#ended(silence, actor));
    }
    const window = this.windows.get(id);
    if (window === undefined) return refuse('RECORD_NOT_FOUND', `there is no window ${id}`);
    if (!isOpen(window)) return unchanged(window);
    return this.#putWindow(window, this.#ended(window, actor));
  }

  #ended<T extends Silence | MaintenanceWindow>(before: T, by: string): T {
    return { ...before, version: before.version + 1, endedAt: this.#ledger.time, endedBy: by };
  }

  #putSilence(before: Silence | undefined, after: Silence): Kept {
    this.silences.put(after);
    const dueAt = isOpen(after) ? after.until : undefined;
    const number = Number(after.id.slice(1));
    this.#ledger.timers.change('silence', number, before?.until, dueAt);
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

const unchanged = ({ id, version }: Silence | MaintenanceWindow): Kept => ({
  ok: true,
  effect: 'unchanged',
  id,
  version,
});
