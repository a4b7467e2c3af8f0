import { type History, isWrite, type Operation, type Write } from './history.ts';

/**
 * The operations with every unknown outcome settled from the events, as far as they tell: a command that stands there
 * happened, and before the first answer that proves a revision as new as its own; one that does not stand there never
 * did, and stays unknown.
 */
export function settled({ operations, events, base = 0 }: History): readonly Operation[] {
  const placeOf = new Map(events.map((event) => [event.actor, event]));
  const shownAt = showings(operations, base + events.length);
  return operations.map((operation): Operation => {
    if (!isWrite(operation) || operation.outcome.type !== 'unknown') return operation;
    const event = placeOf.get(operation.id);
    if (event === undefined) return operation;
    const { id, activation, state } = event.alert;
    const { revision } = event;
    const effect = event.effect as 'raised';
    const outcome = { type: 'done', effect, alertId: id, activation, revision, state } as const;
    const end = Math.max(operation.call, shownAt[revision] ?? Number.POSITIVE_INFINITY);
    return { ...operation, end, outcome } satisfies Write;
  });
}

/** By revision, when the first operation ended that proves it to have been reached. */
function showings(operations: readonly Operation[], last: number): Float64Array {
  const shownAt = new Float64Array(last + 1).fill(Number.POSITIVE_INFINITY);
  for (const operation of operations) {
    const revision = provenBy(operation);
    if (revision <= last) shownAt[revision] = Math.min(shownAt[revision] as number, operation.end);
  }
  for (let revision = last - 1; revision >= 0; revision -= 1)
    shownAt[revision] = Math.min(shownAt[revision] as number, shownAt[revision + 1] as number);
  return shownAt;
}

/** The revision that must have been reached when this operation ended. */
export function provenBy(operation: Operation): number {
  if (!isWrite(operation)) return operation.answer?.revision ?? 0;
  return operation.outcome.type === 'done' ? operation.outcome.revision : 0;
}
