import { readLogRecords } from './level-log.ts';
import { VarintCursor } from './varint.ts';

/**
 * Which of the files in LevelDB's folder count; all others are left over from work that was
 * interrupted.
 */
export interface Manifest {
  /** Log files from this number on are not yet in tables; the one of this number exists. */
  readonly logNumber: number;
  /** Bytes of each live table, by its number. */
  readonly tables: ReadonlyMap<number, number>;
}

const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const;

/** Plays the edits of a MANIFEST file from first to last. The text says what is wrong. */
export function readManifest(bytes: Uint8Array): Manifest | string {
  const edits = readLogRecords(bytes);
  if (typeof edits === 'string') return edits;
  const tables = new Map<number, number>();
  let logNumber = Number.NaN;
  for (const edit of edits) {
    const cursor = new VarintCursor(edit, 0, edit.byteLength);
    while (!cursor.done) {
      const tag = cursor.varint();
      if (tag === TAG.logNumber) logNumber = cursor.varint();
      else if (!playField(cursor, tag, tables)) return `field ${tag} is not known`;
    }
  }
  if (Number.isNaN(logNumber)) return 'names no log file';
  return { logNumber, tables };
}

function playField(cursor: VarintCursor, tag: number, tables: Map<number, number>): boolean {
  switch (tag) {
    case TAG.comparator:
      cursor.skipText();
      return true;
    case TAG.nextFile:
    case TAG.lastSequence:
    case TAG.previousLogNumber:
      cursor.varint();
      return true;
    case TAG.compactPointer:
      cursor.varint(); // level
      cursor.skipText();
      return true;
    case TAG.deletedFile:
      cursor.varint(); // level
      tables.delete(cursor.varint());
      return true;
    case TAG.newFile: {
      cursor.varint(); // level
      const number = cursor.varint();
      tables.set(number, cursor.varint());
      cursor.skipText(); // smallest key
      cursor.skipText(); // largest key
      return true;
    }
    default:
      return false;
  }
}
