import { logIndex, replicaId, unixMillis } from '../../src/base/ids.ts';
import {
  type AdminRequest,
  type ChangeReport,
  decodeAdminRequest,
  decodeChangeReport,
  encodeAdminRequest,
  encodeChangeReport,
} from '../../src/wire/clients/admin-messages.ts';
import { encodeTime } from '../../src/wire/clients/deadline.ts';
import { FrameType } from '../../src/wire/frame.ts';
import {
  decodeRepairAnswer,
  decodeRepairFetch,
  decodeSnapshotFetch,
  encodeRepairAnswer,
  encodeRepairFetch,
  encodeSnapshotFetch,
} from '../../src/wire/peers/bulk-messages.ts';
import {
  decodeClockAsk,
  decodeClockTold,
  encodeClockAsk,
  encodeClockTold,
} from '../../src/wire/peers/clocks.ts';
import { decodeDigests, encodeDigests } from '../../src/wire/peers/digests.ts';
import { decodeRoom, encodeRoom } from '../../src/wire/peers/room.ts';
import { frame, timed } from './pinned.ts';

/** Frames between replicas of which the core knows nothing. */
export function replicaFrames(): void {
  const checkpoints = [
    { index: logIndex(16), digest: 2 ** 52 + 1 },
    { index: logIndex(32), digest: 7 },
  ];
  const fetch = { what: 'chunk', id: '7-1-00', chunk: 3 } as const;
  const body = [encodeSnapshotFetch(fetch)];
  frame('snapshot-fetch', FrameType.SNAPSHOT_FETCH, body, decodeSnapshotFetch, fetch);
  const lost = { from: logIndex(7), to: logIndex(9), chainAfter: 2 ** 51 };
  const ask = [encodeRepairFetch(lost)];
  frame('repair-fetch', FrameType.REPAIR_FETCH, ask, decodeRepairFetch, lost);
  const none = { found: 'compacted' } as const;
  frame('answer-repair', FrameType.ANSWER, encodeRepairAnswer(none), decodeRepairAnswer, none);
  frame(
    'clock-ask',
    FrameType.CLOCK_ASK,
    [encodeClockAsk(2 ** 40 + 1)],
    decodeClockAsk,
    2 ** 40 + 1,
  );
  const told = { question: 9, wall: unixMillis(1_767_225_600_123) };
  frame('clock-tell', FrameType.CLOCK_TELL, [encodeClockTold(told)], decodeClockTold, told);
  frame('room', FrameType.ROOM, [encodeRoom('low')], decodeRoom, 'low');
  frame('digests', FrameType.DIGESTS, [encodeDigests(checkpoints)], decodeDigests, checkpoints);
}

/** What operators ask, and what they are answered. */
export function operatorFrames(): void {
  const add: AdminRequest = {
    act: 'change',
    change: {
      op: 'add',
      id: replicaId(4),
      address: '/ip4/10.0.0.4/tcp/7400',
      incarnation: 77,
      priority: 1,
    },
    dryRun: true,
  };
  const body = [encodeTime(5_000), encodeAdminRequest(add)];
  frame('admin-add', FrameType.ADMIN, body, timed(decodeAdminRequest), add);
  const rest: AdminRequest = { act: 'rest', on: true };
  const resting = [encodeTime(5_000), encodeAdminRequest(rest)];
  frame('admin-rest', FrameType.ADMIN, resting, timed(decodeAdminRequest), rest);
  for (const chunk of [undefined, 3]) {
    const part: AdminRequest = { act: 'snapshot-part', id: '7-1-00', chunk };
    const asking = [encodeTime(5_000), encodeAdminRequest(part)];
    const name = `admin-snapshot-${chunk === undefined ? 'head' : 'chunk'}`;
    frame(name, FrameType.ADMIN, asking, timed(decodeAdminRequest), part);
  }
  const report: ChangeReport = {
    outcome: 'planned',
    says: '',
    before: { voters: 3, needed: 2, alive: 3 },
    after: { voters: 3, needed: 2, alive: 3 },
    members: [
      { id: replicaId(4), address: '/ip4/10.0.0.4/tcp/7400', roles: ['learner'], priority: 1 },
    ],
  };
  frame(
    'answer-change',
    FrameType.ANSWER,
    [encodeChangeReport(report)],
    decodeChangeReport,
    report,
  );
}
