import {
  type LogIndex,
  logIndex,
  type Revision,
  revision,
  type Term,
  term,
} from '../../base/ids.ts';
import { SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNKS_MAX } from '../../base/limits.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { asArray, asFields, asLine, asWhole, refuse, type Unchecked } from '../check.ts';
import { type ClusterMember, membersBody, parseMembers } from '../peers/members.ts';

/** What a snapshot is of: known before its first chunk is written. */
export interface SnapshotSubject {
  /** The newest entry that is in it. */
  readonly index: LogIndex;
  readonly term: Term;
  /** Chain hash of that entry: the log goes on from it. */
  readonly chain: number;
  /** The committed configuration. */
  readonly members: readonly ClusterMember[];
  readonly revision: Revision;
  /** Rolling hash of what was applied, as replicas compare it. */
  readonly digest: number;
  readonly machineVersion: number;
}

/** A whole snapshot. Two of the same id are the same bytes in the same chunks. */
export interface SnapshotMeta extends SnapshotSubject {
  /** Index, term and the beginning of the hash, readable and fit for a file name. */
  readonly id: string;
  readonly chunks: readonly SnapshotChunk[];
  /** SHA-256 over the bytes of all chunks, in hex. */
  readonly hash: string;
}

export interface SnapshotChunk {
  readonly bytes: number;
  /** CRC-32. */
  readonly crc: number;
}

const HASH = /^[0-9a-f]{64}$/;
const HASH_CHARS_IN_ID = 16;

export const snapshotId = (index: number, inTerm: number, hash: string): string =>
  `${index}-${inTerm}-${hash.slice(0, HASH_CHARS_IN_ID)}`;

/** Bytes of all chunks. */
export const snapshotBytes = (meta: SnapshotMeta): number =>
  meta.chunks.reduce((sum, { bytes }) => sum + bytes, 0);

export const encodeSnapshotMeta = (meta: SnapshotMeta): Uint8Array =>
  encodeBody({
    index: meta.index,
    term: meta.term,
    chain: meta.chain,
    members: membersBody(meta.members),
    rev: meta.revision,
    digest: meta.digest,
    machine: meta.machineVersion,
    chunks: meta.chunks.flatMap(({ bytes, crc }) => [bytes, crc]),
    hash: meta.hash,
  });

interface MetaFields {
  readonly index: number;
  readonly term: number;
  readonly chain: number;
  readonly members: unknown;
  readonly rev: number;
  readonly digest: number;
  readonly machine: number;
  readonly chunks: unknown;
  readonly hash: string;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeSnapshotMeta(body: Uint8Array): SnapshotMeta {
  const fields: Unchecked<MetaFields> = asFields('answer', 'snapshot', decodeBody(body), undefined);
  const whole = (name: keyof MetaFields, min = 0): number =>
    asWhole('answer', name, fields[name], min, Number.MAX_SAFE_INTEGER);
  const hash = asLine('answer', 'hash', fields.hash, 64, 64);
  if (!HASH.test(hash)) refuse('answer', 'hash', 'must be 64 hex digits');
  const index = logIndex(whole('index', 1));
  const inTerm = term(whole('term', 1));
  return {
    id: snapshotId(index, inTerm, hash),
    index,
    term: inTerm,
    chain: whole('chain'),
    members: parseMembers(fields.members),
    revision: revision(whole('rev')),
    digest: whole('digest'),
    machineVersion: whole('machine'),
    chunks: parseChunks(fields.chunks),
    hash,
  };
}

function parseChunks(value: unknown): SnapshotChunk[] {
  const flat = asArray('answer', 'chunks', value, SNAPSHOT_CHUNKS_MAX * 2);
  if (flat.length % 2 !== 0) refuse('answer', 'chunks', 'must be pairs');
  const chunks: SnapshotChunk[] = [];
  for (let at = 0; at < flat.length; at += 2)
    chunks.push({
      bytes: asWhole('answer', 'chunk bytes', flat[at], 1, SNAPSHOT_CHUNK_BYTES),
      crc: asWhole('answer', 'chunk crc', flat[at + 1], 0, 2 ** 32 - 1),
    });
  return chunks;
}
