import { assert } from '../base/assert.ts';
import type { ReplicaId } from '../base/ids.ts';
import { HANDOVER_PAUSE_TIMEOUTS } from '../base/limits.ts';
import { campaign } from './election.ts';
import { declines, isAlive, isCaughtUp } from './peers.ts';
import { becomeFollower } from './roles.ts';
import { configurationNow, type Leader, priorityOf, type State } from './state.ts';
import { beginTrial, failTrial, isLeftAlone } from './trials.ts';
import type { TimeoutNow } from './types.ts';

/** Leadership transfer (thesis §3.10): the successor is brought up to date, then told to campaign at once. */

/** Asks the leader to hand over to `to`. False if this replica does not lead or `to` cannot take over. */
export function transfer(s: State, to: ReplicaId): boolean {
  if (s.role.role !== 'leader' || to === s.id) return false;
  if (!configurationNow(s).voters.includes(to)) return false;
  s.role.transferTo = to;
  s.role.transferElapsed = 0;
  s.trial = undefined;
  tryTransfer(s);
  return true;
}

/** Gives up leading: hands over to whoever is ahead, if anyone is there to take over, and is a follower soon in any case. */
export function stepDown(s: State): void {
  if (s.role.role !== 'leader') return;
  s.role.resigning = true;
  if (s.role.transferTo !== undefined) return;
  const leader = s.role;
  const able = configurationNow(s).voters.filter(
    (peer) => isAlive(s, leader, peer) && !declines(leader, peer),
  );
  const matchOf = (peer: ReplicaId): number => leader.progress.get(peer)?.match ?? 0;
  const heirs = able.sort((a, b) => matchOf(b) - matchOf(a) || priorityOf(s, b) - priorityOf(s, a));
  if (!heirs.some((heir) => transfer(s, heir))) becomeFollower(s, s.term, undefined);
}

/** Whoever was to take over says that it will not; if this leader is to go in any case, there may be another. */
export function giveUpOn(s: State, leader: Leader, peer: ReplicaId): void {
  if (leader.transferTo !== peer) return;
  const { transferElapsed } = leader;
  leader.transferTo = undefined;
  failTrial(s);
  if (!leader.resigning) return;
  stepDown(s);
  leader.transferElapsed = transferElapsed;
}

/** Gives up a transfer that has taken too long, and the reign with it where that was to end. */
export function tickTransfer(s: State, leader: Leader, units: number): void {
  if (leader.transferTo === undefined) {
    assert(!leader.resigning, '% resigns term %, and hands over to nobody', s.id, s.term);
    return;
  }
  leader.transferElapsed += units;
  if (leader.transferElapsed < s.options.electionTicksMin) return;
  leader.transferTo = undefined;
  failTrial(s);
  if (leader.resigning) becomeFollower(s, s.term, undefined);
}

/** Does the successor hold everything by now? */
export function tryTransfer(s: State): void {
  if (s.role.role !== 'leader') return;
  const { transferTo: to, progress } = s.role;
  if (to !== undefined && progress.get(to)?.match === s.log.last.index)
    orderCampaign(s, s.role, to);
}

/** Tells a peer that holds everything to campaign at once. */
export function orderCampaign(s: State, leader: Leader, to: ReplicaId): void {
  const { index, term } = s.log.last;
  leader.ordered = true;
  s.out.send.push({
    type: 'timeout-now',
    from: s.id,
    to,
    term: s.term,
    last: { index, term },
  });
}

export function campaignByOrder(s: State, m: TimeoutNow): void {
  if (s.role.role !== 'follower' || s.role.leader !== m.from) return;
  if (!s.log.holds(m.last)) return;
  campaign(s, true);
}

/**
 * Hands over to a voter that is preferred and fit to lead, if there is one. Seldom, for each time nothing can be written.
 * After `reviewMembers` in the same tick: whoever was not heard of late counts as caught up until then.
 */
export function preferSuccessor(s: State, leader: Leader): void {
  if (leader.ticks < leader.handOverFrom || leader.transferTo !== undefined) return;
  const [best] = configurationNow(s)
    .voters.filter((id) => isCaughtUp(leader, id) && !declines(leader, id) && !isLeftAlone(s, id))
    .sort((a, b) => priorityOf(s, b) - priorityOf(s, a));
  if (best === undefined || priorityOf(s, best) <= priorityOf(s, s.id)) return;
  assert(isAlive(s, leader, best), '% is caught up, and was not heard for long', best);
  leader.handOverFrom = leader.ticks + s.options.electionTicksMax * HANDOVER_PAUSE_TIMEOUTS;
  if (transfer(s, best)) beginTrial(s, best);
}
