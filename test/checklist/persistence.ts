import { by, type Chapter, chapter, notHere } from './table.ts';

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
  96: by(
    'A hole in the log found at the start keeps the replica silent until peers have healed it',
    'replica/repair › a replica that has lost entries has no voice until peers have given it exactly those',
    'storage/level-log-store › %s is damage, and no other entry is',
  ),
  97: by(
    'A damaged entry anywhere, before or behind the commit index; one alone refuses to start',
    'replica/repair › a replica that has lost entries has no voice until peers have given it exactly those',
    'storage/damage-contract › whatever is lost of a log, one intact peer restores it to the byte',
    'replica/repair › a replica alone cannot be repaired, and says what can be done',
  ),
  98: by(
    'Damage on all replicas in different places heals; in one place it stops them loudly',
    'replica/repair › damage on one replica at a time heals by itself, whatever has been compacted meanwhile',
    'replica/repair › entries that every replica has lost stop all of them with a code',
  ),
  99: by(
    'A damaged vote is no vote until a later term makes that safe',
    'storage/level-log-store › with %s of the hard state it abstains, and keeps to it',
    'raft/snapshots › whose vote is in doubt neither votes nor campaigns, whatever its restarts, until a later term has its leader',
  ),
  100: by(
    'A wiped disk never starts by itself under its old id',
    'storage/data-folder › %s is DATA_MISSING, and nothing is made',
    'storage/rebuild › an emptied log is not a new replica: it has lost what it knows it had',
  ),
  101: by(
    'An old copy of a disk gives no vote',
    'replica/partition › a replica that comes back with an old copy of its disk gets all it lost, and no vote before',
    'storage/high-water › a log that comes up as it was before its newest writes knows what it has lost',
  ),
  102: by(
    'A follower that went back behind what it acknowledged is found out by the next heartbeat; it abstains until that is made good',
    'raft/replication › a word past the end of the log is proof of a loss: no vote until a later leader has made it good',
    'replica/partition › a replica that comes back with an old copy of its disk gets all it lost, and no vote before',
  ),
  103: by(
    'A restart from snapshot and tail applies nothing twice',
    'replica/snapshots › logs stay bounded, and a restart begins with the newest snapshot',
    'storage/snapshot-contract › entries before the base never come back',
  ),
  104: by(
    'With the commit index kept or not, a replay gives the same state',
    'raft/replication › what was written is enough to begin again with',
    'statemachine/machine.model › replaying a log gives the same state and the same digest (I10)',
  ),
  105: by(
    'A machine that lives in memory comes back from a durable snapshot',
    'replica/snapshots › logs stay bounded, and a restart begins with the newest snapshot',
    'statemachine/capture › restored anywhere in a story, while the story went on, goes on like the machine it was taken of',
  ),
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
  109: by(
    'A full disk stops acceptance, not reads, and loses nothing',
    'replica/room › a disk that fills up refuses what is new in good time, takes what ends something, and goes on by itself',
    'replica/room › while disks are nearly full what ends something is taken, whatever is asked in the same moment (seed %i, in a session: %s)',
    'replica/room › while disks are nearly full a client whose session %s can end something',
    'replica/room › a follower whose disk is full to the last byte answers from what it has, and is back by itself when there is room',
    'replica/full-disk › a cluster of which every disk is full stands still, can be read, and goes on by itself with all that was confirmed (where tmpfs may be mounted)',
  ),
  110: by(
    'A leader with a hanging disk steps aside; nothing is acknowledged falsely',
    'replica/replica › a leader whose disk hangs steps aside within a bound, and every caller is told something',
    'raft/preferences › a leader whose disk hangs hands over while its peers keep up, within a bound',
    'raft/golden › two-followers-commit-while-the-leaders-disk-is-slow',
  ),
  111: by(
    'The log stays bounded under load',
    'replica/snapshots › logs stay bounded, and a restart begins with the newest snapshot',
  ),
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
  114: by(
    'A crash while a snapshot is written leaves the old one valid',
    'storage/snapshot-contract › a crash in the middle of a snapshot leaves the one before, and no trace',
  ),
  115: by(
    'A crash between a durable snapshot and the cut of the log',
    'storage/snapshot-contract › a crash between the snapshot and the log that it replaces is made good',
    'replica/snapshots › whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost',
  ),
  116: by(
    'A damaged manifest is refused with a code, and nothing is made anew',
    'storage/data-folder › a folder that lost %s is DATA_CORRUPT, and nothing is touched',
    'storage/level-files › a manifest with any bit flipped is refused, or reads as one torn there',
  ),
  117: by(
    'The scrub finds rot within one round, and peers heal it',
    'storage/scrub-contract › … while the log is in use: %s is found in one round, and repaired',
    'replica/health › rot at rest is found while the replica runs, and repaired before it has a voice again',
  ),
  118: notHere(
    'A damaged store of replies is repaired or leads to unknown',
    'Replies and sessions are part of the machine: they exist in memory, in the log and in snapshots, each checked as such.',
  ),
  119: by(
    '"Never had it" is said only by a replica whose log is whole there',
    'storage/damage-contract › what a majority never had is cut, be it one entry, and the log goes on in doubt',
    'storage/scrub-contract › a peer whose own record is %s does not say that it never had it, found or not',
    'storage/damage-contract › what was committed is not given up',
    'replica/repair › what a majority has never had was never committed, and is cut',
  ),
  120: by(
    'Entries that are found damaged while a replica runs, or leads, silence it until they are repaired',
    'replica/health › rot at rest is found while the replica runs, and repaired before it has a voice again',
    'replica/rot-in-use › what %s has lost while it runs, and its peers have compacted, is made up for once and for all',
    'replica/rot-in-use › rot on one running replica at a time heals by itself, whatever any of them has compacted',
    'storage/level-log-store › damage that appears while it runs is seen by the page that reads it',
  ),
  121: by(
    'Power cut at a thousand random points: what comes back is a prefix with all that was acknowledged',
    'storage/power-cut › after a power cut at any moment the log is what was acknowledged, and perhaps the write under way',
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
  125: by(
    'Snapshots after disconnections, losses and crashes of one or all',
    'replica/snapshots › whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost',
    'replica/snapshots › a follower that was away for longer than the log reaches back is given a snapshot',
    'raft/chaos › random faults never break agreement, and calm always ends in progress',
  ),
  126: by(
    'A lagging replica gets the snapshot; the majority compacts without it',
    'replica/snapshots › a follower that was away for longer than the log reaches back is given a snapshot',
    'raft/golden › a-follower-behind-the-compacted-log-takes-a-snapshot',
  ),
  127: by(
    'A snapshot is no larger than the state, and no slower than writing it',
    'statemachine/capture › is cut into chunks of whole items, within the bound',
    'statemachine/bounds › five thousand short alerts leave no more than the limits allow',
    'replica/large-snapshot › a large snapshot that a follower fetches costs no election, and no write waits for it',
  ),
  128: by(
    'A snapshot under way pauses appends; its end or failure resumes them',
    'raft/snapshots › a peer that lacks compacted entries is offered a snapshot, once a heartbeat, until it holds it',
    'raft/snapshots › late refusals and late acceptances do not end an offer',
  ),
  129: by(
    "A snapshot at the leader's last index ends the probing",
    'raft/snapshots › a peer that lacks compacted entries is offered a snapshot, once a heartbeat, until it holds it',
  ),
  130: by(
    'An older snapshot is ignored, a matching one moves the commit index, another replaces the log',
    'raft/snapshots › an old snapshot changes nothing, nor does one at a leader',
    'raft/snapshots › a snapshot whose last entry is in the log keeps what comes after',
    'raft/snapshots › a snapshot that contradicts the log replaces all of it, and is acknowledged when it is durable',
  ),
  131: by(
    'A snapshot carries the configuration, joint and learners included',
    'raft/snapshot-members › a snapshot brings its configuration, also %s',
    'raft/snapshot-members › who was away through compaction and changes takes the snapshot with what holds now',
  ),
  132: by(
    'A snapshot promotes a learner and demotes a voter',
    'raft/snapshot-members › a snapshot brings its configuration, also %s',
  ),
  133: by(
    'A snapshot of a lower term is refused, an inconsistent one is an error',
    'raft/snapshots › an offer keeps a follower from campaigning, and an old one is answered with the term',
    'storage/snapshot-contract › bytes that are not the chunk are refused, and so is a whole of another hash',
  ),
  134: by(
    'Two snapshots in short order',
    'raft/snapshots › of two snapshots in one turn the later stands, and what the first dropped stays dropped',
  ),
  135: by(
    'Chunks lost, doubled, reordered; continued from where it stopped, also from another leader',
    'storage/snapshot-contract › goes on where a crash broke it off, and is complete only when it is finished',
    'storage/snapshot-contract › another one takes the place of one that is staged',
    'replica/snapshots › whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost',
  ),
  136: by(
    'The checksum of the whole is verified before anything is replaced',
    'storage/snapshot-contract › bytes that are not the chunk are refused, and so is a whole of another hash',
  ),
  137: by(
    'Taking a snapshot holds up neither appends nor applying, and twice at once is safe',
    'replica/snapshots › whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost',
    'storage/snapshot-contract › one at a time; an abandoned one makes room',
    'storage/snapshot-contract › writes go on while the log is compacted',
  ),
  138: by(
    'Snapshots by size of the log, by order, never',
    'replica/snapshots › logs stay bounded, and a restart begins with the newest snapshot',
    'replica/large-snapshot › a short log gets no snapshot by itself, and one when it is ordered, of just what is applied',
  ),
  139: by(
    'A slow peer does not hold the log for ever; what it then needs comes as a snapshot',
    'replica/snapshots › a follower that was away for longer than the log reaches back is given a snapshot',
    'raft/snapshot-members › a dead replica that needs a snapshot holds up nobody, nor does it hold the log',
  ),
  140: notHere(
    'A follower in need asks for a snapshot by itself',
    'The leader offers with each heartbeat and the follower fetches: there is nothing to ask for.',
  ),
  141: by(
    'A snapshot to a dead replica holds up no other',
    'raft/snapshot-members › a dead replica that needs a snapshot holds up nobody, nor does it hold the log',
  ),
  142: by(
    'A restored replica answers reads only when it has caught up',
    'replica/reads › a read is answered when its index is applied, not before, and once',
  ),
  143: by(
    'A snapshot while the members change',
    'raft/snapshot-members › a snapshot while a change is not committed carries what holds at its end, not the change',
    'raft/snapshot-members › who was away through compaction and changes takes the snapshot with what holds now',
  ),
  144: by(
    'Snapshot and log both needed',
    'storage/snapshot-contract › entries after a snapshot stay if the log holds its place, and go if it does not',
    'raft/golden › a-follower-behind-the-compacted-log-takes-a-snapshot',
  ),
  145: by(
    'Two replicas at one index make the same bytes',
    'statemachine/capture › has the same bytes on every replica, also on one that was itself restored',
    'storage/snapshot-contract › equal contents are the same snapshot, once',
  ),
  146: by(
    'A compacted log without its snapshot does not start',
    'storage/snapshot-damage › a compacted log whose snapshots are all %s does not start: it says what it lacks',
  ),
  147: by(
    'Who waits at a deposed leader is answered when a snapshot passes it',
    'replica/partition › of a hundred that wait at a leader cut off none hears yes before it is whole again; all hear the truth',
  ),
  148: by(
    'Snapshots are kept in order and in number, whatever lies in the folder',
    'storage/snapshot-contract › the newest two are kept, the newest first',
    'storage/snapshot-contract › one at a time; an abandoned one makes room',
  ),
  149: by(
    'A large snapshot over a slow link trips no election',
    'replica/large-snapshot › a large snapshot that a follower fetches costs no election, and no write waits for it',
  ),
  150: by(
    'A damaged snapshot on disk gives way to the older one and the log, or to those of peers',
    'storage/snapshot-damage › a newest snapshot whose %s rots gives way to the one before it and the log',
    'storage/snapshot-damage › an older snapshot that rots costs nothing while the newest is whole',
  ),
});
