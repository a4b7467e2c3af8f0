import { by, notHere, type Pitfall, pitfall } from './table.ts';

const CHAOS = 'raft/chaos › random faults never break agreement, and calm always ends in progress';
const FOLLOWER = 'raft/replication › a follower %s (§5.3)';
const UP_TO_DATE =
  'raft/votes › a voter whose log has the terms %j answers a candidate that ends in %j: %s';
const ONE_VOTE =
  'raft/votes › one vote a term, whoever asks, however often, through restarts from what was written';

/** Mistakes that others made about votes, disks, replication, reads and elections, in the order in which they were collected. */
export const AGREEMENT_PITFALLS: readonly Pitfall[] = [
  // Votes, terms, durable state.
  pitfall(
    by(
      'An entry of an earlier term committed by counting',
      'raft/replication › only an entry of the own term is committed by counting, and then all before it (Figure 8)',
      'raft/golden › figure-8-an-older-entry-is-not-committed-by-counting',
    ),
    'commit-older-terms-by-counting',
  ),
  pitfall(
    by(
      'A vote answered before it is durable',
      'raft/votes › a vote is written down before it is given, also when the term was known before',
      CHAOS,
    ),
    'vote-before-sync',
  ),
  pitfall(
    by(
      'Term and vote in two writes',
      'storage/state-record › cut anywhere, with any bit flipped, or as the other copy it is refused',
      ONE_VOTE,
    ),
    'forget-to-write-the-vote',
  ),
  pitfall(
    by('A second vote in a term, after stepping down or a transfer', ONE_VOTE),
    'forget-the-vote',
  ),
  pitfall(
    by(
      'Having seen a vote taken for having been given it',
      'raft/votes › answers for another term, of the other kind, or of strangers elect nobody',
      'raft/votes › a vote of an earlier term counts for nothing',
    ),
    'count-a-refusal',
  ),
  pitfall(
    by(
      'Votes and entries reach the disk out of order',
      'replica/disk-writer › whatever is cut and appended while the disk is slow, it ends up there, and no message leaves before',
    ),
    'release-before-sync',
  ),
  pitfall(by('Logs compared by term or index alone', UP_TO_DATE), 'vote-for-an-older-term'),
  pitfall(
    by(
      'The time-out not reset on giving a vote, or reset on refusing one',
      'raft/votes › giving a vote puts off the own campaign, refusing one does not (§5.2)',
    ),
    'keep-the-time-out-on-a-vote',
  ),
  pitfall(
    by(
      'Answers of strangers counted',
      'raft/quorum › votes of strangers do not count',
      'raft/replication › answers from the past, beyond the log, or from strangers move nothing',
    ),
    'count-strangers',
  ),
  // Durability and disk.
  pitfall(
    by(
      'An acknowledgement before the entry is durable, or none the less for a repetition',
      'raft/replication › an acknowledgement of %s waits for the disk',
      CHAOS,
    ),
    'acknowledge-before-sync',
  ),
  pitfall(
    by(
      'A replica alone acknowledges before its own sync',
      'raft/golden › one-replica-alone-waits-for-its-own-disk',
    ),
    'count-own-copy-before-sync',
  ),
  pitfall(
    by(
      'A failed sync repeated and then called done',
      'storage/log-store-contract › after a failed write everything fails, until the next start',
      'replica/disk-writer › after a failed write nothing more is released, nothing is written, and the fault is told once',
    ),
    'go-on-after-a-failed-write',
  ),
  pitfall(
    by(
      'Acknowledged with relaxed sync, then power lost',
      'raft/crashes › the power may fail everywhere at any step, with any part of the writes done',
      'storage/kill › kill -9 at any moment loses nothing that was acknowledged',
    ),
    'acknowledge-without-a-sync',
  ),
  pitfall(
    by(
      'A damaged record in the middle passed over in silence',
      'storage/damage › answers with all that was once durable, of which a peer gives back what is lost, or with a code',
    ),
    'believe-a-broken-chain',
  ),
  pitfall(
    by(
      'The log cut at a damaged committed entry, and votes given after that',
      'replica/repair › a replica that has lost entries has no voice until peers have given it exactly those',
      'storage/damage-contract › what was committed is not given up',
    ),
    'give-up-what-was-committed',
  ),
  pitfall(
    by(
      'A wiped replica returns under its id and votes',
      'storage/data-folder › %s is DATA_MISSING, and nothing is made',
      'replica/membership › a wiped disk under an old id is not let in, and a new id is',
      'replica/membership › a first member whose disk was wiped and formatted again under its number is not let in, and cannot make up a majority',
    ),
    'forget-whose-disk-it-was',
  ),
  pitfall(
    by(
      'The acknowledgement of an overwritten entry confirms the new one in its place',
      'raft/pipeline › the write of an entry that was overwritten meanwhile confirms nothing of the one in its place',
      'raft/pipeline › what a follower acknowledged to the leader of a term confirms nothing in the next',
    ),
    'believe-answers-of-an-earlier-term',
  ),
  pitfall(
    by(
      'Completions out of order mark too much as durable',
      'storage/log-store-contract › a second write before the first is done is a bug of the caller',
    ),
    'write-two-at-a-time',
  ),
  pitfall(
    by(
      'A leader that cannot read its log sends a malformed append',
      'raft/replication › entries %s are not sent, but read again',
      'raft/replication › when the disk yields nothing, the leader waits for the peer before it asks again',
    ),
    'send-whatever-the-disk-yields',
  ),
  pitfall(
    by(
      'Entries that wait to be written survive a cut',
      'replica/disk-writer › whatever is cut and appended while the disk is slow, it ends up there, and no message leaves before',
      'raft/replication › conflicts that come faster than the disk leave one write that fits the disk',
    ),
    'keep-entries-that-were-cut',
  ),
  pitfall(
    by(
      'Applied index and state written apart',
      'replica/snapshots › logs stay bounded, and a restart begins with the newest snapshot',
      'statemachine/capture › restored anywhere in a story, while the story went on, goes on like the machine it was taken of',
    ),
    'capture-another-index-than-the-state',
  ),
  pitfall(
    by(
      'Replay after a snapshot off by one',
      'storage/snapshot-contract › entries before the base never come back',
      'replica/snapshots › whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost',
    ),
    'replay-one-too-many',
  ),
  // Replication.
  pitfall(
    by(
      'The commit index taken from the leader without regard to what was matched',
      `${FOLLOWER} › commits up to what it surely shares`,
      `${FOLLOWER} › commits up to the last new entry`,
      'raft/replication › what a peer is told to be committed is never more than it is known to hold',
    ),
    'commit-past-what-matches',
  ),
  pitfall(
    by(
      'The answer to a heartbeat taken for an acknowledgement',
      'raft/replication › answers from the past, beyond the log, or from strangers move nothing',
    ),
    'acknowledge-by-heartbeat',
  ),
  pitfall(
    by(
      'A follower cuts without a conflict, or below the commit index',
      `${FOLLOWER} › keeps what a late one merely repeats`,
      'raft/replication › a late append below the commit index touches nothing',
    ),
    'cut-without-conflict',
  ),
  pitfall(
    by(
      'A late refusal taken for a lost log',
      'raft/replication › a refusal that an acceptance has overtaken sends nothing again',
      'raft/progress › whatever is answered in whatever order, match stays below next and never falls',
    ),
    'believe-a-late-refusal',
  ),
  pitfall(
    by(
      'A lost append is not repeated when nothing follows',
      'raft/golden › a-lost-append-is-missed-by-the-next-heartbeat',
    ),
    'never-miss-a-lost-append',
  ),
  pitfall(
    by(
      'Backing off longer than the election time-out',
      'replica/partition › a follower that was down for long is reached again before an election time-out has passed',
      'replica/partition › connections that break again and again cost no election',
    ),
    'dial-ever-more-seldom',
  ),
  pitfall(by('Committed, then taken back at stepping down', CHAOS), 'commit-what-too-few-hold'),
  pitfall(
    by(
      'What is uncommitted grows without bound',
      'raft/uncommitted › proposals end when too much is uncommitted, and go on when it is committed',
    ),
    'take-proposals-without-end',
  ),
  // Reads and leases.
  pitfall(
    by(
      'A new leader reads before an entry of its term is committed',
      'raft/reads › no read is answered before an entry of the own term is committed (thesis §6.4)',
    ),
    'read-before-the-reign-commits',
  ),
  pitfall(
    by(
      'A read without a quorum, or with the wrong one',
      'raft/golden › a-deposed-leader-answers-no-read',
      'raft/reads › a read is confirmed only by a round that began after it, of this reign',
    ),
    'skip-read-index',
  ),
  pitfall(
    by(
      'A read matched to an older heartbeat',
      'raft/reads › a round from the future, once believed, would confirm reads not yet asked',
      'raft/reads › answers of another life, another leader or another term confirm nothing (etcd #20418)',
    ),
    'believe-a-round-to-come',
  ),
  pitfall(
    by(
      'A time-out returns an old value',
      'replica/reads › a read that was confirmed before the leader was deposed is still answered, one that was not is an error',
      'replica/faults › whatever fails, who was told done finds it once, and who was told no finds nothing',
    ),
    'answer-a-read-that-was-dropped',
  ),
  pitfall(
    by(
      'A lease measured from the answer',
      'raft/leases › a lease begins when its heartbeat was sent, however late the answer comes',
    ),
    'lease-from-the-answer',
  ),
  pitfall(
    by(
      'A lease on the wall clock, or one that a pause outlives',
      'raft/leases › there is no lease before an own commit, while handing over, once somebody was ordered, nor after a pause',
      'raft/leases › no lease outlives its leader, and nobody is less fresh than it says, whatever clocks and pauses do',
    ),
    'lease-on-after-a-pause',
  ),
  pitfall(
    by(
      'A lease that survives a transfer',
      'raft/leases › there is no lease before an own commit, while handing over, once somebody was ordered, nor after a pause',
    ),
    'lease-on-while-handing-over',
  ),
  pitfall(
    by(
      'A voter that starts again forgets the lease it allowed',
      'raft/leases › with leases a broken connection frees nobody, nor does a start: both wait the time out',
    ),
    'forget-a-lease-at-a-restart',
  ),
  pitfall(
    by(
      'A stale follower said to be fresh by its own clock',
      'raft/leases › a leader names a beat again only when a quorum answered a heartbeat that was sent after it came',
      'raft/leases › no lease outlives its leader, and nobody is less fresh than it says, whatever clocks and pauses do',
    ),
    'say-fresh-without-a-quorum',
  ),
  // Elections, pre-vote, check-quorum.
  pitfall(
    notHere('Pre-vote and check-quorum in a mixed cluster block each other', 'Both are always on.'),
    { none: 'No switch, so no mixture.' },
  ),
  pitfall(
    by(
      'A replica of a higher term cannot come back',
      'raft/elections › a replica that is stuck in a high term is back before two time-outs have passed',
    ),
    'leave-the-past-untold',
  ),
  pitfall(
    by(
      'A pre-vote changes the state of the voter',
      'raft/votes › a question before the vote changes nothing: no term, no vote, no time-out',
    ),
    'reset-the-time-out-on-a-pre-vote',
  ),
  pitfall(
    by(
      'A refused pre-vote of a higher term is ignored',
      'raft/votes › a refusal in a later term moves whoever asked there, and it asks for the next',
    ),
    'ignore-a-refused-pre-vote',
  ),
  pitfall(
    by(
      'No leader under a partial partition',
      'raft/liveness › three replicas, any links one way or both broken (noticed: %s)',
      'raft/liveness › five replicas, any links broken',
    ),
    'reign-without-a-quorum',
  ),
  pitfall(
    by(
      'A leader holds on though its disk hangs',
      'replica/replica › a leader whose disk hangs steps aside within a bound, and every caller is told something',
    ),
    'wait-for-a-hanging-disk',
  ),
  pitfall(
    by(
      'A leader that stalled goes on in its old term',
      'replica/health › a leader that stood still for half an election time-out lets go before anyone deposes it',
    ),
    'reign-on-after-a-stall',
  ),
];
