import { FINDINGS_MAX, type Finding } from './history.ts';
import type { Rule } from './rules.ts';

/**
 * Each step of a policy happens once, in its order, never before its time, never after somebody answered, and at last if nobody
 * does; whoever was to be told was told, and of nothing that did not happen. How late steps were is a figure, not a finding:
 * while no replica leads, nothing can be due.
 */

/** The policy under which all of these alerts were opened. */
export interface Ladder {
  /** Milliseconds that each step waits for an answer. */
  readonly waitsMs: readonly number[];
  /** How often the steps are gone through again. */
  readonly repeat: number;
}

/** One change of such an alert, in the order of the alert history. */
export interface EscalationEvent {
  readonly key: string;
  readonly alertId: string;
  readonly revision: number;
  readonly effect: string;
  /** By the time in the log, in milliseconds. */
  readonly time: number;
  /** When an observer was told, by the clock of the callers. */
  readonly seenAt: number;
  /** The alert's place in its policy after the change: the next step. */
  readonly loop: number;
  readonly step: number;
}

/** One page that left a replica. */
export interface SeenPage {
  readonly notification: string;
  readonly alertId: string;
  readonly loop: number;
  readonly step: number;
}

export interface EscalationHistory {
  readonly ladder: Ladder;
  /** When the raise of each condition was called, by the clock of the callers. */
  readonly raisedAt: ReadonlyMap<string, number>;
  readonly events: readonly EscalationEvent[];
  /** Keys of alerts that say that nobody answered, by the alert that they are about: how often each was raised. */
  readonly unanswered: ReadonlyMap<string, number>;
  readonly pages: readonly SeenPage[];
}

export interface EscalationVerdict {
  readonly findings: readonly Finding[];
  readonly alerts: number;
  readonly steps: number;
  readonly exhausted: number;
  /** Pages that repeat one that left before, under the same id: allowed, where a leader was lost in between. */
  readonly repeatedPages: number;
  /** Of every step, in the order of the alert history. */
  readonly delays: readonly Delay[];
}

/** How late one step was. */
export interface Delay {
  /** By the time in the log, in milliseconds. */
  readonly lateMs: number;
  /** When it happened, by the time in the log. */
  readonly time: number;
  /** When an observer was told of it, by the clock of the callers. */
  readonly seenAt: number;
}

/** Clocks of different machines do not run exactly alike, and wake up when they can. */
const RATE_TOLERANCE = 0.05;
const EARLY_TOLERANCE_MS = 50;

export function checkEscalations(history: EscalationHistory): EscalationVerdict {
  const check = new EscalationCheck(history);
  for (const event of history.events) check.take(event);
  check.holdEnds();
  check.holdPages();
  return check.verdict;
}

/** How far one alert has come. */
interface Climb {
  readonly alertId: string;
  readonly key: string;
  loop: number;
  step: number;
  /** When the next step is due, by the time in the log. */
  dueAt: number;
  /** The sum of all waits so far. */
  waitedMs: number;
  end: 'answered' | 'exhausted' | undefined;
  /** Sooner or later, which calls off what has not left yet. */
  isAnswered: boolean;
}

class EscalationCheck {
  readonly #history: EscalationHistory;
  readonly #climbs: Map<string, Climb> = new Map();
  readonly #findings: Finding[] = [];
  readonly #delays: Delay[] = [];
  #repeatedPages = 0;

  constructor(history: EscalationHistory) {
    this.#history = history;
  }

