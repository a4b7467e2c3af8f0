import { randomBytes } from 'node:crypto';
import { TocsinError } from '../base/errors.ts';
import { REPLICA_ID_MAX, type ReplicaId, replicaId } from '../base/ids.ts';
import { ADDRESS_CHARS_MAX, MEMBERS_MAX } from '../base/limits.ts';
import { seal, unseal } from './sealed.ts';
import type { Identity, Member } from './types.ts';

/** The newest layout of a data folder that this version reads, and the one it writes. */
export const FORMAT_VERSION = 1;

/** A name for a new cluster: 16 random bytes as 32 hex digits. */
export const newClusterId = (): string => randomBytes(16).toString('hex');

/** A number that no earlier format of any replica had, as good as surely: 1 … 2⁴⁸. */
export const newIncarnation = (): number => randomBytes(6).readUIntBE(0, 6) + 1;

/** Why this cannot be the identity of a replica, as a sentence for people; undefined = it can. */
export function findIdentityProblem(identity: Identity): string | undefined {
  const { clusterId, replicaId: self, incarnation, members } = identity;
  if (!/^[0-9a-f]{32}$/.test(clusterId)) return `cluster id ${clusterId} is not 32 hex digits`;
  if (!Number.isSafeInteger(incarnation) || incarnation < 1)
    return `incarnation ${incarnation} is not a positive integer`;
  if (members.length > MEMBERS_MAX) return `${members.length} members are above ${MEMBERS_MAX}`;
  const addresses = new Set<string>();
  let previous = 0;
  for (const { id, address } of members) {
    if (!isReplicaId(id)) return `replica id ${id} is not in 1 … ${REPLICA_ID_MAX}`;
    if (id === previous) return `replica ${id} is listed twice`;
    if (id < previous) return `replica ${id} is listed after ${previous}`;
    previous = id;
    if (!address.startsWith('/') || address.length > ADDRESS_CHARS_MAX)
      return `address ${JSON.stringify(address.slice(0, 80))} of replica ${id} is not a multiaddr`;
    if (addresses.has(address)) return `address ${address} is listed twice`;
    addresses.add(address);
  }
  if (!members.some(({ id }) => id === self)) return `replica ${self} is not among the members`;
  return undefined;
}

const MAGIC = 0x49434f54; // 'TOCI'

/** The identity as bytes: a sealed record of JSON. */
export const encodeIdentity = (identity: Identity): Uint8Array =>
  seal(MAGIC, FORMAT_VERSION, Buffer.from(JSON.stringify(identity)));

/**
 * @throws TocsinError DATA_CORRUPT, DATA_NEWER_FORMAT
 */
export function decodeIdentity(bytes: Uint8Array): Identity {
  const record = unseal(MAGIC, bytes);
  if (typeof record === 'string') throw corrupt(record);
  const { version, body } = record;
  if (version > FORMAT_VERSION)
    throw new TocsinError(
      'DATA_NEWER_FORMAT',
      `the folder has format ${version}, this program reads up to ${FORMAT_VERSION}`,
    );
  if (version !== FORMAT_VERSION) throw corrupt(`format ${version} never existed`);
  const identity = identityOf(parseJson(body));
  if (identity === undefined) throw corrupt('a field is missing or of the wrong type');
  const problem = findIdentityProblem(identity);
  if (problem !== undefined) throw corrupt(problem);
  return identity;
}

const corrupt = (what: string): TocsinError =>
  new TocsinError('DATA_CORRUPT', `identity record: ${what}`);

const isReplicaId = (value: unknown): value is ReplicaId =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= REPLICA_ID_MAX;

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

function identityOf(value: unknown): Identity | undefined {
  const clusterId = fieldOf(value, 'clusterId');
  const self = fieldOf(value, 'replicaId');
  const incarnation = fieldOf(value, 'incarnation');
  const listed = fieldOf(value, 'members');
  const joining = fieldOf(value, 'joining');
  if (typeof clusterId !== 'string' || typeof incarnation !== 'number') return undefined;
  if (!isReplicaId(self) || !Array.isArray(listed)) return undefined;
  const members: Member[] = [];
  for (const item of listed) {
    const id = fieldOf(item, 'id');
    const address = fieldOf(item, 'address');
    if (!isReplicaId(id) || typeof address !== 'string') return undefined;
    members.push({ id: replicaId(id), address });
  }
  const identity = { clusterId, replicaId: self, incarnation, members };
  return joining === true ? { ...identity, joining } : identity;
}
