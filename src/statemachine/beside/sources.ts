import { must } from '../../base/assert.ts';
import type { UnixMillis } from '../../base/ids.ts';
import { SOURCES_MAX, SWEEP_LOOKS_AT_ONCE } from '../../base/limits.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import { secondsAfter } from '../timers.ts';
import type {
  Alert,
  Asked,
  ClearCommand,
  Kept,
  Priority,
  RaiseCommand,
  Refusal,
} from '../types.ts';
import { Registry } from './registry.ts';
import type { Sweeps } from './sweeps.ts';

/** Something that watches patients and says in time that it still does. */
export interface Source {
  /** As in the subject of its alerts: `device`. */
  readonly id: string;
  readonly number: number;
  readonly version: number;
  readonly state: 'live' | 'lost' | 'retired';
  readonly leaseSeconds: number;
  /** Of the technical alert that says it was lost. */
  readonly priority: Priority;
  readonly seenAt: UnixMillis;
  /** When it will be lost unless it is heard from; of a lost one, when more of its alerts are marked; undefined = never. */
  readonly dueAt: UnixMillis | undefined;
  /** A heartbeat named what is present, and more alerts were open than it could change: the next goes on after this one. */
  readonly comparedTo: number | undefined;
}

/** A source says that it is there, for how long that holds, and, if it knows, which of its conditions are present. */
export interface HeartbeatCommand extends Asked {
  readonly type: 'heartbeat';
  readonly source: string;
  readonly leaseSeconds: number;
  readonly priority?: Priority;
  /** Dedup keys: of its open alerts these are present, the conditions of the others are gone. */
  readonly present?: readonly string[];
}

/** A source is taken out of service: it is missed no longer. */
export interface RetireCommand extends Asked {
  readonly type: 'retire-source';
  readonly source: string;
}

export type SourceCommand = HeartbeatCommand | RetireCommand;

/** The dedup key of the technical alert that says that a source was lost. */
export const lostKey = (source: string): string => `tocsin:source:${source}`;

/** Sources and their leases (T22, T23). */
export class Sources {
  readonly #ledger: Ledger;
  readonly #sweeps: Sweeps;
  readonly registry: Registry<Source>;
  readonly #byNumber = new Map<number, string>();
  #comparing: Comparing | undefined;

  constructor(ledger: Ledger, sweeps: Sweeps) {
    this.#ledger = ledger;
    this.#sweeps = sweeps;
    this.registry = new Registry(SOURCES_MAX, SOURCES_MAX, ({ state }) => state !== 'retired');
    ledger.isLost = (source) => this.registry.get(source)?.state === 'lost';
  }

