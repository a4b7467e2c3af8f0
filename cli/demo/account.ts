import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { Alert, AlertEvent, Done } from '../../src/statemachine/types.ts';
import { contradictionOf, couldBe, sameData } from './matching.ts';

/** A command as it was sent, and what its caller was told: done, surely nothing, or that nobody knows. */
export interface Told {
  readonly command: Command;
  readonly outcome: Done | 'none' | 'unknown';
}

/** All that one replica holds, read from it alone. */
export interface Held {
  readonly replica: number;
  /** The whole history, in the order in which it was told. */
  readonly events: readonly AlertEvent[];
  /** The alerts as they stand. */
  readonly alerts: readonly Alert[];
  readonly applied: number;
  readonly digest: string;
}

export interface AccountOptions {
  /** Whose commands `told` holds; undefined = everybody's. Events of other actors are counted, not judged. */
  readonly actors?: ReadonlySet<string>;
}

export interface Account {
  /** Commands told done that are missing on a replica, or stand there otherwise than told. */
  readonly lost: number;
  /** Events that no command accounts for, and commands that claim an event which another one has already. */
  readonly duplicated: number;
  /** Places where replicas disagree with each other or with themselves: order, content, state. */
  readonly differing: number;
  /** All replicas have applied the same entry and came to the same digest. */
  readonly digestsEqual: boolean;
  /** Commands told unknown that did happen. */
  readonly unknownHappened: number;
  /** Events by actors whose commands are not in `told`. */
  readonly byOthers: number;
  /** Events of the history. */
  readonly events: number;
  /** The first FINDINGS_MAX complaints, each in one sentence. */
  readonly findings: readonly string[];
}

const FINDINGS_MAX = 20;

/**
 * Compares what callers were told with what replicas hold. Each event must be accounted for by exactly one command, each
 * command told done by exactly its event on every replica; a command told unknown may have one event or none.
 */
export function account(
  told: readonly Told[],
  held: readonly Held[],
  options: AccountOptions = {},
): Account {
  const audit = new Audit(told, options.actors);
  for (const one of held) audit.replica(one);
  const [first, ...others] = held;
  if (first !== undefined) for (const other of others) audit.pair(first, other);
  return audit.sum(held);
}

class Audit {
  /** By the revision they were told. */
  readonly #claims: Map<number, Told> = new Map();
  readonly #unchanged: Told[] = [];
  readonly #unknown: Map<string, Told[]> = new Map();
  /** Which command an event that nobody was told of is taken for: the same one on every replica. */
  readonly #taken: Map<number, Told> = new Map();
  readonly #actors: ReadonlySet<string> | undefined;
  readonly #lost: Set<Told> = new Set();
  /** Each event too many, and each claim too many, once. */
  readonly #duplicated: Set<string> = new Set();
  readonly #byOthers: Set<number> = new Set();
  readonly #findings: string[] = [];
  #differing = 0;

  constructor(told: readonly Told[], actors: ReadonlySet<string> | undefined) {
    this.#actors = actors;
    for (const one of told) {
      if (one.outcome === 'none') continue;
      if (one.outcome === 'unknown') this.#addUnknown(one);
      else if (one.outcome.effect === 'unchanged') this.#unchanged.push(one);
      else if (this.#claims.has(one.outcome.revision)) {
        this.#duplicated.add(`claim ${this.#duplicated.size}`);
        this.#find(`two callers were told of revision ${one.outcome.revision}`);
      } else this.#claims.set(one.outcome.revision, one);
    }
  }

