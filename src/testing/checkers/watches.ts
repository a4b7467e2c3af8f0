import {
  differenceOf,
  FINDINGS_MAX,
  type Finding,
  type History,
  type SeenAlert,
  type SeenEvent,
  type WatchLog,
} from './history.ts';
import type { Rule } from './rules.ts';

/**
 * What a watcher may rely on: events in order, each once, none missing between the first one asked for and the last one
 * told, only those of alerts that match, or did until then, as the alert history has them; progress that is true and never
 * goes back; and a state, in place of events no longer kept, that is the state at its revision.
 */
export function checkWatches(history: History): readonly Finding[] {
  const findings: Finding[] = [];
  const states = new States(history.events, history.base ?? 0);
  const before = befores(history.events);
  for (const watch of history.watches)
    for (const finding of new WatchCheck(watch, history, states, before).run())
      if (findings.length < FINDINGS_MAX) findings.push(finding);
  return findings;
}

/** What each alert was before each event, where an event tells. */
function befores(events: readonly SeenEvent[]): readonly (SeenAlert | undefined)[] {
  const newest = new Map<string, SeenAlert>();
  return events.map(({ alert }) => {
    const before = newest.get(alert.id);
    newest.set(alert.id, alert);
    return before;
  });
}

class WatchCheck {
  readonly #watch: WatchLog;
  readonly #events: readonly SeenEvent[];
  readonly #base: number;
  /** The newest revision that there is. */
  readonly #last: number;
  readonly #states: States;
  readonly #before: readonly (SeenAlert | undefined)[];
  readonly #findings: Finding[] = [];
  /** Everything up to here was told, or passed over as not asked for; undefined = it is not known where it begins. */
  #told: number | undefined;

  constructor(
    watch: WatchLog,
    { events, base = 0 }: History,
    states: States,
    before: readonly (SeenAlert | undefined)[],
  ) {
    this.#watch = watch;
    this.#events = events;
    this.#base = base;
    this.#last = base + events.length;
    this.#states = states;
    this.#before = before;
    this.#told = watch.from === undefined ? undefined : watch.from - 1;
  }

  run(): readonly Finding[] {
    for (const message of this.#watch.messages) {
      if (message.type === 'event') this.#takeEvent(message.event, message.leaves === true);
      else if (message.type === 'progress') this.#takeProgress(message.revision);
      else this.#takeState(message.revision, message.alerts);
    }
    return this.#findings;
  }

  #takeEvent(event: SeenEvent, leaves: boolean): void {
    const { revision } = event;
    const told = this.#told ?? revision - 1;
    if (!this.#wantsAt(revision)) this.#find('watch-filter', `was told ${revision}, of no concern`);
    else if (leaves === this.#wants(event.alert))
      this.#find('watch-filter', `was told that ${revision} ${leaves ? 'leaves' : 'stays'}`);
    if (revision <= told) this.#find('watch-order', `was told ${revision} after ${told}`);
    else this.#mustLackNothing(told, revision - 1, `event ${revision}`);
    const is = this.#events[revision - this.#base - 1];
    if (is === undefined) this.#find('watch-phantom', `was told ${revision}, which never was`);
    else if (is.actor !== event.actor || is.effect !== event.effect)
      this.#find('watch-content', `was told ${revision} as ${event.effect} by ${event.actor}`);
    else {
      const difference = differenceOf(event.alert, is.alert);
      if (difference !== undefined)
        this.#find('watch-content', `was told ${revision} with ${difference}`);
    }
    this.#told = Math.max(told, revision);
  }

  #takeProgress(revision: number): void {
    const told = this.#told ?? revision;
    if (revision < told) this.#find('watch-progress', `progress went from ${told} to ${revision}`);
    if (revision > this.#last)
      this.#find('watch-progress', `progress is ${revision}, of ${this.#last} that there are`);
    this.#mustLackNothing(told, revision, `progress ${revision}`);
    this.#told = Math.max(told, revision);
  }

  #takeState(revision: number, alerts: readonly SeenAlert[]): void {
    const told = this.#told ?? 0;
    if (revision <= told) this.#find('watch-order', `was given state ${revision} after ${told}`);
    if (revision > this.#last)
      this.#find('watch-state', `was given state ${revision}, of ${this.#last} that there are`);
    this.#told = Math.max(told, revision);
    const open = alerts.filter((alert) => !isOver(alert));
    const are = this.#states.openAt(revision).filter((alert) => this.#wants(alert));
    const differing = are.findIndex((alert, at) => differenceOf(open[at], alert) !== undefined);
    if (open.length !== are.length)
      this.#find('watch-state', `state ${revision} holds ${open.length} of ${are.length} alerts`);
    else if (differing >= 0)
      this.#find(
        'watch-state',
        `state ${revision} holds ${differenceOf(open[differing], are[differing])}`,
      );
  }

  /** No event after `from` and up to `to` was one to be told. */
  #mustLackNothing(from: number, to: number, before: string): void {
    for (let revision = from + 1; revision <= Math.min(to, this.#last); revision += 1) {
      if (!this.#wantsAt(revision)) continue;
      this.#find('watch-gap', `was not told ${revision} before ${before}`);
      return;
    }
  }

  /** Whether the event is about an alert of concern, or about one that was until then. */
  #wantsAt(revision: number): boolean {
    const place = revision - this.#base - 1;
    const after = this.#events[place]?.alert;
    const before = this.#before[place];
    return [after, before].some((alert) => alert !== undefined && this.#wants(alert));
  }

  #wants(alert: SeenAlert): boolean {
    const { unit, isOpenOnly = false } = this.#watch;
    return (unit === undefined || unit === alert.unit) && !(isOpenOnly && isOver(alert));
  }

  #find(rule: Rule, says: string): void {
    this.#findings.push({ rule, says: `${this.#watch.name} ${says}` });
  }
}

const isOver = ({ state }: SeenAlert): boolean =>
  state === 'RESOLVED' || state === 'ENTERED_IN_ERROR';

/** The open alerts at a revision, in order of their ids. Revisions are mostly asked for in order, so it goes on from the last. */
class States {
  readonly #events: readonly SeenEvent[];
  readonly #base: number;
  #at: number;
  #open: Map<string, SeenAlert> = new Map();

  constructor(events: readonly SeenEvent[], base: number) {
    this.#events = events;
    this.#base = base;
    this.#at = base;
  }

  openAt(revision: number): SeenAlert[] {
    if (revision < this.#at) {
      this.#at = this.#base;
      this.#open = new Map();
    }
    for (; this.#at < revision; this.#at += 1) {
      const alert = this.#events[this.#at - this.#base]?.alert;
      if (alert === undefined) break;
      if (isOver(alert)) this.#open.delete(alert.id);
      else this.#open.set(alert.id, alert);
    }
    return [...this.#open.values()];
  }
}