  heartbeat(command: HeartbeatCommand): Kept | Refusal {
    this.#loseInTime(command.source);
    const before = this.registry.get(command.source);
    if (this.registry.live(command.source) === undefined && this.registry.isFull)
      return refuse('OVER_LIMIT', `there are ${this.registry.liveCount} sources already`);
    const { time } = this.#ledger;
    const { source: id, leaseSeconds, priority = before?.priority ?? 'medium' } = command;
    const after: Source = {
      id,
      number: before?.number ?? this.#ledger.nextNumber(),
      version: (before?.version ?? 0) + 1,
      state: 'live',
      leaseSeconds,
      priority,
      seenAt: time,
      dueAt: secondsAfter(time, leaseSeconds),
      // One that does not say what is present leaves the comparison where it is.
      comparedTo: command.present === undefined ? before?.comparedTo : undefined,
    };
    this.#put(before, after);
    if (before?.state === 'lost') this.#ledger.settleOwn(lostKey(id));
    if (command.present !== undefined) {
      this.#sweeps.cancelMeasuring(id);
      const present = new Set(command.present);
      const from = before?.comparedTo ?? 0;
      this.#comparing = { command, present, from, atOnce: SWEEP_LOOKS_AT_ONCE };
      this.goOn();
    }
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  /** The next step of a comparison that the entry is in the midst of. Whether there was one. */
  goOn(): boolean {
    const comparing = this.#comparing;
    if (comparing === undefined) return false;
    const { command } = comparing;
    const { next, looks } = this.#compare(comparing);
    const atOnce = comparing.atOnce - looks;
    const isLeft = next !== undefined;
    const goesOn = isLeft && (atOnce > 0 || !this.#ledger.effort.isSpent);
    this.#comparing = goesOn ? { ...comparing, from: next, atOnce } : undefined;
    if (goesOn || !isLeft) return true;
    const source = must(this.registry.live(command.source), 'the source % is gone', command.source);
    this.#put(source, { ...source, comparedTo: next });
    return true;
  }

  retire({ source: id }: RetireCommand): Kept | Refusal {
    const before = this.registry.live(id);
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no source ${id}`);
    const after: Source = {
      ...before,
      version: before.version + 1,
      state: 'retired',
      dueAt: undefined,
    };
    this.#put(before, after);
    if (before.state === 'lost') this.#ledger.settleOwn(lostKey(id));
    return { ok: true, effect: 'removed', id, version: after.version };
  }

  /** A lease is over: what the source said last is not known to be so any more. Alerts stay open, however long that takes. */
  expire(number: number): void {
    const source = this.registry.live(this.#byNumber.get(number) ?? '');
    const before = must(source, 'the source % is due and gone', number);
    const { id: device, version } = before;
    const { time, system } = this.#ledger;
    this.#sweeps.begin({ over: 'measuring', device }, time, system);
    this.#put(before, { ...before, version: version + 1, state: 'lost', dueAt: undefined });
    this.#ledger.condition(lostRaise(before, system), 'machine');
  }

  /** Takes in a source of a snapshot. */
  restore(source: Source): void {
    this.registry.put(source);
    this.#name(source);
    if (source.dueAt !== undefined) this.#ledger.timers.set('source', source.number, source.dueAt);
  }

  /** Its lease is over, and this entry had too much else to do to say so yet: it was lost all the same. */
  #loseInTime(id: string): void {
    const source = this.registry.live(id);
    if (source?.state !== 'live' || source.dueAt === undefined) return;
    if (source.dueAt <= this.#ledger.time) this.expire(source.number);
  }

  /** Those that are looked for by their number are those that something is due of. */
  #name({ number, id, dueAt }: Source): void {
    if (dueAt === undefined) this.#byNumber.delete(number);
    else this.#byNumber.set(number, id);
  }

  /**
   * What the source says is present is so, and live again; what it does not name is gone. As much is changed as an entry may,
   * step by step. Answers where the next one goes on, undefined = from the beginning, and at how many alerts this one looked.
   */
  #compare({ command, present, from }: Comparing): Compared {
    const { effort, table, subjects } = this.#ledger;
    const next = (after: number): readonly number[] =>
      subjects.next('device', [command.source], after, SWEEP_LOOKS_AT_ONCE);
    let looks = 0;
    const visit = (number: number): void => {
      looks += 1;
      if (table.glanceAt(number)?.kind !== 'physiological') return;
      const alert = table.opened(number);
      const isNamed = present.has(alert.dedupKey);
      if (isNamed !== (alert.presence === 'present'))
        this.#ledger.condition(isNamed ? again(alert, command) : gone(alert, command));
      else if (alert.staleSince !== undefined)
        this.#ledger.care(alert, 'regain', { staleSince: undefined }, command);
    };
    return { next: effort.walk(from, next, visit, 1), looks };
  }

  #put(before: Source | undefined, after: Source): void {
    this.registry.put(after);
    this.#name(after);
    this.#ledger.timers.change('source', after.number, before?.dueAt, after.dueAt);
    this.#ledger.foldRecord(after);
  }
}

interface Compared {
  readonly next: number | undefined;
  readonly looks: number;
}

/** What a source has said is present, and the alert up to which that is so by now. */
interface Comparing {
  readonly command: HeartbeatCommand;
  readonly present: ReadonlySet<string>;
  readonly from: number;
  /** So many more are compared whatever else the entry does. */
  readonly atOnce: number;
}

const lostRaise = ({ id, priority, leaseSeconds }: Source, asked: Asked): RaiseCommand => ({
  type: 'raise',
  ...asked,
  dedupKey: lostKey(id),
  kind: 'technical',
  priority,
  condition: 'SOURCE:LOST',
  text: `${id} has not been heard from for ${leaseSeconds} s`,
  subject: { device: id },
  latching: false,
  acknowledgementRequired: false,
});

const gone = ({ id }: Alert, { actor, observedAt }: Asked): ClearCommand => ({
  type: 'clear',
  target: { id },
  actor,
  observedAt,
});

/** A condition that had cleared is present again (T5), as it was: a snapshot says no more than that. */
const again = (alert: Alert, { actor, observedAt }: Asked): RaiseCommand => ({
  type: 'raise',
  dedupKey: alert.dedupKey,
  kind: alert.kind,
  priority: alert.priority,
  condition: alert.condition,
  text: alert.text,
  subject: alert.subject,
  latching: alert.latching,
  acknowledgementRequired: alert.acknowledgementRequired,
  actor,
  observedAt,
});
