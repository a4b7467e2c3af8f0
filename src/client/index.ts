/** What applications hold: a client of a cluster. Works where `level` is not installed. */

export type { Clock, Timer } from '../base/clock.ts';
export { type Code, MEANING, type Meaning, TocsinError } from '../base/errors.ts';
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
} from '../base/ids.ts';
export type { KeptRule, ListedRule } from '../base/rules/listed-rules.ts';
export type {
  AcknowledgeInput,
  AlertApi,
  AlertHistory,
  AlertPage,
  Answer,
  CallOptions,
  CareApi,
  CareInput,
  ClearInput,
  Consistency,
  HistoryOptions,
  ListCursor,
  ListedAlert,
  ListOptions,
  RaiseInput,
  ReadConsistency,
  ReadOptions,
  RecordInput,
  RecordOptions,
  RecordPage,
  WatchMessage,
  WatchOptions,
  WriteOptions,
} from '../statemachine/alert-api.ts';
export { displayState } from '../statemachine/alerts/display.ts';
export type {
  Incident,
  IncidentCommand,
  IncidentReview,
} from '../statemachine/beside/incidents.ts';
export type { Notification, NotificationCommand } from '../statemachine/beside/notifications.ts';
export type {
  EscalationPolicy,
  EscalationStep,
  PolicyCommand,
} from '../statemachine/beside/policies.ts';
export type { QueryKind, QueryTypes } from '../statemachine/beside/records-beside.ts';
export type { RuleCommand } from '../statemachine/beside/rule-book.ts';
export type {
  Coverage,
  KeptSchedule,
  Layer,
  Override,
  Restriction,
  Rotation,
  Schedule,
  ScheduleCommand,
  Shift,
} from '../statemachine/beside/schedule.ts';
export type { KeptSession, SessionCommand } from '../statemachine/beside/sessions.ts';
export type { Source, SourceCommand } from '../statemachine/beside/sources.ts';
export type {
  Badges,
  MaintenanceWindow,
  Matcher,
  Silence,
  SuppressionCommand,
} from '../statemachine/beside/suppression.ts';
export type { Bed, Device, Patient, Place, WardCommand } from '../statemachine/beside/ward.ts';
export type { CareCommand } from '../statemachine/care-commands.ts';
export type {
  Acknowledgement,
  Alert,
  AlertEvent,
  AlertFilter,
  AlertId,
  AlertRef,
  BatchReply,
  Cause,
  DisplayState,
  Done,
  Effect,
  EscalationState,
  Kept,
  Kind,
  NotTaken,
  Presence,
  Priority,
  Refusal,
  Reply,
  Resolution,
  Responsibility,
  Subject,
} from '../statemachine/types.ts';
export type { Transport } from '../transport/types.ts';
export type { ReplicaAddress, ReplicaStatus } from '../wire/clients/status.ts';
export type { SeriesInfo } from '../wire/trend/trend-messages.ts';
export type {
  RollupStep,
  TrendMethod,
  TrendQuery,
  TrendResult,
  TrendSeriesResult,
  TrendStanding,
} from '../wire/trend/trend-query.ts';
export type { Taken } from '../wire/trend/trend-samples.ts';
export type { CallEvent } from './call-events.ts';
export { Client, connect } from './client.ts';
export type { BatchedCommand } from './command-batch.ts';
export type { ConnectionEvent } from './connection/connection-events.ts';
export type { ClientOptions } from './options.ts';
export { type ScheduleInput, setSchedule } from './schedules.ts';
export { connectTrends, type TrendClient } from './trend/trend-client.ts';
export type { TrendWriter } from './trend/trend-writer.ts';
export type { SessionOptions } from './write-session.ts';
