import { by, type Chapter, chapter, notHere, open } from './table.ts';

const CHAOS = 'raft/chaos › random faults never break agreement, and calm always ends in progress';
const CONTRACT = 'storage/log-store-contract';

export const PERSISTENCE: Chapter = chapter('Persistence, crashes, storage', {
  93: by(
    'A restart of some or of all keeps everything',
    'replica/cluster › what one client raises, every replica holds alike, also after a restart of all',
    CHAOS,
    'end-to-end/kill › no answered command is lost or doubled by … kills (SEED=…)',
  ),
  94: by(
    'Term, vote and entries are durable before any answer that depends on them',
    'raft/replication › an acknowledgement of %s waits for the disk',
    'raft/votes › a vote is written down before it is given, also when the term was known before',
    CHAOS,
  ),
  95: by(
    'A torn tail is dropped only if nobody can have been told of it',
    'storage/high-water › a log that comes up as it was before its newest writes knows what it has lost',
    'storage/kill › kill -9 at any moment loses nothing that was acknowledged',
  ),
  96: open(
    'A hole in the log found at the start keeps the replica silent until peers have healed it',
  ),
  97: open(
    'A damaged entry anywhere, before or behind the commit index; one alone refuses to start',
  ),
  98: open('Damage on all replicas in different places heals; in one place it stops them loudly'),
  99: open('A damaged vote is no vote until a later term makes that safe'),
  100: by(
    'A wiped disk never starts by itself under its old id',
    'storage/data-folder › %s is DATA_MISSING, and nothing is made',
    'storage/rebuild › an emptied log is not a new replica: it has lost what it knows it had',
  ),
  101: open('An old copy of a disk is refused'),
  102: open(
    'The leader sees that a follower went back behind what it acknowledged, and refuses it',
  ),
  103: open('A restart from snapshot and tail applies nothing twice'),
  104: by(
    'With the commit index kept or not, a replay gives the same state',
    'raft/replication › what was written is enough to begin again with',
    'statemachine/machine.model › replaying a log gives the same state and the same digest (I10)',
  ),
  105: open('A machine that lives in memory comes back from a durable snapshot'),
  106: by(
    'The storage suite: empty, append, cut, pages, votes, crash, refusal',
    `${CONTRACT} › a new log is empty, in term 0, without a vote`,
    `${CONTRACT} › what was written is there after %s`,
    `${CONTRACT} › entries from a cut on are replaced by those of another term`,
    `${CONTRACT} › reading page by page gives the whole log`,
    `${CONTRACT} › any story of writes, restarts and crashes leaves what a plain list says`,
  ),
  107: by(
    'What is written and what only waits to be written are kept apart, cuts included',
    'replica/disk-writer › whatever is cut and appended while the disk is slow, it ends up there, and no message leaves before',
    'replica/disk-writer › a cut of entries that only wait to be written is no cut of the disk',
    'raft/log › the log does what a plain list of all entries does',
  ),
  108: by(
    'A failed sync ends the replica; nothing goes on',
    `${CONTRACT} › after a failed write everything fails, until the next start`,
    'replica/disk-writer › after a failed write nothing more is released, nothing is written, and the fault is told once',
  ),
  109: open('A full disk stops acceptance, not reads, and loses nothing'),
  110: by(
    'A leader with a hanging disk steps aside; nothing is acknowledged falsely',
    'replica/replica › a leader whose disk hangs steps aside within a bound, and every caller is told something',
    'raft/golden › two-followers-commit-while-the-leaders-disk-is-slow',
  ),
  111: open('The log stays bounded under load'),
  112: by(
    'A second process on the same folder is refused',
    'storage/data-folder › a folder in use is DATA_LOCKED, whichever way it is reached',
    `${CONTRACT} › a second store on the same disk is refused until the first is closed`,
  ),
  113: by(
    'A crash at every step, of each replica, with any part of its writes done',
    'raft/crashes › of %i, replica %i may crash at any step with any part of its writes done: nothing agreed is lost',
    'raft/crashes › the power may fail everywhere at any step, with any part of the writes done',
    'end-to-end/kill › no answered command is lost or doubled by … kills (SEED=…)',
  ),
  114: open('A crash while a snapshot is written leaves the old one valid'),
  115: open('A crash between a durable snapshot and the cut of the log'),
  116: by(
    'A damaged manifest is refused with a code, and nothing is made anew',
    'storage/data-folder › a folder that lost %s is DATA_CORRUPT, and nothing is touched',
    'storage/level-files › a manifest with any bit flipped is refused, or reads as one torn there',
  ),
  117: open('The scrub finds rot within one round, and peers heal it'),
  118: notHere(
    'A damaged store of replies is repaired or leads to unknown',
    'Replies are part of the machine: they exist in memory, in the log and in snapshots, each checked as such.',
  ),
  119: open('"Never had it" is said only by a replica whose log is whole there'),
  120: open('A leader finds entries damaged and gives way'),
  121: open(
    'Power cut at a thousand random points: what comes back is a prefix with all that was acknowledged',
  ),
  122: by(
    'Of the last record any part may be torn',
    'storage/level-files › of one torn write any fragments may be there, but only when nothing follows',
    'storage/damage › answers with all that was once durable, of which a peer gives back what is lost, or with a code',
  ),
  123: by(
    'A format of the past opens or is refused by its number; one of the future is refused',
    'storage/data-folder › a newer format or a lost identity is refused; neither keeps the lock',
    'storage/data-folder › a folder of another cluster, or of a newer format, is not touched',
  ),
  124: notHere(
    'Encryption at rest: wrong, missing and rotated keys',
    'Data is not sealed at rest yet.',
  ),
});

export const SNAPSHOTS: Chapter = chapter('Snapshots and compaction', {
  125: open('Snapshots after disconnections, losses and crashes of one or all'),
  126: open('A lagging replica gets the snapshot; the majority compacts without it'),
  127: open('A snapshot is no larger than the state, and no slower than writing it'),
  128: open('A snapshot under way pauses appends; its end or failure resumes them'),
  129: open("A snapshot at the leader's last index ends the probing"),
  130: open(
    'An older snapshot is ignored, a matching one moves the commit index, another replaces the log',
  ),
  131: open('A snapshot carries the configuration, joint and learners included'),
  132: open('A snapshot promotes a learner and demotes a voter'),
  133: open('A snapshot of a lower term is refused, an inconsistent one is an error'),
  134: open('Two snapshots in short order'),
  135: open(
    'Chunks lost, doubled, reordered; continued from where it stopped, also from another leader',
  ),
  136: open('The checksum of the whole is verified before anything is replaced'),
  137: open('Taking a snapshot holds up neither appends nor applying, and twice at once is safe'),
  138: open('Snapshots by size of the log, by order, never'),
  139: open('A slow peer does not hold the log for ever; what it then needs comes as a snapshot'),
  140: open('A follower in need asks for a snapshot by itself'),
  141: open('A snapshot to a dead replica holds up no other'),
  142: open('A restored replica answers reads only when it has caught up'),
  143: open('A snapshot while the members change'),
  144: open('Snapshot and log both needed'),
  145: open('Two replicas at one index make the same bytes'),
  146: open('A compacted log without its snapshot does not start'),
  147: open('Who waits at a deposed leader is answered when a snapshot passes it'),
  148: open('Snapshots are kept in order and in number, whatever lies in the folder'),
  149: open('A large snapshot over a slow link trips no election'),
  150: open(
    'A damaged snapshot on disk gives way to the older one and the log, or to those of peers',
  ),
});
