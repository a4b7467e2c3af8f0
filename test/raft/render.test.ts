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
    message('heartbeat', [1, 2, 3], { commit: logIndex(4), round: 5 }),
    '1 → 2  t3  heartbeat commit=4 round=5',
  ],
  [heard([1, 2, 3]), '1 → 2  t3  heard'],
  [heard([1, 2, 3], 5), '1 → 2  t3  heard round=5'],
  [message('snapshot-offer', [1, 2, 3], { last: id(4, 2) }), '1 → 2  t3  snapshot 4@2'],
  [message('timeout-now', [1, 2, 3], { last: id(4, 2) }), '1 → 2  t3  campaign! last=4@2'],
])('a message is one line: %#', (word, line) => {
  expect(renderMessage(word)).toBe(line);
});
