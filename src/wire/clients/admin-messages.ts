import { REPLICA_ID_MAX, type ReplicaId, replicaId } from '../../base/ids.ts';
import {
  ADDRESS_CHARS_MAX,
  MEMBERS_MAX,
  PRIORITY_MAX,
  SNAPSHOT_CHUNKS_MAX,
  TEXT_CHARS_MAX,
} from '../../base/limits.ts';
import { decodeBody, encodeBody } from '../body.ts';
import {
  asArray,
  asBoolean,
  asFields,
  asLine,
  asOneOf,
  asWhole,
  type Origin,
  refuse,
  toText,
  type Unchecked,
} from '../check.ts';
import { type MemberRole, parseRoles } from '../peers/members.ts';

/** What operators ask of a replica, and what they are answered. Layouts in FORMAT.md, "Operators". */

/** One step of a change of who takes part. */
export type MemberChange =
  | {
      readonly op: 'add';
      readonly id: ReplicaId;
      readonly address: string;
      /** Of the data folder that is meant. */
      readonly incarnation: number;
      readonly priority: number;
    }
  | { readonly op: 'promote' | 'demote' | 'remove'; readonly id: ReplicaId };

export type AdminRequest =
  | {
      readonly act: 'change';
      readonly change: MemberChange;
      /** Only says what it would do. */
      readonly dryRun: boolean;
    }
  /** The leader hands over; `to` undefined = to whoever can take over best. */
  | { readonly act: 'transfer'; readonly to: ReplicaId | undefined }
  /** The replica that is asked leads no more, or may again. */
  | { readonly act: 'rest'; readonly on: boolean }
  /** The replica that is asked takes a snapshot of its state. */
  | { readonly act: 'snapshot' }
  /** A chunk of a snapshot that the replica that is asked has; `chunk` undefined = what the snapshot says of itself. */
  | { readonly act: 'snapshot-part'; readonly id: string; readonly chunk: number | undefined };

export type AdminAct = AdminRequest['act'];

/** Voters, how many of them are needed to decide, and how many were there when it was asked. */
export interface QuorumTally {
  readonly voters: number;
  readonly needed: number;
  readonly alive: number;
}

export interface MemberLine {
  readonly id: ReplicaId;
  readonly address: string;
  readonly roles: readonly MemberRole[];
  readonly priority: number;
}

/** What became, or would become, of a change. */
export interface ChangeReport {
  readonly outcome: 'done' | 'unchanged' | 'planned' | 'refused';
  /** Why it was refused; else empty. */
  readonly says: string;
  readonly before: QuorumTally;
  readonly after: QuorumTally;
  /** After the change. */
  readonly members: readonly MemberLine[];
}

const ACTS: readonly AdminAct[] = ['change', 'transfer', 'rest', 'snapshot', 'snapshot-part'];
const OPS: readonly MemberChange['op'][] = ['add', 'promote', 'demote', 'remove'];
const OUTCOMES: readonly ChangeReport['outcome'][] = ['done', 'unchanged', 'planned', 'refused'];

export function encodeAdminRequest(request: AdminRequest): Uint8Array {
  switch (request.act) {
    case 'change':
      return encodeBody({ act: 'change', dryRun: request.dryRun, ...request.change });
    case 'transfer':
      return encodeBody(
        request.to === undefined ? { act: 'transfer' } : { act: 'transfer', to: request.to },
      );
    case 'rest':
      return encodeBody({ act: 'rest', on: request.on });
    case 'snapshot':
      return encodeBody({ act: 'snapshot' });
    case 'snapshot-part': {
      const { act, id, chunk } = request;
      return encodeBody({ act, snapshot: id, ...(chunk === undefined ? {} : { chunk }) });
    }
  }
}

interface RequestFields {
  readonly act: AdminAct;
  readonly op: MemberChange['op'];
  readonly id: number;
  readonly address: string;
  readonly incarnation: number;
  readonly priority: number;
  readonly dryRun: boolean;
  readonly to: number;
  readonly on: boolean;
  readonly snapshot: string;
  readonly chunk: number;
}