  get verdict(): EscalationVerdict {
    const climbs = [...this.#climbs.values()];
    return {
      findings: this.#findings,
      alerts: climbs.length,
      steps: this.#delays.length,
      exhausted: climbs.filter(({ end }) => end === 'exhausted').length,
      repeatedPages: this.#repeatedPages,
      delays: this.#delays,
    };
  }

  take(event: EscalationEvent): void {
    const { alertId, key, effect, time } = event;
    const climb = this.#climbs.get(alertId);
    if (effect === 'raised')
      this.#climbs.set(alertId, {
        ...{ alertId, key, loop: 0, step: 0 },
        ...{ dueAt: time, waitedMs: 0, end: undefined, isAnswered: false },
      });
    else if (climb === undefined) this.#find('escalation-phantom', event, 'nobody raised it');
    else if (effect === 'notified') this.#takeStep(climb, event);
    else if (effect === 'exhausted') this.#takeExhaustion(climb, event);
    else if (effect === 'acknowledged' || effect === 'cleared') {
      climb.end ??= 'answered';
      climb.isAnswered = true;
    }
  }

  #takeStep(climb: Climb, event: EscalationEvent): void {
    const { waitsMs } = this.#history.ladder;
    const { time, seenAt } = event;
    const [loop, step] = [event.loop, event.step - 1];
    if (climb.end !== undefined) this.#find('escalated-late', event, `it was ${climb.end} before`);
    if (loop !== climb.loop || step !== climb.step)
      this.#find('escalated-once', event, `step ${climb.loop}.${climb.step} was next`);
    this.#holdTime(climb, event);
    this.#delays.push({ lateMs: event.time - climb.dueAt, time, seenAt });
    const wait = waitsMs[step] ?? 0;
    const isLast = step + 1 === waitsMs.length && loop < this.#history.ladder.repeat;
    climb.loop = isLast ? loop + 1 : loop;
    climb.step = isLast ? 0 : step + 1;
    climb.dueAt = event.time + wait;
    climb.waitedMs += wait;
  }

  #takeExhaustion(climb: Climb, event: EscalationEvent): void {
    if (climb.end !== undefined) this.#find('escalated-late', event, `it was ${climb.end} before`);
    if (climb.step < this.#history.ladder.waitsMs.length)
      this.#find('escalated-once', event, `step ${climb.loop}.${climb.step} was next`);
    this.#holdTime(climb, event);
    climb.end = 'exhausted';
  }

  /** By the time in the log, and by our own clock: from the call of the raise to the news of the step. */
  #holdTime(climb: Climb, event: EscalationEvent): void {
    const { time, seenAt, key } = event;
    if (time < climb.dueAt)
      this.#find('escalated-early', event, `${climb.dueAt - time} ms of log time too early`);
    const passed = seenAt - (this.#history.raisedAt.get(key) ?? Number.NEGATIVE_INFINITY);
    if (passed < climb.waitedMs * (1 - RATE_TOLERANCE) - EARLY_TOLERANCE_MS)
      this.#find(
        'escalated-early',
        event,
        `${Math.round(passed)} ms after its raise, not ${climb.waitedMs}`,
      );
  }

  /** Everything has had its time: who was not answered has gone all the way, and an alert says so. */
  holdEnds(): void {
    const { unanswered } = this.#history;
    for (const { alertId, key, end, loop, step } of this.#climbs.values()) {
      const says = `${alertId} (${key})`;
      const count = unanswered.get(alertId) ?? 0;
      if (end === undefined)
        this.#note('never-escalated', `${says} still waits for step ${loop}.${step}`);
      if (count !== (end === 'exhausted' ? 1 : 0))
        this.#note(
          'unanswered-once',
          `${says} is ${end}; ${count} alerts say that nobody answered`,
        );
    }
  }

  holdPages(): void {
    const idOf = new Map<string, string>();
    const placeOf = new Map<string, string>();
    for (const page of this.#history.pages) {
      const { notification, alertId, loop, step } = page;
      if (!this.#climbs.has(alertId)) continue;
      const place = `${alertId} ${loop}.${step}`;
      if (placeOf.has(notification)) this.#repeatedPages += 1;
      const [known, other] = [placeOf.get(notification) ?? place, idOf.get(place) ?? notification];
      if (known !== place)
        this.#note('paged-once', `${notification} is of ${known} and of ${place}`);
      if (other !== notification)
        this.#note('paged-once', `${place} left as ${other} and as ${notification}`);
      placeOf.set(notification, place);
      idOf.set(place, notification);
    }
    this.#holdAllPaged(idOf);
  }

  /** Nobody called off a page of an alert that nobody answered: all of its steps left. */
  #holdAllPaged(idOf: ReadonlyMap<string, string>): void {
    const { ladder } = this.#history;
    for (const { alertId, end, isAnswered } of this.#climbs.values()) {
      if (end !== 'exhausted' || isAnswered) continue;
      for (let loop = 0; loop <= ladder.repeat; loop += 1)
        for (const step of ladder.waitsMs.keys())
          if (!idOf.has(`${alertId} ${loop}.${step}`))
            this.#note('paged', `step ${loop}.${step} of ${alertId} was never sent`);
    }
  }

  #find(rule: Rule, event: EscalationEvent, says: string): void {
    const { revision, effect, alertId, loop, step } = event;
    const place = effect === 'notified' ? ` ${loop}.${step - 1}` : '';
    this.#note(rule, `event ${revision} (${effect}${place} of ${alertId}): ${says}`);
  }

  #note(rule: Rule, says: string): void {
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push({ rule, says });
  }
}
