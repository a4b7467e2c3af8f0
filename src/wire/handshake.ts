import { TocsinError } from '../base/errors.ts';
import { REPLICA_ID_MAX, type ReplicaId, replicaId } from '../base/ids.ts';
import { ADDRESS_CHARS_MAX, NAME_CHARS_MAX } from '../base/limits.ts';
import { decodeBody, encodeBody } from './body.ts';
import { asFields, asLine, asOneOf, asWhole, refuse, type Unchecked } from './check.ts';
import { WIRE_VERSION } from './frame.ts';

/** How each side of a connection introduces itself. */
export interface Hello {
  readonly role: 'peer' | 'client';
  /** Which connection of the several a peer keeps. */
  readonly lane: 'control' | 'log' | 'bulk' | 'client';
  /** 32 hex digits; a client may leave it empty to accept any cluster. */
  readonly clusterId: string;
  /** The sender's id; undefined for a client. */
  readonly replicaId: ReplicaId | undefined;
  /** Of the sender's data folder; 0 for a client. */
  readonly incarnation: number;
  /** A peer whose folder was formatted to join a cluster, not to found one. */
  readonly joined?: true | undefined;
  /** For people, in logs: a program's name and version. */
  readonly agent: string;
  /** Where the trend tier of a replica listens; undefined = it has none, or says nothing of it. */
  readonly trend?: string | undefined;
  /**
   * Wire versions the sender speaks. Undefined = those of this build; always there after
   * `decodeHello`.
   */
  readonly versions?: VersionRange;
}

/** Both ends included; 1 … 255. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** What this build speaks. */
export const WIRE_VERSIONS: VersionRange = { min: WIRE_VERSION, max: WIRE_VERSION };

/**
 * The version both sides speak, the highest of those in common. Each side computes it from the two
 * introductions.
 * @throws TocsinError VERSION_UNSUPPORTED
 */
export function negotiate(theirs: VersionRange, ours: VersionRange = WIRE_VERSIONS): number {
  const version = Math.min(theirs.max, ours.max);
  if (version < theirs.min || version < ours.min)
    throw new TocsinError(
      'VERSION_UNSUPPORTED',
      `wire versions ${theirs.min} to ${theirs.max} there, ${ours.min} to ${ours.max} here`,
    );
  return version;
}

/** The body of HELLO and WELCOME. */
export function encodeHello(hello: Hello): Uint8Array {
  const { min, max } = hello.versions ?? WIRE_VERSIONS;
  const { role, lane, clusterId, replicaId: id, incarnation, joined, agent, trend } = hello;
  const body = encodeBody({
    ...{ role, lane, clusterId, incarnation, agent },
    ...(id === undefined ? {} : { replicaId: id }),
    ...(joined === true ? { joined } : {}),
    ...(trend === undefined ? {} : { trend }),
  });
  const bytes = new Uint8Array(2 + body.byteLength);
  bytes[0] = min;
  bytes[1] = max;
  bytes.set(body, 2);
  return bytes;
}

/**
 * The versions are read and compared before anything else, so that a side that speaks a later
 * version only gets a clear answer.
 * @throws TocsinError BODY_MALFORMED, VERSION_UNSUPPORTED
 */
export function decodeHello(body: Uint8Array): Hello {
  const [min = 0, max = 0] = body;
  if (min < 1 || max < min) refuse('answer', 'versions', `${min} to ${max} is not a range`);
  const versions: VersionRange = { min, max };
  negotiate(versions);
  const hello: Unchecked<Hello> = asFields(
    'answer',
    'hello',
    decodeBody(body.subarray(2)),
    undefined,
  );
  const role = asOneOf('answer', 'role', hello.role, ['peer', 'client']);
  const clusterId = asLine('answer', 'clusterId', hello.clusterId, 0, 32);
  if (!/^(?:[0-9a-f]{32})?$/.test(clusterId))
    refuse('answer', 'clusterId', 'must be 32 hex digits or empty');
  const id = hello.replicaId;
  if (role === 'peer' && (id === undefined || clusterId === ''))
    refuse('answer', 'hello', 'a peer must name its cluster and its replica id');
  return {
    role,
    lane: asOneOf('answer', 'lane', hello.lane, ['control', 'log', 'bulk', 'client']),
    clusterId,
    replicaId:
      id === undefined
        ? undefined
        : replicaId(asWhole('answer', 'replicaId', id, 1, REPLICA_ID_MAX)),
    incarnation: asWhole('answer', 'incarnation', hello.incarnation, 0, Number.MAX_SAFE_INTEGER),
    ...(hello.joined === true ? { joined: true } : {}),
    agent: asLine('answer', 'agent', hello.agent, 0, NAME_CHARS_MAX),
    ...(hello.trend === undefined
      ? {}
      : { trend: asLine('answer', 'trend', hello.trend, 1, ADDRESS_CHARS_MAX) }),
    versions,
  };
}
