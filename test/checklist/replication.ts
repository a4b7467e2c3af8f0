import { by, type Chapter, chapter } from './table.ts';

const CHAOS = 'raft/chaos › random faults never break agreement, and calm always ends in progress';
const STORY =
  'replica/faults › whatever fails, who was told done finds it once, and who was told no finds nothing';
const FOLLOWER = 'raft/replication › a follower %s (§5.3)';

export const REPLICATION: Chapter = chapter('Replication and log matching', {
  53: by(
    'Three commands get the same places on all',
    'raft/agreement › commands get the same places on all, and no tick is needed for that',
  ),
  54: by(
    'The bytes sent are one copy a peer, and the messages few',
    'raft/agreement › each peer is sent each byte once, with few messages, and next to none when idle',
  ),
  55: by(
    'One follower of three may fail; with two down nothing commits',
    'raft/agreement › one of three may fail, its entries come later; with two away nothing is committed',
  ),
  56: by(
    'Leaders may fail one after another',
    'raft/agreement › leaders may die one after another while a quorum lives',
  ),
  57: by(
    'A follower that was away catches up, and nothing agreed is lost',
    'raft/agreement › a follower that hangs holds up nobody, and catches up when it wakes',
    'raft/agreement › one of three may fail, its entries come later; with two away nothing is committed',
  ),
  58: by(
    'Proposals that come together all appear once, in one order',
    'raft/agreement › what is proposed together appears once each and in one order on all',
  ),
  59: by(
    'A leader that was cut off with uncommitted entries finds them overwritten',
    'raft/golden › an-uncommitted-tail-is-overwritten-when-its-leader-returns',
  ),
  60: by(
    'A long wrong tail is passed a term at a time',
    'raft/replication › a long wrong tail is passed in one step a term, not one an entry (§5.3)',
  ),
  61: by(
    'An append whose previous entry is not here is refused with a hint',
    'raft/replication › a refusal names the newest place where the logs can still agree',
  ),
  62: by(
    'Only a conflict cuts, and only from there on; a late duplicate cuts nothing',
    `${FOLLOWER} › cuts what conflicts`,
    `${FOLLOWER} › keeps what a late one merely repeats`,
    'raft/replication › conflicts that come faster than the disk leave one write that fits the disk',
  ),
  63: by(
    'An empty append is checked like any other',
    'raft/replication › a refusal names the newest place where the logs can still agree',
  ),
  64: by(
    'Nothing committed can be cut: the attempt is a broken assertion',
    'raft/log › committed entries can neither be cut nor forgotten, nor can the commit index fall or run ahead',
  ),
  65: by(
    'A follower commits what the leader has, but not beyond what it just matched',
    `${FOLLOWER} › commits up to the last new entry`,
    `${FOLLOWER} › commits up to what it surely shares`,
  ),
  66: by(
    'The commit index never falls',
    'raft/log › committed entries can neither be cut nor forgotten, nor can the commit index fall or run ahead',
    CHAOS,
  ),
  67: by(
    'Only entries of the own term are committed by counting (Figure 8)',
    'raft/replication › only an entry of the own term is committed by counting, and then all before it (Figure 8)',
    'raft/golden › figure-8-an-older-entry-is-not-committed-by-counting',
    CHAOS,
  ),
  68: by(
    'A new leader appends an empty entry, and commits what came before with it',
    'raft/replication › only an entry of the own term is committed by counting, and then all before it (Figure 8)',
  ),
  69: by(
    'A caller hears yes after a quorum has it durably and it is applied',
    CHAOS,
    STORY,
    'raft/replication › an acknowledgement of %s waits for the disk',
  ),
  70: by(
    'A leader counts itself when its own disk has the entry',
    'raft/golden › the-leader-counts-itself-only-after-its-own-disk',
    'raft/golden › one-replica-alone-waits-for-its-own-disk',
  ),
  71: by(
    'Its own acknowledgement of an earlier term counts for nothing',
    'raft/pipeline › the write of an entry that was overwritten meanwhile confirms nothing of the one in its place',
  ),
  72: by(
    'A late write of an overwritten entry confirms nothing of the entry in its place',
    'raft/pipeline › the write of an entry that was overwritten meanwhile confirms nothing of the one in its place',
    'raft/pipeline › what a follower acknowledged to the leader of a term confirms nothing in the next',
  ),
  73: by(
    'Appends out of order, lost and doubled end in equal logs',
    'raft/pipeline › one hole in the pipeline is refused, and filled from there on',
    'raft/chaos › random faults never break agreement, and calm always ends in progress',
  ),
  74: by(
    'Probe, replicate, snapshot: one append at a time, then a window; a heartbeat ends the pause',
    'raft/progress › whatever is answered in whatever order, match stays below next and never falls',
    'raft/progress › an answer that is no news and not to this probe leaves the probe under way',
    'raft/replication › however many reads are confirmed, a slow peer is sent its probe once a heartbeat',
  ),
  75: by(
    'A full window pauses, answers free it in order, a heartbeat finds what was lost',
    'raft/progress › a window is full by count or by bytes, and what is answered makes room again',
    'raft/golden › a-lost-append-is-missed-by-the-next-heartbeat',
  ),
  76: by(
    'A broken connection leads back to probing',
    'raft/replication › a broken connection makes the leader ask again where the peer stands',
  ),
  77: by(
    'A follower that needs what is compacted gets a snapshot, once',
    'raft/snapshots › a peer that lacks compacted entries is offered a snapshot, once a heartbeat, until it holds it',
    'raft/golden › a-follower-behind-the-compacted-log-takes-a-snapshot',
    'replica/snapshots › a follower that was away for longer than the log reaches back is given a snapshot',
  ),
  78: by(
    'A follower that missed the commit learns of it by heartbeat',
    'raft/agreement › a follower that missed what was committed learns of it with the next heartbeat',
  ),
  79: by(
    'A heartbeat tells no more than its receiver is known to hold',
    'raft/replication › what a peer is told to be committed is never more than it is known to hold',
    `${FOLLOWER} › does not commit by a word past its end`,
  ),
  80: by(
    'Replication waits for no heartbeat',
    'raft/agreement › commands get the same places on all, and no tick is needed for that',
  ),
  81: by(
    'Appends and pages are bounded; one entry larger than the bound still goes',
    'raft/log › a slice keeps both bounds, but never is empty while there are entries',
    'raft/replication › of what the disk yields, no more is sent than an append may hold',
    'replica/applier › a page from disk is applied in slices too',
    'storage/log-store-contract › a page holds what fits, and always at least one entry',
  ),
  82: by(
    'Uncommitted bytes are bounded; beyond that proposals are refused before they are appended',
    'raft/uncommitted › proposals end when too much is uncommitted, and go on when it is committed',
    'raft/uncommitted › what earlier reigns left uncommitted counts too: many in a row gather no more than one, but for their beginnings',
    'raft/agreement › what a leader cut off cannot commit is bounded, and its room comes back with the next reign',
  ),
  83: by(
    'A follower refuses a proposal and names the leader',
    'replica/cluster › bad requests over a real socket get a code each, write nothing, and stop nobody',
    'client/leader › by its hint, at once',
  ),
  84: by(
    'Refused and unknown are told apart, whatever becomes of the leader',
    'client/truth › done: applied once; outcome none: never applied; always in time',
    STORY,
  ),
  85: by(
    'An append that was taken in part is continued from there',
    'raft/pipeline › an append that was taken in part is continued from there, found by a probe or by a heartbeat',
  ),
  86: by(
    'A failing disk stops its replica, not the cluster',
    'replica/replica › a leader whose disk fails (batch %s) stops and says done no more, and the others go on',
    'raft/replication › when the disk yields nothing, the leader waits for the peer before it asks again',
  ),
  87: by(
    'Appends are pipelined, and a broken connection begins them again',
    'raft/pipeline › appends follow each other without waiting, until the window is full; answers make room in order',
    'raft/pipeline › a broken connection begins again, one append at a time, behind what is acknowledged',
  ),
  88: by(
    'A follower that hangs holds up nobody',
    'raft/agreement › a follower that hangs holds up nobody, and catches up when it wakes',
  ),
  89: by('Agreement on an unreliable network', CHAOS),
  90: by('Churn: crashes and cuts at random under load lose nothing acknowledged', CHAOS, STORY),
  91: by(
    'Partition after partition of the leader under load ends in equal logs',
    'raft/agreement › leader after leader is cut off under load, and in the end all logs are equal',
  ),
  92: by(
    'A follower that cut and grew again is repaired; leaders of two terms leave one log',
    'raft/replication › conflicts that come faster than the disk leave one write that fits the disk',
    CHAOS,
  ),
});
