import { assert } from '../base/assert.ts';
import { appendOwn } from './append.ts';
import {
  type ChangeRefusal,
  type Facts,
  leaveChange,
  type Plan,
  planChange,
  type Target,
  targetOf,
} from './change.ts';
import { isJoint, isMemberOf, membersOf, sameConfiguration } from './configuration.ts';
import { declines, hindranceOf, isCaughtUp, keepsUp, newProgress } from './peers.ts';
import { noteQuorum, sendHeartbeat } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { configurationNow, type Leader, type State } from './state.ts';
import { orderCampaign } from './transfer.ts';
import type { EntryId, Payload } from './types.ts';

/** The leader's part in changes of who takes part (§6). */

export type ChangeResult =
  | { readonly ok: true; readonly id: EntryId }
  | {
      readonly ok: false;
      readonly reason: ChangeRefusal | 'not-leader' | 'transferring' | 'not-ready';
      readonly says: string;
    };

/** What a change would do, as the leader knows the members. */
export const plan = (s: State, leader: Leader, target: Target): Plan =>
  planChange(configurationNow(s), target, factsOf(s, leader));

/** Appends the entry that begins a change. Its end follows by itself when the beginning is committed. */
export function change(s: State, payload: Payload): ChangeResult {
  const { role: leader } = s;
  const next = payload.configuration;
  assert(next !== undefined, 'a change without a configuration');
  if (leader.role !== 'leader') return refused('not-leader', 'another leads, or nobody');
  const obstacle = findObstacle(s, leader);
  if (obstacle !== undefined) return obstacle;
  const planned = plan(s, leader, targetOf(next));
  if (!planned.ok) return refused(planned.reason, planned.says);
  assert(
    sameConfiguration(next, planned.configuration),
    'the configuration of a change is not what was planned',
  );
  return { ok: true, id: appendConfiguration(s, leader, payload) };
}

/**
 * Appends the same configuration anew, because what the shell keeps beside it has changed: who the members are, not which.
 */
export function restate(s: State, payload: Payload): ChangeResult {
  const { role: leader } = s;
  const same = payload.configuration;
  assert(same !== undefined, 'a configuration is stated again without one');
  if (leader.role !== 'leader') return refused('not-leader', 'another leads, or nobody');
  const obstacle = findObstacle(s, leader);
  if (obstacle !== undefined) return obstacle;
  assert(sameConfiguration(same, configurationNow(s)), 'another configuration is not stated again');
  return { ok: true, id: appendConfiguration(s, leader, payload) };
}

/** Why no configuration can be appended now. */
function findObstacle(s: State, leader: Leader): ChangeResult | undefined {
  if (leader.transferTo !== undefined) return refused('transferring', 'the leader hands over');
  // Else two leaders could each change something, and neither see the other's change (raft-dev, 2015).
  if (s.log.committed < leader.firstIndex)
    return refused('not-ready', 'nothing of this reign is committed yet');
  // A joint configuration is followed by its end as soon as it is committed.
  if (s.configurations.newest.index > s.log.committed)
    return refused('change-pending', 'a change is under way');
  return undefined;
}

const refused = (
  reason: Extract<ChangeResult, { ok: false }>['reason'],
  says: string,
): ChangeResult => ({ ok: false, reason, says });

/** After a commit: goes on with a change that has got so far, or leaves the lead if that was the change. */
export function settleChange(s: State, leader: Leader): void {
  const { current, newest } = s.configurations;
  if (newest.index > s.log.committed) return;
  if (isJoint(current)) appendConfiguration(s, leader, s.leaveJoint(leaveChange(current)));
  else if (!current.voters.includes(s.id)) retire(s, leader);
}

function appendConfiguration(s: State, leader: Leader, payload: Payload): EntryId {
  const before = configurationNow(s);
  const id = appendOwn(s, payload);
  const after = configurationNow(s);
  assert(after === payload.configuration, `entry ${id.index} carries another configuration`);
  // Whoever is back after a removal starts anew: what was known of it is of another life.
  for (const member of membersOf(after))
    if (!isMemberOf(before, member)) leader.progress.set(member, newProgress(s, id.index));
  leader.changedAt = leader.ticks;
  noteQuorum(s, leader);
  return id;
}

/** This leader is removed, for good. Tells everyone of it, and the one that is ahead to campaign at once. */
function retire(s: State, leader: Leader): void {
  for (const peer of leader.progress.keys()) if (peer !== s.id) sendHeartbeat(s, leader, peer);
  const heir = configurationNow(s).voters.find(
    (peer) => leader.progress.get(peer)?.match === s.log.last.index && !declines(leader, peer),
  );
  if (heir !== undefined) orderCampaign(s, leader, heir);
  becomeFollower(s, s.term, undefined);
}

/** Once a heartbeat: who keeps up, and who is gone for good. */
export function reviewMembers(s: State, leader: Leader): void {
  const { current, newest } = s.configurations;
  leader.ends.shift();
  leader.ends.push(s.log.last.index);
  const over = leader.ticks - leader.changedAt >= s.options.electionTicksMin;
  for (const [member, progress] of leader.progress) {
    progress.roundsNear = keepsUp(s, leader, member) ? progress.roundsNear + 1 : 0;
    if (isMemberOf(current, member) || s.log.committed < newest.index) continue;
    // A removed member is told of it, if it can be; it is counted nowhere any more.
    if (over || progress.commitTold >= newest.index) leader.progress.delete(member);
  }
}

const factsOf = (s: State, leader: Leader): Facts => ({
  hindrance: (id) => hindranceOf(s, leader, id),
  caughtUp: (id) => isCaughtUp(leader, id),
});
