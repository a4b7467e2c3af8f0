import { hashText } from '../../base/hash.ts';
import { renderConfiguration } from '../../raft/configuration.ts';
import type { RaftCore } from '../../raft/core.ts';
import type { Progress } from '../../raft/progress.ts';
import { renderMessage } from '../../raft/render.ts';
import type { CoreCluster } from '../core-cluster.ts';

/**
 * A number for everything that decides what can happen from here on, and whether it would be noticed: two states with one
 * number are taken for one. Of its 53 bits, a million states share one by accident once in eighteen thousand searches.
 */
export function fingerprint(cluster: CoreCluster, more: string): number {
  const parts = cluster.members.map(({ id, core, disk, writes, offer, appliedTo }) => {
    const { hardState, base, entries } = disk;
    const kept = entries.map(({ term }) => term).join();
    const { term, vote, commit, abstain } = hardState;
    return [
      `${id}: ${core === undefined ? 'down' : ofCore(core)}`,
      `disk ${term} ${vote} ${commit} ${abstain} ${base.index}@${base.term} ${kept}`,
      ...writes.map(({ ready }) => ofWrite(ready)),
      `${offer?.last.index} ${appliedTo}`,
    ].join('|');
  });
  const network = cluster.network.map(({ message }) => renderMessage(message)).sort();
  return hashText([...parts, ...network, cluster.oracle.memory, more].join('\n'));
}

type Write = CoreCluster['members'][number]['writes'][number]['ready'];

function ofWrite({ append, truncateFrom, hardState, snapshot, sendAfterSync }: Write): string {
  const entries = append.map(({ index, term }) => `${index}@${term}`);
  const messages = sendAfterSync.map(renderMessage);
  const state = `${hardState?.term} ${hardState?.vote} ${hardState?.commit}`;
  return [state, truncateFrom, snapshot?.index, ...entries, ...messages].join(' ');
}

/**
 * Not what is drawn at random: the search itself says when a time-out ends. Nor what is remembered and not read again: a
 * question put off, once the leader is suspected, and that a probe is on its way, once appends flow.
 */
function ofCore(core: RaftCore): string {
  const { role, log, term, vote, abstaining, doubtedTerm, muted, electionElapsed } = core.state;
  const terms: (number | undefined)[] = [];
  for (let at: number = log.base.index; at <= log.last.index; at += 1) terms.push(log.termAt(at));
  const common = `${term} ${vote} ${abstaining} ${doubtedTerm} ${muted} ${electionElapsed} ${log.base.index}: ${terms} ${log.committed} ${renderConfiguration(core.configuration)}`;
  switch (role.role) {
    case 'follower': {
      const { leader, leaderSuspected, deferred, readsNew, readsAsked } = role;
      const putOff = leaderSuspected || deferred === undefined ? '' : renderMessage(deferred);
      return `${common} F ${leader} ${leaderSuspected} ${putOff} ${readsNew} ${readsAsked.length}`;
    }
    case 'pre-candidate':
    case 'candidate':
      return `${common} ${role.role} ${[...role.votes]} ${role.transfer}`;
    case 'leader': {
      const peers = [...role.progress].map(([id, progress]) => `${id} ${ofProgress(progress)}`);
      const reads = [...role.readsNew, ...role.readsPending].map(
        ({ context, from, index, round }) => `${context} ${from} ${index} ${round}`,
      );
      return `${common} L ${role.firstIndex} ${role.ends} ${role.ticks} ${role.heartbeatElapsed} ${role.round} ${role.transferTo} ${peers} ${reads} ${role.readsNew.length}`;
    }
  }
}

const ofProgress = (p: Progress): string =>
  `${p.match} ${p.next} ${p.state} ${p.state !== 'replicate' && p.probing} ${p.retryDue} ${p.readPending} ${p.heardAt} ${p.declines} ${p.commitTold} ${p.round} ${p.offered} ${p.window.count}`;
