import { by, type Chapter, chapter, notHere } from './table.ts';

const CHAOS = 'raft/chaos › random faults never break agreement, and calm always ends in progress';
const ANY_LINKS = 'raft/liveness › three replicas, any links one way or both broken (noticed: %s)';

export const ELECTION: Chapter = chapter('Election', {
  1: by(
    'One leader comes of a cold start, in one term for all',
    'raft/elections › of %i replicas one comes to lead, in one term for all, and stays without faults',
  ),
  2: by(
    'Without faults neither term nor leader changes',
    'raft/elections › of %i replicas one comes to lead, in one term for all, and stays without faults',
  ),
  3: by(
    'A leader that is cut off is replaced, and comes back as a follower without disturbing',
    'raft/elections › a leader that is cut off is replaced, and comes back as a follower that disturbs nobody',
  ),
  4: by(
    'No quorum, no leader; the quorum back, a leader',
    'raft/elections › without a quorum nobody leads; with one again, somebody does',
  ),
  5: by(
    'Of seven replicas any three cut off at random, round after round: one leader',
    'raft/elections › of seven, whichever three are cut off, the other four are led by one, round after round',
  ),
  6: by(
    'A replica starts as a follower',
    'raft/roles › a replica starts as a follower, whatever it was, and waits a whole time-out',
  ),
  7: by(
    'Silence makes a follower, and a candidate again, ask everybody in the next term',
    'raft/roles › silence makes a follower ask all others about the next term, and a candidate likewise',
  ),
  8: by(
    'A majority of the answers of one ballot wins; less waits; a split is asked again',
    'raft/quorum › a ballot is won or lost exactly when no further vote can change that',
    'raft/votes › a campaign asks again whoever has not answered',
    'raft/votes › who is refused by a majority gives up and waits',
  ),
  9: by(
    'One vote a term; the same candidate may ask again',
    'raft/votes › one vote a term, whoever asks, however often, through restarts from what was written',
  ),
  10: by(
    'A candidate whose log is behind gets no vote: last term first, then last index',
    'raft/votes › a voter whose log has the terms %j answers a candidate that ends in %j: %s',
  ),
  11: by(
    'A vote is given in any role to a candidate of a later term',
    'raft/roles › a %s votes for a candidate of a later term whose log is whole',
  ),
  12: by(
    'A candidate that hears a leader of its term or a later one follows it',
    'raft/votes › a candidate that hears the leader of its term follows it (§5.2)',
  ),
  13: by(
    'Every role takes a later term from every kind of message',
    'raft/roles › a %s follows into the later term of %s',
  ),
  14: by(
    'Messages of an earlier term change nothing; whoever leads or asks there is told',
    'raft/votes › whoever asks or leads in the past is told the term, so that it cannot stay there',
    'raft/votes › a vote of an earlier term counts for nothing',
    'raft/replication › answers from the past, beyond the log, or from strangers move nothing',
  ),
  15: by(
    'Time-outs are drawn anew between two bounds, and every value comes up',
    'raft/votes › time-outs differ from draw to draw, within their bounds',
    'raft/elections › two of five seldom time out together, and each time-out there is gets drawn',
  ),
  16: by(
    'Two replicas seldom time out together',
    'raft/elections › two of five seldom time out together, and each time-out there is gets drawn',
  ),
  17: by(
    'Two candidates at once end in one leader, and the log of the loser in the right state',
    'raft/elections › whoever campaigns together, and however their words cross, one leads and the logs are equal',
  ),
  18: by(
    'A replica alone leads at once',
    'raft/elections › of %i replicas one comes to lead, in one term for all, and stays without faults',
    'raft/golden › one-replica-alone-waits-for-its-own-disk',
  ),
  19: by('Each replica in turn can lead', 'raft/elections › each replica in turn can lead'),
  20: by(
    'Whoever overwrites newer entries leaves one history',
    'raft/elections › who was elected by those that hold nothing overwrites the newer entry of a leader of less',
  ),
  21: by(
    'A leader that is told to campaign goes on leading',
    'raft/roles › a leader that is told to campaign goes on leading, and nobody hears of it',
  ),
  22: by(
    'Roles change only along the table of transitions',
    'raft/roles › roles change only along the ways there are, and each of them is taken',
  ),
  23: by(
    'Every role steps down at every message of a later term',
    'raft/roles › a %s follows into the later term of %s',
  ),
  24: by(
    'The own vote, come late, is counted for nothing but its own ballot',
    'raft/roles › the own vote, come late, elects nobody',
  ),
  25: by(
    'A vote is durable before its answer leaves; a crash between gives no second one',
    'raft/votes › a vote is written down before it is given, also when the term was known before',
    'raft/votes › one vote a term, whoever asks, however often, through restarts from what was written',
    CHAOS,
  ),
  26: by(
    'Answers of a replica outside the configuration count for nothing, and it does not campaign itself',
    'raft/votes › answers of strangers do not disturb, whatever their term',
    'raft/votes › who is not among the voters does not campaign',
    'raft/quorum › votes of strangers do not count',
  ),
  27: by(
    'Votes that are slow to leave or to arrive do not stop the cluster',
    'raft/elections › votes that are slow %s elect a leader all the same, and keep it',
  ),
  28: by(
    'A replica of a lower term but a whole log can still be elected',
    'raft/elections › a replica that missed many terms helps to elect the next leader',
  ),
  29: by(
    'A replica of low priority yields, but not for ever',
    'raft/preferences › whoever is not preferred lets the preferred campaign first, but only once',
    'raft/preferences › in a cluster the preferred leads in the end, whoever began',
  ),
  30: by(
    'A follower that starts again waits its time-out',
    'raft/roles › a replica starts as a follower, whatever it was, and waits a whole time-out',
  ),
  31: by(
    'A leader that starts again is a follower',
    'raft/roles › a replica starts as a follower, whatever it was, and waits a whole time-out',
  ),
  32: by(
    'A replica that lost all its state does not come back under its id',
    'storage/rebuild › an emptied log is not a new replica: it has lost what it knows it had',
    'storage/data-folder › %s is DATA_MISSING, and nothing is made',
  ),
  33: by(
    'A leader brings all six logs of Figure 7 into line',
    'raft/elections › a leader brings all six logs of Figure 7 into line with its own',
  ),
  34: by('At most one leader a term, on every seed', CHAOS),
});

