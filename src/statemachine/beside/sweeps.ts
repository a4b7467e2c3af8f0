import { must } from '../../base/assert.ts';
import { type Revision, revision, type UnixMillis } from '../../base/ids.ts';
import { EXPLANATIONS_PER_SWEEP_MAX, SWEEP_LOOKS_AT_ONCE, SWEEPS_MAX } from '../../base/limits.ts';
import { idNumber } from '../alerts/alert-id.ts';
import type { Ledger } from '../ledger.ts';
import type { Alert, AppliedEvent, Asked, Glance } from '../types.ts';
import { type Inhibition, isAbout } from './inhibition.ts';
import { Registry } from './registry.ts';
import { isNarrow } from './suppression.ts';
import {
  type AlertSweep,
  covers,
  type Gone,
  isFresh,
  type SweepCause,
  type SweepId,
  type SweepState,
  wasThere,
} from './sweep.ts';

/**
 * What has to be done to each of very many alerts at once: an entry does its share, in the order of their numbers, and
 * those that follow do the rest. An alert that changes before its turn has it then, right after the change; so each is
 * seen to once, and nobody who follows one alert can tell that it was not all done at once.
 */
export class Sweeps {
  readonly #ledger: Ledger;
  readonly registry: Registry<AlertSweep>;
  /** What was there to explain others until the change or the transaction under way. */
  #gone: Explainer[] = [];
  /** Says that an alert can be heard again, if it can (T18). */
  sound: (alert: Alert, asked: Asked) => void = () => undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.registry = new Registry<AlertSweep>(SWEEPS_MAX, 1, () => true);
    ledger.onChanged = (event) => this.#changed(event);
    ledger.onGone = (before) => this.#explained(before);
  }

  /** `at`: the last instant at which the cause was not over; `until`: what has changed since has had its turn. */
  begin(
    cause: SweepCause,
    at: UnixMillis,
    asked: Asked,
    until: Revision = this.#ledger.revision,
  ): void {
    const pending = this.#pendingLike(cause);
    const again = pending?.id;
    const last = revision(Math.max(until, pending?.until ?? 0));
    // Who is lost explains no more: those that it explained are told so first, and have yet to be marked in their turn.
    const isNested = cause.over === 'measuring';
    const state = { cause, at, until: isNested ? NEVER : last, done: 0, by: asked.actor };
    let left = this.#run(state, asked);
    // More at once than can be remembered are done at once, however long that takes.
    if (left !== undefined && again === undefined && this.registry.isFull)
      left = this.#run(left, asked, Number.POSITIVE_INFINITY);
    if (left !== undefined)
      this.#put(again ?? this.#freeId(), {
        ...left,
        until: isNested ? this.#ledger.revision : last,
      });
    else if (again !== undefined) this.#drop(again);
  }

  /** There are alerts left. */
  expire(number: number): void {
    const before = must(this.registry.live(`K${number}`), `K${number} is due and gone`);
    const asked = { actor: before.by, observedAt: this.#ledger.time };
    const rest = this.#run(before, asked, 1);
    if (rest === undefined) this.#drop(before.id);
    else this.#put(before.id, rest);
  }

  /** What a device measures is known again. */
  cancelMeasuring(device: string): void {
    const pending = this.#pendingLike({ over: 'measuring', device });
    if (pending !== undefined) this.#drop(pending.id);
  }

  /** Takes in one of a snapshot. */
  restore(sweep: AlertSweep): void {
    this.registry.put(sweep);
    this.#ledger.timers.set('sweep', numberOf(sweep.id), sweep.dueAt);
  }

  /** Makes a step. Answers what is left. */
  #run(state: SweepState, asked: Asked, looksMin?: number): SweepState | undefined {
    const { cause, at, until, by } = state;
    const { effort, table } = this.#ledger;
    const done = effort.walk(
      state.done,
      (after) => this.#next(cause, after),
      (number) => {
        const glance = table.glanceAt(number);
        if (glance === undefined || glance.revision > until || !this.#covers(state, glance)) return;
        this.#seeTo(cause, table.opened(number), asked);
      },
      looksMin,
    );
    return done === undefined ? undefined : { cause, at, until, done, by };
  }

  #seeTo(cause: SweepCause, alert: Alert, asked: Asked): void {
    const { time } = this.#ledger;
    if (cause.over === 'measuring') this.#ledger.care(alert, 'lose', { staleSince: time }, asked);
    else this.sound(alert, asked);
  }

  #covers(sweep: SweepState, alert: Glance): boolean {
    const { cause } = sweep;
    if (covers(sweep, alert, this.#ledger.subjects.neighbours)) return true;
    // What went with the transaction under way is told of after it, by which time this alert has changed.
    return cause.over === 'rule' && this.#gone.some((one) => wasExplained(alert, cause.rule, one));
  }

  /** An alert is not known to be there any more: what it explained is told so, by the rules as they are and as they were. */
  #explained({ condition, subject: { device } }: Alert): void {
    if (device === undefined || !this.#isSource(condition)) return;
    this.#gone.push({ device, condition, at: this.#ledger.revision });
    this.#ledger.after(() => {
      const { inhibitions, revision: until, system } = this.#ledger;
      const gone = this.#gone;
      this.#gone = [];
      for (const { sources, targets } of inhibitions.rules)
        this.#tell({ sources, targets }, gone, system, until);
      for (const { cause, by, until } of [...this.registry.liveOnes()])
        if (cause.over === 'rule') this.#tell(cause.rule, gone, { ...system, actor: by }, until);
    });
  }

  #tell(rule: Inhibition, gone: readonly Explainer[], asked: Asked, until: Revision): void {
    const sources = gone.filter(({ condition }) => rule.sources.includes(condition));
    const last = new Map(sources.map(({ device, at }) => [device, at]));
    const devices = [...last].map(([device, at]): Gone => ({ device, at }));
    for (let at = 0; at < devices.length; at += EXPLANATIONS_PER_SWEEP_MAX) {
      const some = devices.slice(at, at + EXPLANATIONS_PER_SWEEP_MAX);
      this.begin({ over: 'explanation', rule, gone: some }, this.#ledger.time, asked, until);
    }
  }

  /** Whether others are explained by alerts of this condition, or were and have not been told that they are no longer. */
  #isSource(condition: string): boolean {
    if (this.#ledger.inhibitions.explains(condition)) return true;
    if (this.registry.liveCount === 0) return false;
    for (const { cause } of this.registry.liveOnes())
      if (cause.over === 'rule' && cause.rule.sources.includes(condition)) return true;
    return false;
  }

  /** The numbers of the next alerts that the cause can be about, ascending. */
  #next(cause: SweepCause, after: number): readonly number[] {
    const { subjects, table } = this.#ledger;
    const max = SWEEP_LOOKS_AT_ONCE;
    switch (cause.over) {
      case 'silence': {
        const { field, values } = must(cause.silence.matchers.find(isNarrow), 'a silence of all');
        if (field !== 'alert') return subjects.next(field, values, after, max);
        const numbers = new Set(values.map((id) => idNumber(id) ?? 0));
        return [...numbers].filter((number) => number > after).sort((a, b) => a - b);
      }
      case 'window': {
        const { device, bed } = cause.window;
        if (device !== undefined) return subjects.next('device', [device], after, max);
        if (bed !== undefined) return subjects.next('bed', [bed], after, max);
        return table.openNumbers(after, max);
      }
      case 'explanation':
        return subjects.next('device', devicesOf(cause.gone), after, max);
      case 'rule':
        return table.openNumbers(after, max);
      case 'measuring':
        return subjects.next('device', [cause.device], after, max);
    }
  }

  /** Its turn comes with its change, if it was to have one. */
  #changed({ before, alert: after, effect }: AppliedEvent): void {
    if (this.registry.liveCount === 0 || before === undefined || after.resolution !== undefined)
      return;
    const due: AlertSweep[] = [];
    const number = idNumber(after.id) ?? 0;
    // Of however many ends an alert is told once.
    let isTold = effect === 'audible';
    for (const sweep of this.registry.liveOnes()) {
      const { cause, done, until } = sweep;
      if (isTold && cause.over !== 'measuring') continue;
      if (number <= done || before.revision > until || !this.#covers(sweep, before)) continue;
      isTold ||= cause.over !== 'measuring';
      due.push(sweep);
    }
    // Not while they are gone through: what follows begins sweeps, and ends them.
    for (const { cause, by } of due)
      this.#ledger.after(() => this.#seeToChanged(cause, before, by));
  }

  #seeToChanged(cause: SweepCause, before: Alert, actor: string): void {
    const { table, time } = this.#ledger;
    const alert = table.find({ id: before.id });
    if (alert === undefined || alert.resolution !== undefined) return;
    // What was said of the condition meanwhile is fresh.
    const isSaid = alert.count !== before.count || alert.clearedAt !== before.clearedAt;
    if (cause.over === 'measuring' && (isSaid || !isFresh(alert))) return;
    this.#seeTo(cause, alert, { actor, observedAt: time });
  }

  /**
   * One that has not come far yet with the same: it begins anew. Whom it has told of the end of an explanation has been
   * explained again since, and what it has marked is marked.
   */
  #pendingLike(cause: SweepCause): AlertSweep | undefined {
    if (this.registry.liveCount === 0) return undefined;
    if (cause.over === 'silence' || cause.over === 'window') return undefined;
    const wanted = aboutOf(cause);
    for (const sweep of this.registry.liveOnes())
      if (sweep.cause.over === cause.over && aboutOf(sweep.cause) === wanted) return sweep;
    return undefined;
  }

  /** As it is by now: to see to alerts can begin sweeps, and end them. */
  #put(id: SweepId, rest: SweepState): void {
    const before = this.registry.live(id);
    const dueAt = this.#ledger.effort.againAt(this.#ledger.time);
    const after = { id, version: (before?.version ?? 0) + 1, ...rest, dueAt };
    this.registry.put(after);
    this.#ledger.timers.change('sweep', numberOf(id), before?.dueAt, dueAt);
    this.#ledger.foldRecord(after);
  }

  /** Nobody is told of these ids, so they can come again: those of other records do not depend on how far a sweep came. */
  #freeId(): SweepId {
    let number = 1;
    while (this.registry.live(`K${number}`) !== undefined) number += 1;
    return `K${number}`;
  }

  #drop(id: SweepId): void {
    const before = this.registry.live(id);
    if (before === undefined) return;
    this.registry.remove(before.id);
    this.#ledger.timers.cancel('sweep', numberOf(before.id), before.dueAt);
    this.#ledger.foldRecord({ removed: before });
  }
}

/** An alert that may have explained others of its device. */
interface Explainer extends Gone {
  readonly condition: string;
}

const wasExplained = (alert: Glance, rule: Inhibition, gone: Explainer): boolean =>
  wasThere(gone, alert) && rule.sources.includes(gone.condition) && isAbout(rule, alert);

const devicesOf = (gone: readonly Gone[]): string[] => gone.map(({ device }) => device);

/** What it is about, whenever that was. */
const aboutOf = (cause: SweepCause): string =>
  JSON.stringify(cause.over === 'explanation' ? { ...cause, gone: devicesOf(cause.gone) } : cause);

/** Above every revision. */
const NEVER = revision(Number.MAX_SAFE_INTEGER);

const numberOf = (id: SweepId): number => Number(id.slice(1));
