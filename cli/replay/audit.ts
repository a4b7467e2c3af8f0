import type { PatientTransition } from '../input/transitions.ts';

/** What the cluster was asked, what the caller was told, and what the cluster then held: compared, never assumed. */

export type Told =
  | {
      readonly how: 'done';
      readonly revision: number;
      readonly alertId: string;
      readonly effect: string;
    }
  /** Surely not written. */
  | { readonly how: 'none' }
  /** Written or not. */
  | { readonly how: 'unknown' };

/** One command and what became of it. */
export interface AskedCommand {
  readonly type: 'raise' | 'clear';
  readonly dedupKey: string;
  readonly observedAt: number;
  readonly told: Told;
}

/** What of an event of the history is compared. */
export interface HeldEvent {
  readonly revision: number;
  readonly alertId: string;
  readonly dedupKey: string;
  readonly effect: string;
  readonly observedAt: number;
  /** What it means for the recordings; undefined = nothing began or ended. */
  readonly transition: PatientTransition | undefined;
}

export interface Audit {
  /** Commands told done that the history does not hold as told. */
  readonly lost: number;
  /** Events that no command accounts for, or that a command accounts for already. */
  readonly duplicated: number;
  /** Commands told unknown that the history holds. */
  readonly unknownHeld: number;
  /** Which ones, in words; at most FINDINGS_MAX. */
  readonly findings: readonly string[];
}

const FINDINGS_MAX = 20;
const CLEARS: ReadonlySet<string> = new Set(['cleared']);

/**
 * Each command told done has exactly its event, one told none has no event, one told unknown has at most one; and there
 * is no event besides.
 */
export function audit(asked: readonly AskedCommand[], held: readonly HeldEvent[]): Audit {
  const events = new Map<string, HeldEvent[]>();
  for (const event of held) {
    const name = nameOf(CLEARS.has(event.effect) ? 'clear' : 'raise', event);
    const same = events.get(name);
    if (same === undefined) events.set(name, [event]);
    else same.push(event);
  }
  const findings: string[] = [];
  let lost = 0;
  let duplicated = 0;
  let unknownHeld = 0;
  const find = (what: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push(what);
  };
  for (const command of asked) {
    const name = nameOf(command.type, command);
    const found = events.get(name) ?? [];
    events.delete(name);
    const { told } = command;
    const isExpected = told.how === 'done' && told.effect !== 'unchanged';
    if (isExpected && !found.some((event) => isAsTold(event, told))) {
      lost += 1;
      find(`${name}: told revision ${told.revision} (${told.alertId} ${told.effect}), not there`);
    }
    if (told.how === 'unknown' && found.length > 0) unknownHeld += 1;
    const allowed = isExpected || told.how === 'unknown' ? 1 : 0;
    for (const event of found.slice(allowed)) {
      duplicated += 1;
      find(`${name}: told ${told.how}, also there as revision ${event.revision}`);
    }
  }
  for (const [name, found] of events)
    for (const event of found) {
      duplicated += 1;
      find(`${name}: never asked for, there as revision ${event.revision}`);
    }
  return { lost, duplicated, unknownHeld, findings };
}

const nameOf = (
  type: 'raise' | 'clear',
  { dedupKey, observedAt }: { readonly dedupKey: string; readonly observedAt: number },
): string => `${type} ${dedupKey} of ${observedAt}`;

const isAsTold = (event: HeldEvent, told: Extract<Told, { how: 'done' }>): boolean =>
  event.revision === told.revision &&
  event.alertId === told.alertId &&
  event.effect === told.effect;