  replica(held: Held): void {
    this.#checkOrder(held);
    const byRevision = new Map<number, AlertEvent>();
    const left: AlertEvent[] = [];
    for (const event of held.events) {
      if (byRevision.has(event.revision)) this.#duplicate(held, event, 'stands there twice');
      else {
        byRevision.set(event.revision, event);
        if (!this.#claims.has(event.revision)) left.push(event);
      }
    }
    for (const [revision, one] of this.#claims)
      this.#checkDone(held, one, byRevision.get(revision));
    for (const one of this.#unchanged) this.#checkUnchanged(held, one, byRevision);
    for (const event of left) this.#checkUntold(held, event);
    this.#checkState(held);
  }

  /** Whether two replicas hold the same. */
  pair(a: Held, b: Held): void {
    const who = `replicas ${a.replica} and ${b.replica}`;
    if (a.events.length !== b.events.length)
      this.#differ(`${who} hold ${a.events.length} and ${b.events.length} events`);
    const count = Math.min(a.events.length, b.events.length);
    for (let at = 0; at < count; at += 1)
      if (!sameData(a.events[at], b.events[at])) this.#differ(`${who} differ in event ${at + 1}`);
  }

  sum(held: readonly Held[]): Account {
    const [first] = held;
    return {
      lost: this.#lost.size,
      duplicated: this.#duplicated.size,
      differing: this.#differing,
      digestsEqual:
        first !== undefined &&
        held.every(({ applied, digest }) => applied === first.applied && digest === first.digest),
      unknownHappened: this.#taken.size,
      byOthers: this.#byOthers.size,
      events: Math.max(0, ...held.map(({ events }) => events.length)),
      findings: this.#findings,
    };
  }

  #checkOrder({ replica, events }: Held): void {
    let before: AlertEvent | undefined;
    for (const [at, event] of events.entries()) {
      if (event.revision !== at + 1)
        this.#differ(`replica ${replica}: revision ${event.revision} where ${at + 1} is due`);
      if (before !== undefined && (event.index < before.index || event.time < before.time))
        this.#differ(
          `replica ${replica}: revision ${event.revision} goes back in the log or in time`,
        );
      before = event;
    }
  }

  #checkDone({ replica }: Held, one: Told, event: AlertEvent | undefined): void {
    if (typeof one.outcome === 'string') return;
    const problem =
      event === undefined ? 'is missing' : contradictionOf(one.command, one.outcome, event);
    if (problem !== undefined)
      this.#lose(one, `replica ${replica}: ${describe(one.command, one.outcome)} ${problem}`);
  }

  /** A command that changed nothing has no event; the state it was told of must have been there. */
  #checkUnchanged({ replica }: Held, one: Told, byRevision: ReadonlyMap<number, AlertEvent>): void {
    if (typeof one.outcome === 'string') return;
    const { alertId, revision, state, activation } = one.outcome;
    const alert = byRevision.get(revision)?.alert;
    const holds =
      alert?.id === alertId && alert.activation === activation && displayState(alert) === state;
    if (!holds)
      this.#lose(one, `replica ${replica}: ${alertId} never stood at revision ${revision} as told`);
  }

  #checkUntold(held: Held, event: AlertEvent): void {
    const known = this.#taken.get(event.revision);
    if (known !== undefined && couldBe(known.command, event)) return;
    const candidates = this.#unknown.get(signatureOfEvent(event)) ?? [];
    const at = candidates.findIndex(({ command }) => couldBe(command, event));
    const [one] = at < 0 ? [] : candidates.splice(at, 1);
    if (one !== undefined) this.#taken.set(event.revision, one);
    else if (this.#actors?.has(event.actor) === false) this.#byOthers.add(event.revision);
    else this.#duplicate(held, event, 'is of no command');
  }

  /** The alerts as they stand are what the history led to. */
  #checkState({ replica, events, alerts }: Held): void {
    const expected = new Map(events.map(({ alert }) => [alert.id, alert]));
    for (const alert of alerts) {
      if (!sameData(alert, expected.get(alert.id)))
        this.#differ(`replica ${replica}: ${alert.id} is not what its history led to`);
      expected.delete(alert.id);
    }
    for (const id of expected.keys())
      this.#differ(`replica ${replica}: ${id} is in the history and not in the list`);
  }

  #addUnknown(one: Told): void {
    const signature = signatureOf(one.command.type, one.command);
    const same = this.#unknown.get(signature);
    if (same === undefined) this.#unknown.set(signature, [one]);
    else same.push(one);
  }

  #lose(one: Told, why: string): void {
    this.#lost.add(one);
    this.#find(why);
  }

  /** The same event too many on several replicas is one. */
  #duplicate({ replica }: Held, event: AlertEvent, why: string): void {
    this.#duplicated.add(`${event.revision} ${why}`);
    const { actor, alert, effect, revision } = event;
    this.#find(
      `replica ${replica}: revision ${revision} (${alert.id} ${effect} by ${actor}) ${why}`,
    );
  }

  #differ(what: string): void {
    this.#differing += 1;
    this.#find(what);
  }

  #find(what: string): void {
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push(what);
  }
}

const describe = ({ type, actor }: Command, { alertId, revision, effect }: Done): string =>
  `${type} by ${actor}, told ${alertId} ${effect} at revision ${revision},`;

/** Narrows down which command an event may be of. */
const signatureOf = (
  type: string,
  { actor, observedAt }: { readonly actor: string; readonly observedAt: number },
): string => `${type} ${observedAt} ${actor}`;

const signatureOfEvent = (event: AlertEvent): string =>
  signatureOf(TYPES[event.effect] ?? event.effect, event);

const TYPES: Readonly<Partial<Record<AlertEvent['effect'], Command['type']>>> = {
  raised: 'raise',
  continued: 'raise',
  escalated: 'raise',
  deescalated: 'raise',
  reactivated: 'raise',
  cleared: 'clear',
  acknowledged: 'acknowledge',
};
