import { type LogIndex, logIndex } from '../base/ids.ts';
import { NAME_CHARS_MAX, SNAPSHOT_CHUNKS_MAX } from '../base/limits.ts';
import { decodeBody, encodeBody } from './body.ts';
import { asFields, asLine, asWhole, type Unchecked } from './check.ts';

/** What replicas ask each other on the bulk lane. Layouts in FORMAT.md, "Bulk lane". */

/** Asks for what a snapshot is, or for a piece of it. The answer is a snapshot's meta, or the bytes of a chunk. */
export type SnapshotFetch =
  | {
      readonly what: 'newest';
      /** It must reach this entry. */
      readonly reaching: LogIndex;
    }
  | { readonly what: 'chunk'; readonly id: string; readonly chunk: number };

export const encodeSnapshotFetch = (fetch: SnapshotFetch): Uint8Array =>
  encodeBody(
    fetch.what === 'newest' ? { reaching: fetch.reaching } : { id: fetch.id, chunk: fetch.chunk },
  );

/** @throws TocsinError BAD_REQUEST, BODY_MALFORMED */
export function decodeSnapshotFetch(body: Uint8Array): SnapshotFetch {
  const fields: Unchecked<{ reaching: number; id: string; chunk: number }> = asFields(
    'request',
    'fetch',
    decodeBody(body),
    FETCH,
  );
  if (fields.id === undefined) {
    const least = asWhole('request', 'reaching', fields.reaching, 0, Number.MAX_SAFE_INTEGER);
    return { what: 'newest', reaching: logIndex(least) };
  }
  return {
    what: 'chunk',
    id: asLine('request', 'id', fields.id, 1, NAME_CHARS_MAX),
    chunk: asWhole('request', 'chunk', fields.chunk, 0, SNAPSHOT_CHUNKS_MAX - 1),
  };
}

const FETCH: ReadonlySet<string> = new Set(['reaching', 'id', 'chunk']);
