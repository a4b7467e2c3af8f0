import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import { renderMessage } from '../../src/raft/render.ts';
import {
  accepted,
  append,
  ask,
  heard,
  heartbeat,
  id,
  message,
  refused,
  UNTIMED,
  vote,
} from './lone-core.ts';

test.each([
  [ask([1, 2, 3], id(4, 2)), '1 → 2  t3  vote? last=4@2'],
  [ask([1, 2, 3], id(4, 2), { pre: true }), '1 → 2  t3  pre-vote? last=4@2'],
  [ask([1, 2, 3], id(4, 2), { transfer: true }), '1 → 2  t3  vote? (by order) last=4@2'],
  [vote([1, 2, 3], true), '1 → 2  t3  pre-vote yes'],
  [message('vote-reply', [1, 2, 3], { pre: false, granted: false }), '1 → 2  t3  vote no'],
  [append([1, 2, 3], id(4, 2), [2, 3], 4), '1 → 2  t3  append prev=4@2 [5@2 6@3] commit=4'],
  [accepted([1, 2, 3], 4), '1 → 2  t3  accepted 4'],
  [refused([1, 2, 3], 4, id(2, 1)), '1 → 2  t3  refused 4 hint=2@1'],
  [heartbeat([1, 2, 3], 4), '1 → 2  t3  heartbeat commit=4'],
  [
    message('heartbeat', [1, 2, 3], { commit: logIndex(4), round: 5, ...UNTIMED }),
    '1 → 2  t3  heartbeat commit=4 round=5',
  ],
  [
    message('heartbeat', [1, 2, 3], {
      ...UNTIMED,
      commit: logIndex(4),
      round: 0,
      echo: 9,
      reached: logIndex(5),
    }),
    '1 → 2  t3  heartbeat commit=4 reached=5',
  ],
  [message('read-index', [1, 2, 3], { sequence: 9 }), '1 → 2  t3  read index?'],
  [
    message('read-index-reply', [1, 2, 3], { sequence: 9, accepted: true, index: logIndex(5) }),
    '1 → 2  t3  read index 5',
  ],
  [
    message('read-index-reply', [1, 2, 3], { sequence: 9, accepted: false, index: logIndex(0) }),
    '1 → 2  t3  no read index',
  ],
  [heard([1, 2, 3]), '1 → 2  t3  heard'],
  [heard([1, 2, 3], 5), '1 → 2  t3  heard round=5'],
  [message('snapshot-offer', [1, 2, 3], { last: id(4, 2) }), '1 → 2  t3  snapshot 4@2'],
  [message('timeout-now', [1, 2, 3], { last: id(4, 2) }), '1 → 2  t3  campaign! last=4@2'],
])('a message is one line: %#', (word, line) => {
  expect(renderMessage(word)).toBe(line);
});
