import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { logIndex, replicaId, revision, term, unixMillis } from '../../src/base/ids.ts';
import type { Message } from '../../src/raft/types.ts';
import type { AlertPage, Answer, WatchMessage } from '../../src/statemachine/alert-api.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { Alert, BatchReply } from '../../src/statemachine/types.ts';
import {
  decodeGetAnswer,
  decodeListAnswer,
  decodeStatusAnswer,
  encodeGetAnswer,
  encodeListAnswer,
  encodeStatusAnswer,
  type GetAnswer,
} from '../../src/wire/clients/answers.ts';
import {
  decodeFail,
  decodeSubmit,
  encodeFail,
  encodeSubmit,
} from '../../src/wire/clients/client-messages.ts';
import { decodeReplies, encodeReplies } from '../../src/wire/clients/replies.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import {
  decodeShared,
  encodeShared,
  encodeWatchMessages,
  WatchReader,
} from '../../src/wire/clients/watch-messages.ts';
import { decodeSubmissions, encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { decodeHello, encodeHello, type Hello } from '../../src/wire/handshake.ts';
import { EntryRecord, entryOf, genesisChain, recordOf } from '../../src/wire/log/record.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peers/peer-messages.ts';
import { requestFrames } from './frames-of-clients.ts';
import { operatorFrames, replicaFrames } from './frames-of-replicas.ts';
import { bytesOf, copyOf } from './helpers.ts';
import { FOLDER, frame, names, pinned } from './pinned.ts';
import { pinTrendFrames } from './trend-fixtures.ts';

const CLUSTER = '0123456789abcdef0123456789abcdef';
const KEY = keyFromText('fixture');
const TIME = unixMillis(1_790_000_000_000);

const raise: Command = {
  type: 'raise',
  actor: 'monitor-7',
  observedAt: TIME,
  expectedRevision: revision(41),
  dedupKey: 'icu:bed-12:monitor-7:HR:HI',
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high: 151 > 130 ♥',
  subject: { unit: 'icu', bed: '12', patient: 'p-77', device: 'monitor-7' },
  cause: { metric: 'hr', value: 151.5, unit: '/min', limit: 130, rule: 'hr-high@1' },
  latching: true,
  acknowledgementRequired: true,
  labels: { shift: 'night', ward: '3' },
};
const leastRaise: Command = {
  type: 'raise',
  actor: 'a',
  observedAt: unixMillis(0),
  dedupKey: 'k',
  kind: 'advisory',
  priority: 'none',
  condition: 'c',
  text: '',
  subject: {},
  latching: false,
  acknowledgementRequired: false,
};
const clear: Command = {
  type: 'clear',
  actor: 'monitor-7',
  observedAt: TIME,
  target: { dedupKey: 'k' },
};
const acknowledge: Command = {
  type: 'acknowledge',
  actor: 'nurse-3',
  observedAt: TIME,
  target: { id: 'A1042' },
  activation: 2,
  note: 'on my way',
};
const alert: Alert = {
  id: 'A1042',
  dedupKey: 'icu:bed-12:monitor-7:HR:HI',
  occurrence: 2,
  previous: 'A17',
  activation: 2,
  activatedAt: revision(1043),
  flaps: 1,
  kind: 'physiological',
  basePriority: 'medium',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { bed: '12' },
  cause: { metric: 'hr', value: null },
  labels: { ward: '3' },
  presence: 'cleared',
  acknowledged: true,
  acknowledgements: [{ by: 'nurse-3', at: TIME, activation: 1, note: 'seen' }],
  acknowledgementSeconds: 300,
  acknowledgedUntil: undefined,
  escalation: { policy: 'icu', version: 3, loop: 0, step: 1, dueAt: undefined, exhausted: false },
  responsibility: { state: 'accepted', by: 'nurse-3', at: TIME },
  pausedUntil: undefined,
  staleSince: undefined,
  latching: true,
  resetAfterClear: true,
  acknowledgementRequired: false,
  resolution: { how: 'acknowledged', by: 'nurse-3', at: TIME },
  count: 5,
  raisedAt: TIME,
  lastSeenAt: TIME,
  clearedAt: TIME,
  observedAt: TIME,
  version: 6,
  revision: revision(1050),
};

describe('frames of the connection', () => {
  const hello: Hello = {
    role: 'peer',
    lane: 'control',
    clusterId: CLUSTER,
    replicaId: replicaId(2),
    incarnation: 123456,
    agent: 'tocsin/0.1.0',
    versions: { min: 1, max: 1 },
  };
  const client: Hello = {
    role: 'client',
    lane: 'client',
    clusterId: '',
    replicaId: undefined,
    incarnation: 0,
    agent: '',
    versions: { min: 1, max: 2 },
  };
  const empty = (body: Uint8Array): number => body.byteLength;
  frame('hello-client', FrameType.HELLO, [encodeHello(client)], decodeHello, client);
  frame('welcome', FrameType.WELCOME, [encodeHello(hello)], decodeHello, hello);
  const refusal = new TocsinError('WRONG_CLUSTER', 'another cluster');
  frame('refuse', FrameType.REFUSE, [encodeFail(refusal)], decodeFail, refusal);
  frame('ping', FrameType.PING, [], empty, 0);
  frame('pong', FrameType.PONG, [], empty, 0);
});

describe('frames between peers', () => {
  const envelope = { from: replicaId(1), to: replicaId(300), term: term(2 ** 40 + 7) };
  const last = { index: logIndex(2 ** 33 + 9), term: term(6) };
  const chain = genesisChain(CLUSTER);
  const first = EntryRecord.draft('noop', TIME, 0, []);
  first.seal({ index: logIndex(last.index + 1), term: term(6) }, chain);
  const second = EntryRecord.draft('commands', TIME, 1, [encodeCommand(clear, KEY)]);
  second.seal({ index: logIndex(last.index + 2), term: term(7) }, first.chain);
  const messages: Record<string, Message> = {
    'vote-request': { type: 'vote-request', ...envelope, pre: true, last, transfer: false },
    'vote-reply': { type: 'vote-reply', ...envelope, pre: false, granted: true },
    'append-request': {
      type: 'append-request',
      ...envelope,
      prev: last,
      entries: [entryOf(first), entryOf(second)],
      commit: logIndex(5),
    },
    'append-reply': {
      type: 'append-reply',
      ...envelope,
      accepted: false,
      index: last.index,
      hint: { index: logIndex(3), term: term(2) },
    },
    heartbeat: {
      type: 'heartbeat',
      ...envelope,
      commit: logIndex(5),
      round: 12,
      stamp: 86_400_000,
      echo: 2 ** 44 + 3,
      reached: logIndex(6),
    },
    'heartbeat-reply': {
      type: 'heartbeat-reply',
      ...envelope,
      round: 12,
      stamp: 86_400_000,
      beat: 2 ** 44 + 4,
    },
    'read-index': { type: 'read-index', ...envelope, sequence: 2 ** 44 + 5 },
    'read-index-reply': {
      type: 'read-index-reply',
      ...envelope,
      sequence: 2 ** 44 + 5,
      accepted: true,
      index: logIndex(6),
    },
    'timeout-now': { type: 'timeout-now', ...envelope, last },
    'snapshot-offer': { type: 'snapshot-offer', ...envelope, last },
  };
  for (const [name, message] of Object.entries(messages)) {
    const { type, body } = encodePeerMessage(message);
    const plain = (one: Message): unknown =>
      one.type === 'append-request'
        ? { ...one, entries: one.entries.map((entry) => copyOf(recordOf(entry).bytes)) }
        : one;
    frame(name, type, body, (bytes) => plain(decodePeerMessage(type, bytes)), plain(message));
  }
});

describe('frames of replicas that the core knows nothing of', replicaFrames);
describe('frames of operators', operatorFrames);
describe('questions of clients', requestFrames);

describe('frames of clients', () => {
  const commands = [raise, clear, acknowledge].map((command) => encodeCommand(command, KEY));
  frame(
    'submit',
    FrameType.SUBMIT,
    encodeSubmit(5_000, commands),
    (body) => {
      const { timeoutMs, count, urgency, commands: records } = decodeSubmit(body);
      return {
        timeoutMs,
        count,
        urgency,
        commands: decodeSubmissions(records).map((one) => one.command),
      };
    },
    { timeoutMs: 5_000, count: 3, urgency: 0, commands: [raise, clear, acknowledge] },
  );

  const replies: BatchReply[] = [
    {
      ok: true,
      effect: 'raised',
      alertId: 'A1042',
      activation: 1,
      revision: revision(1042),
      state: 'ACTIVE_UNACK',
    },
    { ok: false, code: 'ALERT_NOT_FOUND', message: 'no alert A7' },
    {
      ok: true,
      effect: 'unchanged',
      alertId: 'A3',
      activation: 9,
      revision: revision(5),
      state: 'RESOLVED',
    },
  ];
  frame('submit-reply', FrameType.SUBMIT_REPLY, [encodeReplies(replies)], decodeReplies, replies);
  const short = replies.with(1, { ok: false, code: 'DISK_FULL', message: 'nearly full' });
  frame('submit-reply-short', FrameType.SUBMIT_REPLY, [encodeReplies(short)], decodeReplies, short);

  const found: GetAnswer = { value: [undefined, alert], revision: revision(1050) };
  frame('answer-get', FrameType.ANSWER, [encodeGetAnswer(found)], decodeGetAnswer, found);
  const none: GetAnswer = { value: [undefined], revision: revision(0) };
  frame('answer-get-none', FrameType.ANSWER, [encodeGetAnswer(none)], decodeGetAnswer, none);
  const page: Answer<AlertPage> = {
    value: { alerts: [alert], next: 'A1042@1050' },
    revision: revision(1050),
  };
  const slice = { ...page, value: { alerts: [alert], next: 'A1042' as const } };
  frame('answer-list', FrameType.ANSWER, encodeListAnswer(slice), decodeListAnswer, page);
  const status: ReplicaStatus = {
    replicaId: replicaId(1),
    clusterId: CLUSTER,
    role: 'leader',
    term: term(4),
    leader: replicaId(1),
    leaderAddress: '/ip4/127.0.0.1/tcp/7401',
    commit: logIndex(9),
    applied: logIndex(8),
    lastIndex: logIndex(10),
    revision: revision(7),
    digest: '00123456789abc',
    uptimeMs: 60_000,
    agent: 'tocsin/0.1.0',
    openAlerts: 3,
    alarms: [],
    incarnation: 0,
    members: [{ id: replicaId(1), address: '/ip4/127.0.0.1/tcp/7401' }],
  };
  frame(
    'answer-status',
    FrameType.ANSWER,
    [encodeStatusAnswer(status)],
    decodeStatusAnswer,
    status,
  );
  const fail = new TocsinError('NOT_LEADER', 'replica 1 leads', {
    leader: '/ip4/10.0.0.1/tcp/7401',
  });
  frame('fail', FrameType.FAIL, [encodeFail(fail)], decodeFail, fail);
  const { revision: at, raisedAt: time } = alert;
  const messages: WatchMessage[] = [
    { type: 'compacted', revision: revision(1049), alerts: [alert] },
    {
      type: 'event',
      event: {
        revision: at,
        index: logIndex(77),
        time,
        observedAt: time,
        effect: 'cleared',
        actor: 'monitor-7',
        alert,
      },
    },
    { type: 'progress', revision: at },
  ];
  const items = encodeWatchMessages(messages);
  pinTrendFrames(TIME);
  frame(
    'watch-messages',
    FrameType.WATCH_MESSAGES,
    items,
    (body) => new WatchReader().read(body),
    messages,
  );
  frame(
    'watch-shared',
    FrameType.WATCH_SHARED,
    encodeShared([7, 2 ** 32 + 1], items),
    (body) => {
      const { ids, messages: bytes } = decodeShared(body);
      return { ids, messages: new WatchReader().read(bytes) };
    },
    { ids: [7, 2 ** 32 + 1], messages },
  );
});

describe('records', () => {
  const record = (name: string, command: Command): void => {
    names.push(name);
    test(name, () => {
      const bytes = pinned(name, encodeCommand(command, KEY));
      const [read] = decodeSubmissions(bytes);
      expect(read?.command).toEqual(command);
      expect(read?.key).toBe(Buffer.from(KEY).toString('hex'));
    });
  };
  record('command-raise', raise);
  record('command-raise-least', leastRaise);
  record('command-clear', clear);
  record('command-acknowledge', acknowledge);

  names.push('entry-record');
  test('entry-record', () => {
    const made = EntryRecord.draft('commands', TIME, 2, [
      encodeCommand(clear, KEY),
      encodeCommand(acknowledge, KEY),
    ]);
    made.seal({ index: logIndex(12), term: term(3) }, genesisChain(CLUSTER));
    const read = EntryRecord.parse(pinned('entry-record', made.bytes));
    expect([read.kind, read.count, read.index, read.term, read.time]).toEqual([
      'commands',
      2,
      12,
      3,
      TIME,
    ]);
    expect([read.previousChain, read.chain]).toEqual([genesisChain(CLUSTER), made.chain]);
  });
});

test('every frame type has a fixture, and every fixture a test', () => {
  const types = new Set<number>();
  const files = readdirSync(FOLDER).map((file) => file.replace('.hex', ''));
  for (const name of files) {
    const hex = readFileSync(new URL(`${name}.hex`, FOLDER), 'utf8');
    const bytes = Buffer.from(bytesOf(hex));
    if (bytes.subarray(0, 4).toString() === 'TOCS') types.add(bytes[5] as number);
  }
  expect([...types].sort((a, b) => a - b)).toEqual(Object.values(FrameType).sort((a, b) => a - b));
  expect(files.sort()).toEqual([...names].sort());
});
