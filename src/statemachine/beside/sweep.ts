import type { Revision, UnixMillis } from '../../base/ids.ts';
import { idNumber } from '../alerts/alert-id.ts';
import type { Neighbours } from '../alerts/neighbours.ts';
import type { Glance } from '../types.ts';
import { type Inhibition, isAbout } from './inhibition.ts';
import type { RecordBase } from './registry.ts';
import { type MaintenanceWindow, maintains, type Silence, silences } from './suppression.ts';

/** What is over, so that something has to be done to each of the open alerts that it was about. */
export type SweepCause =
  /** What kept them from being heard (T18), as it was until then. */
  | { readonly over: 'silence'; readonly silence: Silence }
  | { readonly over: 'window'; readonly window: MaintenanceWindow }
  /** That something at these devices explained them by this rule. */
  | { readonly over: 'explanation'; readonly rule: Inhibition; readonly gone: readonly Gone[] }
  /** That the rule explained them wherever one of its sources was. */
  | { readonly over: 'rule'; readonly rule: Inhibition }
  /** That somebody measured what they are about (T22). */
  | { readonly over: 'measuring'; readonly device: string };

/** Where something is not there any more. */
export interface Gone {
  readonly device: string;
  /** When it was there last: an alert that was opened later, in the same transaction, was never explained by it. */
  readonly at: Revision;
}

/** How far that has been done. */
export interface SweepState {
  readonly cause: SweepCause;
  /** The last instant at which it was not over. */
  readonly at: UnixMillis;
  /** Alerts that have changed since have been seen to when they did. */
  readonly until: Revision;
  /** Alerts up to this number have been seen to. */
  readonly done: number;
  /** Who is named as having done it. */
  readonly by: string;
}

/** `K` and a number. */
export type SweepId = `K${number}`;

/** A sweep that is not through yet: it goes on at `dueAt`. */
export interface AlertSweep extends RecordBase, SweepState {
  readonly id: SweepId;
  readonly dueAt: UnixMillis;
}

/** Whether the source of a measurement is not known to be lost. */
export const isFresh = ({ kind, staleSince }: Glance): boolean =>
  kind === 'physiological' && staleSince === undefined;

/** Whether an alert that has not changed since is one that the sweep is about. */
export function covers(
  { cause, at, until }: SweepState,
  alert: Glance,
  neighbours: Neighbours,
): boolean {
  const { device } = alert.subject;
  switch (cause.over) {
    case 'silence':
      return silences(cause.silence, alert, at);
    case 'window':
      return maintains(cause.window, alert, at);
    case 'explanation':
      return isAbout(cause.rule, alert) && cause.gone.some((gone) => wasThere(gone, alert));
    case 'rule': {
      if (device === undefined || !isAbout(cause.rule, alert)) return false;
      // One that was there and has come back since counts: better to tell of an alert once too often than never.
      const [first] = neighbours.of(device, cause.rule.sources, 1);
      return first !== undefined && (idNumber(first.id) ?? 0) <= until;
    }
    case 'measuring':
      return cause.device === device && isFresh(alert);
  }
}

/** Whether an alert is of that device, and was there already. Alerts are numbered by the revision that opened them. */
export const wasThere = ({ device, at }: Gone, { id, subject }: Glance): boolean =>
  device === subject.device && (idNumber(id) ?? 0) <= at;