export const PRE_VOTE: Chapter = chapter('Pre-vote and check-quorum', {
  35: by(
    'The question before the vote raises no term, and its loser leaves the leader alone',
    'raft/votes › a question before the vote changes nothing: no term, no vote, no time-out',
    'raft/golden › a-follower-that-still-hears-the-leader-refuses-to-depose-it',
  ),
  36: by(
    'A replica that lacks entries gets no pre-vote',
    'raft/votes › a voter whose log has the terms %j answers a candidate that ends in %j: %s',
  ),
  37: by(
    'No pre-vote from whoever heard the leader lately',
    'raft/votes › whoever heard its leader lately does not answer a candidate; later it does (thesis §4.2.3)',
    'raft/votes › a leader does not answer a candidate, unless the campaign is by order',
  ),
  38: by(
    'A pre-vote from whoever misses the leader, and from other pre-candidates',
    'raft/votes › whoever heard its leader lately does not answer a candidate; later it does (thesis §4.2.3)',
    'raft/roles › whoever asks the question itself says yes to others who ask it',
  ),
  39: by(
    'A replica that was cut off returns in the term it had',
    'raft/elections › a replica that was cut off for long returns in the term it had, and nothing changes',
  ),
  40: notHere(
    'Without pre-vote a replica that was cut off disturbs, and the cluster recovers',
    'Pre-vote cannot be switched off.',
  ),
  41: by(
    'A leader without a quorum steps down after an election time-out',
    'raft/votes › a leader that hears no quorum for an election time-out steps down; answers keep it',
    'raft/golden › a-leader-without-a-quorum-steps-down',
  ),
  42: by(
    'A leader that hears a quorum stays',
    'raft/votes › a leader that hears no quorum for an election time-out steps down; answers keep it',
  ),
  43: by(
    'No vote while the leader is heard, whatever the term of the candidate',
    'raft/votes › whoever heard its leader lately does not answer a candidate; later it does (thesis §4.2.3)',
  ),
  44: by(
    'A candidate stuck in a high term gets back into the cluster',
    'raft/elections › a replica that is stuck in a high term is back before two time-outs have passed',
  ),
  45: notHere('Pre-vote switched on and off in a live cluster', 'Pre-vote is always on.'),
  46: by(
    'Who may not campaign does not, however long it hears nothing',
    'raft/votes › who is not among the voters does not campaign',
    'raft/votes › an observer that loses its leader waits',
  ),
  47: notHere(
    'A follower told to forget its leader',
    'There is no such order: a broken connection makes a leader suspect, which allows questions and nothing else.',
  ),
  48: by(
    'A replica that hears heartbeats does not campaign, though it is not heard itself',
    ANY_LINKS,
    'raft/liveness › a replica that cannot hear the leader does not unseat it, however long it tries',
  ),
  49: by('A leader that hears nobody steps down, though it is heard', ANY_LINKS),
  50: by(
    'Bridges and rings get a leader within a few time-outs',
    'raft/liveness › five replicas, any links broken',
    ANY_LINKS,
  ),
  51: by(
    'Pre-votes without end disturb nobody',
    'raft/roles › questions without end disturb neither a leader nor whoever hears it',
  ),
  52: by(
    'A stranger of a higher term does not disturb a cluster that is led',
    'raft/votes › answers of strangers do not disturb, whatever their term',
    'raft/roles › questions without end disturb neither a leader nor whoever hears it',
  ),
});
