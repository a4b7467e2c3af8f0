import { by, type Chapter, chapter, notHere, open } from './table.ts';

const TRANSFER =
  'raft/replication › a transfer waits for the log of its target, refuses proposals meanwhile, and ends by itself';

export const MEMBERSHIP: Chapter = chapter('Membership', {
  151: open('Add, remove, promote, demote; doing it twice changes nothing'),
  152: open('One change at a time'),
  153: open('Adding who is there and removing who is not do no harm'),
  154: open(
    'Joint configurations are entered and left, by themselves and by order, with both majorities safe',
  ),
  155: open('In a joint configuration both majorities decide'),
  156: open('A leader that dies in a joint configuration leaves its end to the next'),
  157: open('A leader that is removed commits without counting itself, and steps down'),
  158: open('A removed replica gets nothing more, reachable or not'),
  159: open('A removed replica that returns disturbs nobody'),
  160: open('The commit index moves when a removal lowers the quorum'),
  161: open('An empty new replica is neither elected nor counted'),
  162: open('A learner gets log and snapshot, gives no vote of its own, and is promoted by rule'),
  163: open('Writes go on while members are added'),
  164: open('Nobody campaigns past a committed configuration it has not taken'),
  165: open('A configuration that is cut from the log is taken back'),
  166: open('A change waits for a committed entry of the term (the bug of 2015)'),
  167: open('A change that expects another configuration is refused'),
  168: open('A replica without a configuration refuses changes'),
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
  171: open('1, 3, 5, 7 and back under load and faults'),
  172: open('The configuration survives a crash at each step'),
  173: open('All members are replaced, one by one'),
  174: open('A replica returns after a long absence, its disk intact'),
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
  ),
  178: open('Random sequences of changes do what a simple model does'),
  179: open('A member that was removed and added again begins afresh'),
  180: open('A leader is replaced while every link is slow'),
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
    'A leader asks a quorum before it answers',
    'raft/reads › a read is confirmed only by a round that began after it, of this reign',
    'raft/golden › a-read-waits-for-a-quorum-to-confirm-the-leader',
  ),
  188: by(
    'A new leader answers no read before its empty entry is committed',
    'raft/reads › no read is answered before an entry of the own term is committed (thesis §6.4)',
  ),
  189: open('Lease reads only with check-quorum'),
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
  192: open('A leader that was paused beyond its lease answers nothing from before'),
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
  ),
});
