import type { DisplayState, Effect, Priority, RefusalCode } from '../../statemachine/types.ts';
import type { SeenAlert, Write } from './history.ts';

/**
 * What commands do to one condition, once more and as plainly as can be: the checkers' own reading of the domain table
 * (T1 to T11). It shares types with the product, and no code.
 */

/** The newest occurrence of a condition; undefined = there never was one. */
export type Condition = SeenAlert | undefined;

/** What one command answers, and leaves. */
export type Performed =
  | { readonly effect: Effect; readonly after: SeenAlert }
  | { readonly code: RefusalCode };

const RANK: Readonly<Record<Priority, number>> = { none: 0, low: 1, medium: 2, high: 3 };

export const openOf = (condition: Condition): SeenAlert | undefined =>
  condition === undefined || condition.state === 'RESOLVED' ? undefined : condition;

/** Carries out `write`; a change gets `revision`. */
export function perform(condition: Condition, write: Write, revision: number): Performed {
  const open = openOf(condition);
  if (write.kind !== 'raise' && open === undefined) return { code: 'ALERT_NOT_FOUND' };
  const { expectedRevision } = write;
  if (expectedRevision !== undefined && expectedRevision !== (open?.revision ?? 0))
    return { code: 'REVISION_MISMATCH' };
  if (open === undefined) return raiseAnew(condition, write, revision);
  if (write.kind === 'raise') return raiseAgain(open, write, revision);
  return write.kind === 'clear' ? clear(open, revision) : acknowledge(open, revision);
}

function raiseAnew(condition: Condition, write: Write, revision: number): Performed {
  const after: SeenAlert = {
    id: `A${revision}`,
    key: write.key,
    unit: write.unit ?? '',
    occurrence: (condition?.occurrence ?? 0) + 1,
    activation: 1,
    priority: write.priority ?? 'none',
    state: 'ACTIVE_UNACK',
    text: write.id,
    latching: write.latching ?? false,
    acknowledgementRequired: write.acknowledgementRequired ?? false,
    revision,
  };
  return { effect: 'raised', after };
}

function raiseAgain(open: SeenAlert, write: Write, revision: number): Performed {
  const priority = write.priority ?? 'none';
  const isBack = open.state === 'LATCHED' || open.state === 'RTN_UNACK';
  const step = RANK[priority] - RANK[open.priority];
  const annunciates = isBack || step > 0;
  const after: SeenAlert = {
    ...open,
    priority,
    text: write.id,
    activation: open.activation + (annunciates ? 1 : 0),
    state: annunciates ? 'ACTIVE_UNACK' : open.state,
    revision,
  };
  if (isBack) return { effect: 'reactivated', after };
  return { effect: step > 0 ? 'escalated' : step < 0 ? 'deescalated' : 'continued', after };
}

function clear(open: SeenAlert, revision: number): Performed {
  if (open.state === 'LATCHED' || open.state === 'RTN_UNACK')
    return { effect: 'unchanged', after: open };
  let state: DisplayState = 'RESOLVED';
  if (open.state === 'ACTIVE_UNACK' && open.latching) state = 'LATCHED';
  else if (open.state === 'ACTIVE_UNACK' && open.acknowledgementRequired) state = 'RTN_UNACK';
  return { effect: 'cleared', after: { ...open, state, revision } };
}

/** Each operation is an actor of its own, so none acknowledges twice. */
function acknowledge(open: SeenAlert, revision: number): Performed {
  const isPresent = open.state === 'ACTIVE_UNACK' || open.state === 'ACTIVE_ACK';
  const state = isPresent ? 'ACTIVE_ACK' : 'RESOLVED';
  return { effect: 'acknowledged', after: { ...open, state, revision } };
}
