import { type Code, TocsinError } from '../base/errors.ts';

/**
 * What a server's FAIL means for the request it answers. `no`: nothing was done, and asking again, or asking another
 * replica, can help. `maybe`: nobody knows. `final`: nothing was done and nothing would be.
 */
export type Verdict = 'no' | 'maybe' | 'final';

/** Codes whose meaning is certain; whatever else a server says leaves the outcome open. */
const CERTAIN: ReadonlyMap<Code, Verdict> = new Map<Code, Verdict>([
  ['NOT_LEADER', 'no'],
  ['UNAVAILABLE', 'no'],
  ['OVERLOADED', 'no'],
  ['DISK_FULL', 'no'],
  ['DEADLINE_EXCEEDED', 'no'],
  ['BAD_REQUEST', 'final'],
  ['CURSOR_EXPIRED', 'final'],
  ['CHANGE_REFUSED', 'final'],
  ['DATA_MISSING', 'final'],
  ['BODY_MALFORMED', 'final'],
  ['FRAME_TOO_LONG', 'final'],
  ['FRAME_UNKNOWN_TYPE', 'final'],
]);

export const verdictOf = (code: Code): Verdict => CERTAIN.get(code) ?? 'maybe';

/** Codes of a last failure that say more about why the time ran out than UNAVAILABLE does. */
const TELLING: ReadonlySet<Code> = new Set<Code>(['OVERLOADED', 'DISK_FULL', 'DEADLINE_EXCEEDED']);

/** Of two failures in a row the one to tell of: who does not lead says less than the leader said before. */
export const moreTelling = (before: TocsinError | undefined, after: TocsinError): TocsinError =>
  before !== undefined && TELLING.has(before.code) && after.code === 'NOT_LEADER' ? before : after;

/** The time is up, and nothing was done. */
export function timeIsUp(timeoutMs: number, last: TocsinError | undefined): TocsinError {
  if (last === undefined)
    return new TocsinError('DEADLINE_EXCEEDED', `no answer within ${spelled(timeoutMs)}`);
  const code = TELLING.has(last.code) ? last.code : 'UNAVAILABLE';
  const why = code === last.code ? last.message : `${last.code}: ${last.message}`;
  return new TocsinError(code, `no answer within ${spelled(timeoutMs)}, at last: ${why}`, {
    cause: last,
    leader: last.leader,
  });
}

const spelled = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`);

export const cancelled = (signal: AbortSignal): TocsinError =>
  new TocsinError('CANCELLED', 'the caller gave up', { cause: signal.reason });

/** Nobody is there to be asked, and the caller does not want to wait. */
export const offline = (): TocsinError =>
  new TocsinError('UNAVAILABLE', 'no replica that may lead is connected, and offlineQueue is off');

export const clientClosed = (): TocsinError => new TocsinError('CLOSED', 'the client is closed');

/** Any value thrown, as one of our errors. */
export function asTocsinError(error: unknown): TocsinError {
  if (TocsinError.is(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TocsinError('INTERNAL', message, { cause: error });
}
