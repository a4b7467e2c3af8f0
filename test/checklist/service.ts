import { by, type Chapter, chapter } from './table.ts';

const CHAOS = 'raft/chaos › random faults never break agreement, and calm always ends in progress';
const STORY =
  'replica/faults › whatever fails, who was told done finds it once, and who was told no finds nothing';
const KILLS = 'end-to-end/kill › no answered command is lost or doubled by … kills (SEED=…)';

export const SERVICE: Chapter = chapter('State machine, retries, clients', {
  196: by(
    'Applied in order, once, alike on all',
    CHAOS,
    'replica/applier › what is committed while a slice is due or a page is read is applied once, in order',
  ),
  197: by(
    'A replay gives the same; stopping ends what waits; requests of two lives do not mix',
    'statemachine/machine.model › replaying a log gives the same state and the same digest (I10)',
    'replica/proposals › every proposal is settled exactly once, whatever happens to it',
    'replica/replica › a replica can be stopped at any moment, also from within what it tells a caller',
  ),
  198: by(
    'Of a hundred that wait at a leader cut off none hears yes; all hear something',
    'replica/partition › of a hundred that wait at a leader cut off none hears yes before it is whole again; all hear the truth',
  ),
  199: by(
    'Exactly once over retries, new leaders and crashes',
    STORY,
    KILLS,
    'statemachine/machine.model › a log whose every command arrives twice gives the events of the log itself',
  ),
  200: by(
    'A reply that had to go is gone, by a rule that all replicas share',
    'statemachine/bounds › a reply that had to go lets its command be done again',
    'statemachine/bounds › a repetition does not make its reply younger',
  ),
  201: by(
    'Clients, losses, crashes, partitions and snapshots under a linearizability checker',
    'testing/sim/sim › whatever fails, nothing is broken, and a healed cluster serves again (seed %i)',
    'testing/checkers/linearizability › the search agrees with trying every order',
  ),
  202: by(
    'Digests of the replicas are compared, and one that differs is found',
    'replica/health › a leader whose state differs lets go, and its client goes on elsewhere',
    'replica/health › two replicas that differ blame neither, and both say so',
  ),
  203: by(
    'An entry nobody understands halts, it is not skipped',
    'replica/applier › an entry whose commands cannot be told apart halts the replica and names the entry',
    'replica/applier › a command of a %s that a later program made halts the replica: it is not passed over',
    'wire/record › forged with a good checksum but %s is refused',
  ),
  204: by(
    'Watches: every event once and in order, resumed at any revision, slow ones bounded',
    'replica/watch-hub › each watcher is told every matching event once and in order, or a state that holds it',
    'replica/watch-hub › a watch resumes exactly at each revision that the history still holds',
    'client/watch › tells each event once, in order, whatever breaks meanwhile',
  ),
  205: by(
    'Overload is refused with a code, the less urgent first, and room comes back',
    'replica/proposals › the less urgent is refused first, and room comes back whichever way a proposal leaves',
    'raft/uncommitted › proposals end when too much is uncommitted, and go on when it is committed',
  ),
  206: by(
    'Peers and clients of other versions agree on one, or are refused',
    'wire/handshake › … with … gives …',
    'wire/handshake › of later versions only is refused before the rest of it is looked at',
  ),
});