const REQUEST: ReadonlySet<string> = new Set<keyof RequestFields>([
  'act',
  'op',
  'id',
  'address',
  'incarnation',
  'priority',
  'dryRun',
  'to',
  'on',
  'snapshot',
  'chunk',
]);

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
export function decodeAdminRequest(body: Uint8Array): AdminRequest {
  const fields: Unchecked<RequestFields> = asFields('request', 'admin', decodeBody(body), REQUEST);
  const act = asOneOf('request', 'act', fields.act, ACTS);
  switch (act) {
    case 'change':
      return {
        act,
        change: parseChange(fields),
        dryRun: asBoolean('request', 'dryRun', fields.dryRun),
      };
    case 'transfer':
      return { act, to: fields.to === undefined ? undefined : asId('request', 'to', fields.to) };
    case 'rest':
      return { act, on: asBoolean('request', 'on', fields.on) };
    case 'snapshot':
      return { act };
    case 'snapshot-part':
      return {
        act,
        id: asLine('request', 'snapshot', fields.snapshot, 1, TEXT_CHARS_MAX),
        chunk:
          fields.chunk === undefined
            ? undefined
            : asWhole('request', 'chunk', fields.chunk, 0, SNAPSHOT_CHUNKS_MAX - 1),
      };
  }
}

function parseChange(fields: Unchecked<RequestFields>): MemberChange {
  const op = asOneOf('request', 'op', fields.op, OPS);
  const id = asId('request', 'id', fields.id);
  if (op !== 'add') return { op, id };
  const address = asLine('request', 'address', fields.address, 1, ADDRESS_CHARS_MAX);
  if (!address.startsWith('/')) refuse('request', 'address', 'must be a multiaddr');
  return {
    op,
    id,
    address,
    incarnation: asWhole('request', 'incarnation', fields.incarnation, 0, Number.MAX_SAFE_INTEGER),
    priority: asWhole('request', 'priority', fields.priority, 0, PRIORITY_MAX),
  };
}

export const encodeChangeReport = (report: ChangeReport): Uint8Array =>
  encodeBody({ ...report, says: toText(report.says, TEXT_CHARS_MAX) });

/** @throws TocsinError BODY_MALFORMED */
export function decodeChangeReport(body: Uint8Array): ChangeReport {
  const report: Unchecked<ChangeReport> = asFields('answer', 'change', decodeBody(body), undefined);
  return {
    outcome: asOneOf('answer', 'outcome', report.outcome, OUTCOMES),
    says: asLine('answer', 'says', report.says, 0, TEXT_CHARS_MAX),
    before: parseTally('before', report.before),
    after: parseTally('after', report.after),
    members: asArray('answer', 'members', report.members, MEMBERS_MAX).map(parseLine),
  };
}

function parseTally(field: string, value: unknown): QuorumTally {
  const tally: Unchecked<QuorumTally> = asFields('answer', field, value, undefined);
  const whole = (name: keyof QuorumTally): number =>
    asWhole('answer', `${field}.${name}`, tally[name], 0, MEMBERS_MAX);
  return { voters: whole('voters'), needed: whole('needed'), alive: whole('alive') };
}

function parseLine(value: unknown): MemberLine {
  const line: Unchecked<MemberLine> = asFields('answer', 'members', value, undefined);
  return {
    id: asId('answer', 'members.id', line.id),
    address: asLine('answer', 'members.address', line.address, 1, ADDRESS_CHARS_MAX),
    roles: parseRoles('members.roles', line.roles),
    priority: asWhole('answer', 'members.priority', line.priority, 0, PRIORITY_MAX),
  };
}

const asId = (origin: Origin, field: string, value: unknown): ReplicaId =>
  replicaId(asWhole(origin, field, value, 1, REPLICA_ID_MAX));

/** The ANSWER to a request for a snapshot: what there is now, and whether it is new. */
export interface SnapshotReport {
  readonly id: string;
  readonly index: number;
  readonly bytes: number;
  readonly chunks: number;
}

export const encodeSnapshotReport = (report: SnapshotReport): Uint8Array => encodeBody(report);

/** @throws TocsinError BODY_MALFORMED */
export function decodeSnapshotReport(body: Uint8Array): SnapshotReport {
  const report: Unchecked<SnapshotReport> = asFields(
    'answer',
    'snapshot',
    decodeBody(body),
    undefined,
  );
  const whole = (name: 'index' | 'bytes' | 'chunks'): number =>
    asWhole('answer', name, report[name], 0, Number.MAX_SAFE_INTEGER);
  return {
    id: asLine('answer', 'id', report.id, 1, TEXT_CHARS_MAX),
    index: whole('index'),
    bytes: whole('bytes'),
    chunks: whole('chunks'),
  };
}
