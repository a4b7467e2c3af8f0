import { by, type Chapter, chapter, notHere } from './table.ts';

const TRANSFER =
  'raft/replication › a transfer waits for the log of its target, refuses proposals meanwhile, and ends by itself';

export const MEMBERSHIP: Chapter = chapter('Membership', {
  151: by(
    'Add, remove, promote, demote; doing it twice changes nothing',
    'raft/change › a change that is begun and ended leads to what was wanted, by configurations without a flaw',
    'raft/change › %s is refused',
    'raft/golden › a-new-member-learns-first-and-votes-when-it-has-caught-up',
  ),
  152: by(
    'One change at a time',
    'raft/membership › no change before an entry of the own reign is committed (raft-dev, 2015), nor two at a time',
  ),
  153: by(
    'Adding who is there and removing who is not do no harm',
    'raft/change › %s is refused › what is so already',
  ),
  154: by(
    'Joint configurations are entered and left, by themselves and by order, with both majorities safe',
    'raft/membership › while a change is under way both majorities are needed; then it ends by itself',
    'raft/change › no two sets that can decide, each before or after a step of a change, miss each other',
  ),
  155: by(
    'In a joint configuration both majorities decide',
    'raft/membership › while a change is under way both majorities are needed; then it ends by itself',
    'raft/change › a ballot is won by those who can decide, and lost when the rest can no more',
  ),
  156: by(
    'A leader that dies in a joint configuration leaves its end to the next',
    'raft/golden › the-next-leader-ends-a-change-that-the-last-one-began',
  ),
  157: by(
    'A leader that is removed commits without counting itself, and steps down',
    'raft/golden › a-removed-leader-leads-until-its-removal-is-committed',
    'raft/golden › only-the-removed-leader-can-finish-its-removal',
  ),
  158: by(
    'A removed replica gets nothing more, reachable or not',
    'raft/membership › who is removed is told, for a while, and counted no more; its later terms do not disturb',
    'raft/membership › a removed member that does not answer is let go after an election time-out',
  ),
  159: by(
    'A removed replica that returns disturbs nobody',
    'raft/golden › a-removed-replica-does-not-disturb',
    'raft/membership › who is removed is told, for a while, and counted no more; its later terms do not disturb',
  ),
  160: by(
    'The commit index moves when a removal lowers the quorum',
    'raft/growth › after a removal fewer are needed, and what waited for more is committed',
  ),
  161: by(
    'An empty new replica is neither elected nor counted',
    'raft/change › %s is refused › a voter that was no learner',
    'raft/membership › a learner becomes a voter only after it kept up for a while, and anew after it fell behind',
  ),
  162: by(
    'A learner gets log and snapshot, gives no vote of its own, and is promoted by rule',
    'raft/membership › a learner receives the log, and is not counted: not for a commit, a read, nor the reign',
    'raft/membership › a learner does not campaign, and votes when it is asked',
    'raft/membership › a learner becomes a voter only after it kept up for a while, and anew after it fell behind',
  ),
  163: by(
    'Writes go on while members are added',
    'raft/membership › all members are exchanged one by one while something is written',
  ),
  164: notHere(
    'Nobody campaigns past a committed configuration it has not taken',
    'A configuration is in force from its entry on, applied or not: there is none that is committed and not taken.',
  ),
  165: by(
    'A configuration that is cut from the log is taken back',
    'raft/membership › an overwritten change is no longer in force, whatever it was',
    'raft/golden › a-change-that-was-cut-off-is-taken-back',
  ),
  166: by(
    'A change waits for a committed entry of the term (the bug of 2015)',
    'raft/membership › no change before an entry of the own reign is committed (raft-dev, 2015), nor two at a time',
  ),
  167: by(
    'A change that expects another configuration is refused',
    'raft/membership › a change is what was planned, and nothing else is',
  ),
  168: by(
    'A replica without a configuration refuses changes',
    'raft/membership › who does not lead, or is handing over, plans and changes nothing',
  ),
  169: by(
    'A folder is formatted once; formatting again is refused',
    'storage/data-folder › %s is refused and not touched',
    'storage/data-folder › of several at once exactly one wins, and the folder is whole',
  ),
  170: by(
    'Two clusters of one name do not mix',
    'transport/contract › and refuses with %s whoever was not meant',
    'client/leader › is never taken for this one, even where it was not named',
  ),
  171: by(
    '1, 3, 5, 7 and back under load and faults',
    'raft/growth › one grows to seven and shrinks back to one, under writes, losses and crashes',
  ),
  172: by(
    'The configuration survives a crash at each step',
    'raft/growth › a change survives a crash of any member at any step, begun or not, and ends one way for all',
  ),
  173: by(
    'All members are replaced, one by one',
    'raft/membership › all members are exchanged one by one while something is written',
  ),
  174: by(
    'A replica returns after a long absence, its disk intact',
    'raft/growth › who was away while all others were exchanged is led by those it never heard of',
    'raft/elections › a replica that missed many terms helps to elect the next leader',
  ),
  175: by(
    'A replica of another cluster is refused',
    'transport/contract › and refuses with %s whoever was not meant',
    'storage/data-folder › a folder of another cluster or replica is refused, and stays usable',
  ),
  176: by(
    'Clusters of two and four work',
    'raft/elections › of %i replicas one comes to lead, in one term for all, and stays without faults',
    'raft/elections › without a quorum nobody leads; with one again, somebody does',
  ),
  177: by(
    'Quorums are what counting by brute force says',
    'raft/quorum › a ballot is won or lost exactly when no further vote can change that',
    'raft/quorum › the quorum value is the highest that more than half have reached',
    'raft/change › no two sets that can decide, each before or after a step of a change, miss each other',
  ),
  178: by(
    'Random sequences of changes do what a simple model does',
    'raft/chaos › random faults never break agreement, and calm always ends in progress',
    'raft/change › a change that is begun and ended leads to what was wanted, by configurations without a flaw',
    'raft/configuration › whatever is appended, cut and compacted, the newest entry left is in force',
  ),
  179: by(
    'A member that was removed and added again begins afresh',
    'raft/membership › a member that is removed and taken in again starts anew',
  ),
  180: by(
    'A leader is replaced while every link is slow',
    'raft/growth › while every link is slow a new member is taken in and the leader put out, and writes go on',
  ),
});

