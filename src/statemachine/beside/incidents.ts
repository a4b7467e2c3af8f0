import type { UnixMillis } from '../../base/ids.ts';
import {
  INCIDENT_ALERTS_MAX,
  INCIDENT_ENTRIES_MAX,
  INCIDENTS_MAX,
  INCIDENTS_OVER_MAX,
} from '../../base/limits.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { AlertId, Asked, Kept, Priority, Refusal } from '../types.ts';
import { Registry } from './registry.ts';

/** `C` (case) and a number. */
export type IncidentId = `C${number}`;

/** One line of the timeline. */
export interface IncidentEntry {
  readonly at: UnixMillis;
  readonly by: string;
  readonly text: string;
}

/** What was learned, written when it is over. */
export interface IncidentReview {
  readonly rootCause: string;
  readonly actions: readonly string[];
}

/** Alerts that belong together, and what was done about them. */
export interface Incident {
  readonly id: IncidentId;
  readonly version: number;
  readonly title: string;
  readonly severity: Priority;
  readonly commander: string | undefined;
  readonly alerts: readonly AlertId[];
  /** Oldest first, bounded: the newest stay, and the first. */
  readonly timeline: readonly IncidentEntry[];
  readonly review: IncidentReview | undefined;
  readonly openedAt: UnixMillis;
  readonly closedAt: UnixMillis | undefined;
}

export interface OpenIncidentCommand extends Asked {
  readonly type: 'open-incident';
  readonly title: string;
  readonly severity: Priority;
  readonly commander?: string;
  readonly alerts: readonly AlertId[];
}

/** What is given replaces; alerts are added and removed; closing and reviewing are noted in the timeline. */
export interface ChangeIncidentCommand extends Asked {
  readonly type: 'change-incident';
  readonly id: IncidentId;
  readonly expectedVersion?: number;
  readonly severity?: Priority;
  readonly commander?: string;
  readonly add?: readonly AlertId[];
  readonly remove?: readonly AlertId[];
  readonly note?: string;
  readonly review?: IncidentReview;
  readonly close?: boolean;
}

export type IncidentCommand = OpenIncidentCommand | ChangeIncidentCommand;

/** Incidents, open and the newest closed ones. */
export class Incidents {
  readonly #ledger: Ledger;
  readonly registry: Registry<Incident>;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.registry = new Registry(
      INCIDENTS_MAX,
      INCIDENTS_OVER_MAX,
      ({ closedAt }) => closedAt === undefined,
    );
  }

  open(command: OpenIncidentCommand): Kept | Refusal {
    if (this.registry.isFull)
      return refuse('OVER_LIMIT', `there are ${this.registry.liveCount} open incidents already`);
    const missing = command.alerts.find((id) => this.#ledger.table.find({ id }) === undefined);
    if (missing !== undefined) return refuse('ALERT_NOT_FOUND', `there is no ${missing}`);
    const { title, severity, commander, alerts, actor } = command;
    const { time } = this.#ledger;
    return this.#put({
      id: `C${this.#ledger.nextNumber()}`,
      version: 1,
      title,
      severity,
      commander,
      alerts: [...new Set(alerts)],
      timeline: [{ at: time, by: actor, text: 'opened' }],
      review: undefined,
      openedAt: time,
      closedAt: undefined,
    });
  }

  change(command: ChangeIncidentCommand): Kept | Refusal {
    const { id, add = [], remove = [] } = command;
    const before = this.registry.get(id);
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no incident ${id}`);
    const { expectedVersion: expected } = command;
    if (expected !== undefined && expected !== before.version)
      return refuse('REVISION_MISMATCH', `${id} is at version ${before.version}, not ${expected}`);
    if (before.closedAt !== undefined && command.review === undefined)
      return refuse('ALREADY_RESOLVED', `${id} is closed; only its review can be written`);
    const missing = add.find((alert) => this.#ledger.table.find({ id: alert }) === undefined);
    if (missing !== undefined) return refuse('ALERT_NOT_FOUND', `there is no ${missing}`);
    const alerts = [...new Set([...before.alerts, ...add])].filter((one) => !remove.includes(one));
    if (alerts.length > INCIDENT_ALERTS_MAX)
      return refuse('OVER_LIMIT', `an incident has at most ${INCIDENT_ALERTS_MAX} alerts`);
    return this.#put(this.#changed(before, command, alerts));
  }

  #changed(before: Incident, command: ChangeIncidentCommand, alerts: AlertId[]): Incident {
    const { time } = this.#ledger;
    const { severity = before.severity, commander = before.commander } = command;
    const { review = before.review, close } = command;
    return {
      id: before.id,
      version: before.version + 1,
      title: before.title,
      severity,
      commander,
      alerts,
      timeline: withEntries(
        before.timeline,
        linesOf(command).map((text) => ({ at: time, by: command.actor, text })),
      ),
      review,
      openedAt: before.openedAt,
      closedAt: close === true ? (before.closedAt ?? time) : before.closedAt,
    };
  }

  #put(incident: Incident): Kept {
    this.registry.put(incident);
    this.#ledger.foldRecord(incident);
    return { ok: true, effect: 'kept', id: incident.id, version: incident.version };
  }
}

function linesOf(command: ChangeIncidentCommand): string[] {
  const { severity, commander, add, remove, note, review, close } = command;
  return [
    ...(severity === undefined ? [] : [`severity ${severity}`]),
    ...(commander === undefined ? [] : [`commander ${commander}`]),
    ...(add === undefined ? [] : [`added ${add.join(' ')}`]),
    ...(remove === undefined ? [] : [`removed ${remove.join(' ')}`]),
    ...(note === undefined ? [] : [note]),
    ...(review === undefined ? [] : ['reviewed']),
    ...(close === true ? ['closed'] : []),
  ];
}

/** A full timeline gives up its oldest entries, but never the first. */
function withEntries(
  before: readonly IncidentEntry[],
  added: readonly IncidentEntry[],
): readonly IncidentEntry[] {
  const all = [...before, ...added];
  if (all.length <= INCIDENT_ENTRIES_MAX) return all;
  return [...all.slice(0, 1), ...all.slice(1 - INCIDENT_ENTRIES_MAX)];
}
