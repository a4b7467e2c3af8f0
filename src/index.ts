/** The public surface of the package; `tocsin/client` is the same without what will come beside it. */

export type { Clock, Timer } from './base/clock.ts';
export { type Code, MEANING, type Meaning, TocsinError } from './base/errors.ts';
export {
  type LogIndex,
  type Millis,
  millis,
  type ReplicaId,
  type Revision,
  revision,
  type Term,
  type UnixMillis,
  unixMillis,
} from './base/ids.ts';
export { Client, connect } from './client/client.ts';
export type { ClientOptions } from './client/options.ts';
export type {
  AcknowledgeInput,
  AlertApi,
  AlertPage,
  Answer,
  CallOptions,
  ClearInput,
  Consistency,
  ListOptions,
  RaiseInput,
  ReadOptions,
  WatchMessage,
  WatchOptions,
  WriteOptions,
} from './statemachine/alert-api.ts';
export { displayState } from './statemachine/display.ts';
export type {
  Acknowledgement,
  Alert,
  AlertEvent,
  AlertFilter,
  AlertId,
  AlertRef,
  Cause,
  DisplayState,
  Done,
  Effect,
  Kind,
  Presence,
  Priority,
  Resolution,
  Subject,
} from './statemachine/types.ts';
export type { Transport } from './transport/types.ts';
export type { ReplicaAddress, ReplicaStatus } from './wire/status.ts';
