import { by, type Pitfall, pitfall } from './table.ts';

const STORY =
  'replica/faults › whatever fails, who was told done finds it once, and who was told no finds nothing';
const TRANSFER =
  'raft/replication › a transfer waits for the log of its target, refuses proposals meanwhile, and ends by itself';

/** Mistakes that others made about members, snapshots, clients and the state machine; the list goes on here. */
export const CHANGE_PITFALLS: readonly Pitfall[] = [
  // Membership and transfer.
  pitfall(
    by(
      'A change of members before an entry of the own term is committed',
      'raft/membership › no change before an entry of the own reign is committed (raft-dev, 2015), nor two at a time',
    ),
    'change-before-the-reign-commits',
  ),
  pitfall(
    by(
      'A configuration stays though its entry was cut',
      'raft/membership › an overwritten change is no longer in force, whatever it was',
      'raft/golden › a-change-that-was-cut-off-is-taken-back',
    ),
    'keep-a-configuration-that-was-cut',
  ),
  pitfall(
    by(
      'A snapshot carries an uncommitted configuration',
      'raft/snapshot-members › a snapshot while a change is not committed carries what holds at its end, not the change',
    ),
    'snapshot-a-change-under-way',
  ),
  pitfall(
    by(
      'An old configuration survives the installation of a snapshot',
      'raft/snapshot-members › a configuration that only the replaced log knew is gone, whether older or newer',
    ),
    'keep-a-configuration-over-a-snapshot',
  ),
  pitfall(
    by(
      'A cluster of one during a replay',
      'raft/membership › a core begins with the configuration its log ends with, and refuses a list that lacks it',
    ),
    'begin-with-the-first-members',
  ),
  pitfall(
    by(
      'A removed leader or replica disturbs, or never leaves',
      'raft/golden › a-removed-leader-leads-until-its-removal-is-committed',
      'raft/golden › a-removed-replica-does-not-disturb',
    ),
    'lead-on-after-the-own-removal',
  ),
  pitfall(
    by(
      'A leader outside the new configuration stops too early',
      'raft/snapshot-members › a change ends when its beginning is committed, not by whatever else is committed before that',
      'raft/golden › a-removed-leader-leads-until-its-removal-is-committed',
      'raft/golden › only-the-removed-leader-can-finish-its-removal',
    ),
    'leave-before-the-removal-commits',
  ),
  pitfall(
    by(
      'A learner refuses votes it must give, or is counted',
      'raft/membership › a learner does not campaign, and votes when it is asked',
      'raft/membership › a learner receives the log, and is not counted: not for a commit, a read, nor the reign',
    ),
    'refuse-votes-as-a-learner',
  ),
  pitfall(
    by(
      'A promotion of one who lags stops commits',
      'raft/change › %s is refused › a voter that lags behind',
      'raft/membership › a learner becomes a voter only after it kept up for a while, and anew after it fell behind',
      'raft/plans › a learner that answers, and takes no entries, is given no vote',
    ),
    'promote-who-lags',
  ),
  pitfall(
    by(
      'A transfer blocked by pre-vote, losing writes, or ending without a leader',
      TRANSFER,
      'raft/votes › an order to campaign %s is ignored',
      'raft/votes › a campaign by order says so to each voter, and passes a follower that hears its leader',
    ),
    'ask-before-an-ordered-campaign',
  ),
  // Snapshots.
  pitfall(
    by(
      'A conflicting tail kept after installation',
      'raft/snapshots › a snapshot that contradicts the log replaces all of it, and is acknowledged when it is durable',
    ),
    'keep-a-tail-that-conflicts',
  ),
  pitfall(
    by(
      'A snapshot behind the log cuts newer committed entries',
      'raft/snapshots › an old snapshot changes nothing, nor does one at a leader',
    ),
    'install-a-snapshot-of-the-past',
  ),
  pitfall(
    by(
      'Installation races with applying or with another snapshot',
      'replica/snapshots › whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost',
      'raft/snapshots › of two snapshots in one turn the later stands, and what the first dropped stays dropped',
    ),
    'revive-a-log-between-two-snapshots',
  ),
  pitfall(
    by(
      'The entry before the first one is the end of the snapshot',
      'raft/log › the log does what a plain list of all entries does',
      'storage/snapshot-contract › compacted up to %d the log begins there and still chains',
    ),
    'forget-the-entry-before-the-first',
  ),
  pitfall(
    by(
      'A gap between snapshot and log',
      'storage/snapshot-contract › a crash between the snapshot and the log that it replaces is made good',
    ),
    'leave-a-gap-behind-a-snapshot',
  ),
  pitfall(
    by(
      'A slow follower never catches up with a log that is cut meanwhile',
      'replica/partition › the log waits for a follower that is slow but there',
    ),
    'cut-the-log-under-a-slow-follower',
  ),
  pitfall(
    by(
      'A transfer that begins again at nothing, or mixes two snapshots',
      'storage/snapshot-contract › goes on where a crash broke it off, and is complete only when it is finished',
      'storage/snapshot-contract › another one takes the place of one that is staged',
    ),
    'fetch-from-the-beginning-again',
  ),
  pitfall(
    by(
      'Replies are not in the snapshot',
      'replica/snapshots › a repeated command after a snapshot was installed gets its first reply',
    ),
    'leave-the-replies-behind',
  ),
  // Clients and state machine.
  pitfall(
    by(
      'Applied twice after a retry',
      STORY,
      'statemachine/machine.model › a log whose every command arrives twice gives the events of the log itself',
    ),
    'apply-a-repetition',
  ),
  pitfall(
    by(
      'A proposal that ran out of time reported as failed',
      'client/truth › done: applied once; outcome none: never applied; always in time',
      STORY,
    ),
    'deny-what-may-be-written',
  ),
  pitfall(
    by(
      'Sessions that end by the local clock',
      'statemachine/sessions › a session ends by the time in the log, whatever the clock of whoever applies it shows',
    ),
    'expire-by-the-own-clock',
  ),
  pitfall(
    by(
      'Applying depends on the machine it runs on',
      'statemachine/machine.model › replaying a log gives the same state and the same digest (I10)',
    ),
    'fold-labels-as-written',
  ),
  pitfall(
    by(
      'A deposed leader still acts on the world',
      'replica/notifier-reign › whoever %s tries none of its pages again, and reports none',
      'replica/notifier-reign › what arrives after its leader was deposed is not reported',
      'replica/notifier-reign › reports of two reigns change a notification once, in whatever order they are committed',
    ),
    'page-on-when-deposed',
  ),
  pitfall(
    by(
      'A command that throws ends all replicas',
      'replica/applier › an entry that carries nonsense where a command belongs is refused, and the next one applied',
      'statemachine/transitions › every command finds a cell, and the record it makes is in the state of the cell',
    ),
    'throw-at-a-poisonous-command',
  ),
  pitfall(
    by(
      'Watches with holes or doubles at resumption',
      'client/watch › tells each event once, in order, whatever breaks meanwhile',
      'replica/watch-hub › a watch resumes exactly at each revision that the history still holds',
    ),
    'skip-an-event-at-resume',
  ),
  pitfall(
    by(
      'A new kind of command reaches an old replica',
      'replica/applier › a command of a %s that a later program made halts the replica: it is not passed over',
      'wire/record › forged with a good checksum but %s is refused',
    ),
    'pass-over-what-is-not-known',
  ),
  pitfall(
    by(
      'Numbers beyond 32 or 53 bits',
      'wire/peer-messages › with %s is refused › a term beyond 2⁵³',
      'raft/hostile › a term too far ahead to be true is not followed, and campaigns go on',
    ),
    'follow-any-term',
  ),
  pitfall(
    by(
      'A buffer used again before it is written',
      'wire/body › encoded before does not change when another is encoded, however long',
      'wire/peer-messages › carries the bytes of its records, copied neither when encoded nor when decoded',
    ),
    'hand-out-a-shared-buffer',
  ),
];
