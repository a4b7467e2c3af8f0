import { TocsinError } from '../../src/base/errors.ts';
import { type Recording, readRows } from '../input/recordings.ts';

/**
 * Reads all recordings to the end, so that a malformed one is found before anything is sent. Resolves with the number
 * of rows.
 * @throws TocsinError BAD_RECORDING naming file and line; CANCELLED
 */
export async function countRows(
  recordings: readonly Recording[],
  signal: AbortSignal,
): Promise<number> {
  let rows = 0;
  for await (const _row of readRows(recordings, 'patient')) {
    rows += 1;
    if (signal.aborted) throw new TocsinError('CANCELLED', 'interrupted');
  }
  return rows;
}
