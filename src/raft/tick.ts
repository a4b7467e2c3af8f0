import { LEADER_DISK_TICKS_MAX } from '../base/limits.ts';
import { ask, preCampaign } from './election.ts';
import { reviewMembers } from './membership.ts';
import { isAlive } from './peers.ts';
import { reachedBy } from './quorum.ts';
import { repeatQuestion, sendHeartbeat } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { configurationNow, type Leader, type State } from './state.ts';
import { preferSuccessor, stepDown, tickTransfer, tryTransfer } from './transfer.ts';
import { passTrial } from './trials.ts';

/** One unit of time has passed; to a leader perhaps more at once. */
export function tick(s: State, units = 1): void {
  s.electionElapsed += 1;
  s.sinceLeader += 1;
  s.age += 1;
  if (s.role.role === 'leader') {
    tickLeader(s, s.role, units);
    return;
  }
  if (s.electionElapsed >= s.electionTimeout) {
    preCampaign(s);
    return;
  }
  if (s.role.role === 'follower') {
    passTrial(s, s.role);
    if (s.age % s.options.heartbeatTicks === 0) repeatQuestion(s, s.role);
    return;
  }
  if (s.electionElapsed % s.options.heartbeatTicks === 0) ask(s, s.role);
}

function tickLeader(s: State, leader: Leader, units: number): void {
  leader.ticks += units;
  leader.heartbeatElapsed += units;
  tickTransfer(s, leader, units);
  if (s.role !== leader) return;
  if (leader.ticks >= s.options.electionTicksMin && !hearsQuorum(s, leader)) {
    becomeFollower(s, s.term, undefined);
    return;
  }
  if (leader.heartbeatElapsed < s.options.heartbeatTicks) return;
  reviewMembers(s, leader);
  watchOwnDisk(s, leader);
  if (s.role !== leader) return;
  leader.heartbeatElapsed = 0;
  // The order may have been lost.
  tryTransfer(s);
  preferSuccessor(s, leader);
  for (const [member, progress] of leader.progress) {
    progress.retryDue = true;
    if (member !== s.id) sendHeartbeat(s, leader, member);
  }
}

/** A leader whose own disk hangs gives up: it cannot know how long that will be, and others can lead. */
function watchOwnDisk(s: State, leader: Leader): void {
  const match = leader.progress.get(s.id)?.match ?? s.log.last.index;
  const waits = match < s.log.last.index && match === leader.diskMatch;
  leader.diskMatch = match;
  leader.diskWaits = waits ? leader.diskWaits + leader.heartbeatElapsed : 0;
  if (leader.diskWaits >= LEADER_DISK_TICKS_MAX) stepDown(s);
}

/** A leader that hears nobody must stop before it misleads its clients (check-quorum, thesis §6.2). */
const hearsQuorum = (s: State, leader: Leader): boolean =>
  reachedBy(configurationNow(s), (voter) => (isAlive(s, leader, voter) ? 1 : 0)) > 0;