export const TRANSFERS: Chapter = chapter('Leadership transfer', {
  181: by(
    'To one that is up to date or behind; never to itself or a stranger',
    TRANSFER,
    'raft/golden › a-leader-hands-over-without-waiting-for-a-timeout',
    'replica/replica › who hands over chooses a peer that can hear it',
  ),
  182: by(
    'It ends by time, refuses proposals meanwhile, and gives way to a higher term',
    TRANSFER,
    'raft/votes › an order to campaign %s is ignored',
  ),
  183: by(
    'Under writes, of seven, to one that is behind, cut off at once',
    'raft/transfers › of seven, under writes, each takes over without a tick, and no write is lost',
    'raft/transfers › to one that is behind, it waits until that one has everything',
    'raft/transfers › whichever message of it is lost, somebody leads before long and all logs are equal',
  ),
  184: by(
    'Transfers at random under load',
    'raft/chaos › random faults never break agreement, and calm always ends in progress',
  ),
  185: by(
    'The successor says that it was told to, and so passes those who hear the leader',
    'raft/votes › a campaign by order says so to each voter, and passes a follower that hears its leader',
    'raft/votes › a leader does not answer a candidate, unless the campaign is by order',
  ),
  186: by(
    'An order to campaign is ignored by whoever may not',
    'raft/votes › an order to campaign %s is ignored',
    'raft/votes › who is not among the voters does not campaign',
  ),
});

export const READS: Chapter = chapter('Reads', {
  187: by(
    'A leader asks a quorum before it answers, also when a follower asks for it',
    'raft/reads › a read is confirmed only by a round that began after it, of this reign',
    'raft/reads › a follower asks its leader once for all reads of a turn, and answers when it has applied that far',
    'raft/golden › a-read-waits-for-a-quorum-to-confirm-the-leader',
  ),
  188: by(
    'A new leader answers no read before its empty entry is committed',
    'raft/reads › no read is answered before an entry of the own term is committed (thesis §6.4)',
  ),
  189: by(
    'Lease reads only with check-quorum',
    'raft/leases › no lease without the option, a clock or a quorum; alone, a replica needs none of them',
  ),
  190: by(
    'A read under way when the reign ends is given back, not answered from the past',
    'raft/reads › when the reign ends, every read under way is given back, in a round or not',
    'raft/golden › a-deposed-leader-answers-no-read',
  ),
  191: by(
    'Doubled answers count once, strangers not at all, and nothing is left in memory',
    'raft/reads › a read is confirmed only by a round that began after it, of this reign',
    'raft/reads › reads beyond the bound are given back at once, those waiting included',
  ),
  192: by(
    'A leader that was paused beyond its lease answers nothing from before',
    'raft/leases › no lease outlives its leader, and nobody is less fresh than it says, whatever clocks and pauses do',
    'raft/leases › there is no lease before an own commit, while handing over, once somebody was ordered, nor after a pause',
  ),
  193: by(
    'A minority answers no read; when it is whole again, it does',
    'raft/golden › a-deposed-leader-answers-no-read',
    'replica/faults › whatever fails, who was told done finds it once, and who was told no finds nothing',
  ),
  194: notHere(
    'A call that only verifies leadership, or waits for everything before it',
    'There is no such call: a linearizable read does both.',
  ),
  195: by(
    'A local read is a state that was, and never goes back for one caller',
    'replica/faults › whatever fails, who was told done finds it once, and who was told no finds nothing',
    'raft/leases › a follower is as fresh as the last beat that its leader named again, once it has applied that far',
  ),
});
