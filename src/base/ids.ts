import { assert, assertWhole } from './assert.ts';

declare const brand: unique symbol;
/** A number or string whose meaning must not be confused with another's; costs nothing at run time. */
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A member of the cluster: 1 … 65,535, never reused within a cluster. */
export type ReplicaId = Brand<number, 'ReplicaId'>;
/** A leader's reign; starts at 1, 0 = before any election. */
export type Term = Brand<number, 'Term'>;
/** A place in the replicated log; the first entry is 1, 0 = before it. */
export type LogIndex = Brand<number, 'LogIndex'>;
/** A position in the alert history: grows by one with each event; 0 = nothing happened yet. */
export type Revision = Brand<number, 'Revision'>;
/** A duration, or a reading of the monotonic clock, in milliseconds. */
export type Millis = Brand<number, 'Millis'>;
/** Milliseconds since 1970-01-01T00:00Z. */
export type UnixMillis = Brand<number, 'UnixMillis'>;
/** Which Raft group a frame belongs to. Group 0 is the alerts. */
export type GroupId = Brand<number, 'GroupId'>;

export const REPLICA_ID_MAX = 65_535;

export function replicaId(value: number): ReplicaId {
  assertWhole(value, 'replica id');
  assert(value >= 1, 'replica id 0 does not exist');
  assert(value <= REPLICA_ID_MAX, 'replica id % is above %', value, REPLICA_ID_MAX);
  return value as ReplicaId;
}

export function term(value: number): Term {
  assertWhole(value, 'term');
  return value as Term;
}

export function logIndex(value: number): LogIndex {
  assertWhole(value, 'log index');
  return value as LogIndex;
}

/** The lower of two places. */
export const lower = (a: LogIndex, b: LogIndex): LogIndex => Math.min(a, b) as LogIndex;
export function revision(value: number): Revision {
  assertWhole(value, 'revision');
  return value as Revision;
}

export const millis = (value: number): Millis => value as Millis;
export const unixMillis = (value: number): UnixMillis => value as UnixMillis;
export function groupId(value: number): GroupId {
  assertWhole(value, 'group');
  return value as GroupId;
}

export const ALERTS_GROUP: GroupId = groupId(0);
