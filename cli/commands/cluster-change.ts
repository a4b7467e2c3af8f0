import { Command } from 'commander';
import { MEANING, TocsinError } from '../../src/base/errors.ts';
import { replicaId } from '../../src/base/ids.ts';
import type { ChangeReport, MemberChange } from '../../src/wire/clients/admin-messages.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import { pauseFor } from '../demo/waiting.ts';
import { didYouMean } from '../input/suggest.ts';
import { renderChange } from '../output/change.ts';
import { addDangerOptions, type DangerFlags, mustConfirm } from './danger.ts';
import { Exit, withHint } from './failure.ts';
import type { Io } from './io.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, type Session, withClient } from './session.ts';
import { parseReplicaId, parseText, whole } from './values.ts';

/** The commands that change who takes part, and who leads. */

interface ChangeFlags extends ClientFlags {
  readonly dryRun?: boolean;
}
interface AddFlags extends ChangeFlags {
  readonly priority: number;
  readonly promote?: boolean;
}
interface RemoveFlags extends ClientFlags, DangerFlags {}

const PRIORITY_MAX = 1000;
const REFUSED = 5;
const LOOK_MS = 250;
/** Some heartbeats: by then a leader has heard from all who are there. */
const HEARD_MS_MAX = 2_000;

export const changeCommands = (io: Io): readonly Command[] => [
  addCommand(io),
  promoteCommand(io),
  removeCommand(io),
  planCommand(io),
  transferCommand(io),
  drainCommand(io),
];

function addCommand(io: Io): Command {
  const command = new Command('add')
    .description('let a replica that was formatted with --join in, as a learner')
    .argument('<address>', 'where it runs', parseText)
    .option('--promote', 'give it a vote as soon as it has caught up')
    .option('--priority <number>', 'among equals the higher one leads', whole(0, PRIORITY_MAX), 0)
    .option('--dry-run', 'say what would be done, and do nothing');
  return withExamples(addClientOptions(command, '1m'), [
    ['tocsin cluster add /ip4/10.0.0.4/tcp/7400 --promote', 'a fourth voter'],
    [
      'tocsin cluster add /ip4/10.0.0.4/tcp/7400',
      'a learner, which holds everything and has no vote',
    ],
  ]).action(async (address: string, flags: AddFlags) => {
    await withClient(io, flags, async (session) => {
      const newcomer = await newcomerAt(session, address);
      const { replicaId: id, incarnation } = newcomer;
      const { priority } = flags;
      const add: MemberChange = { op: 'add', id, address, incarnation, priority };
      const added = await ask(session, add, flags.dryRun);
      const isDone = added.outcome === 'done' || added.outcome === 'unchanged';
      if (flags.promote !== true || !isDone) return await tell(io, flags, added);
      await tell(io, flags, await promoteSoon(session, { op: 'promote', id }));
    });
  });
}

function promoteCommand(io: Io): Command {
  const command = new Command('promote')
    .description('give a learner a vote, once it has caught up')
    .argument('<replica>', 'its number', parseReplicaId)
    .option('--dry-run', 'say what would be done, and do nothing');
  return withExamples(addClientOptions(command, '1m'), [
    ['tocsin cluster promote 4', 'it counts from then on'],
  ]).action(async (replica: number, flags: ChangeFlags) => {
    await withClient(io, flags, async (session) => {
      const change: MemberChange = { op: 'promote', id: replicaId(replica) };
      const answer =
        flags.dryRun === true
          ? await ask(session, change, true)
          : await promoteSoon(session, change);
      await tell(io, flags, answer);
    });
  });
}

function removeCommand(io: Io): Command {
  const command = new Command('remove')
    .description('take a replica out of the cluster, for good: its number is not used again')
    .argument('<replica>', 'its number', parseReplicaId);
  return withExamples(
    addDangerOptions(addClientOptions(command, '30s'), 'the number of the replica'),
    [
      ['tocsin cluster remove 3 --dry-run', 'what that does to the quorum'],
      ['tocsin cluster remove 3 --confirm 3', 'without being asked'],
    ],
  ).action(async (replica: number, flags: RemoveFlags) => {
    await withClient(io, flags, async (session) => {
      const change: MemberChange = { op: 'remove', id: replicaId(replica) };
      const plan = await ask(session, change, true);
      if (flags.dryRun !== true && plan.outcome === 'planned')
        await mustConfirm(io, flags, {
          does: `takes replica ${replica} out of the cluster for good`,
          word: `${replica}`,
        });
      const isDone = flags.dryRun === true || plan.outcome !== 'planned';
      await tell(io, flags, isDone ? plan : await ask(session, change, false));
    });
  });
}

function planCommand(io: Io): Command {
  const ops = ['promote', 'demote', 'remove'] as const;
  const command = new Command('plan')
    .description('say what a change would do to the quorum, and do nothing')
    .argument('<change>', ops.join(', '), parseText)
    .argument('<replica>', 'its number', parseReplicaId);
  return withExamples(addClientOptions(command, '5s'), [
    ['tocsin cluster plan remove 3', 'how many could be lost afterwards'],
  ]).action(async (named: string, replica: number, flags: ClientFlags) => {
    const op = ops.find((each) => each === named);
    if (op === undefined)
      throw new TocsinError(
        'USAGE',
        `${named} is not a change${didYouMean(named, ops)}; there are ${ops.join(', ')}`,
      );
    await withClient(io, flags, async (session) =>
      tell(io, flags, await ask(session, { op, id: replicaId(replica) }, true)),
    );
  });
}

function transferCommand(io: Io): Command {
  const command = new Command('transfer')
    .description('let the leader hand over, without waiting for a time-out')
    .argument('[replica]', 'to this one (default: whoever can take over best)', parseReplicaId);
  return withExamples(addClientOptions(command, '5s'), [
    ['tocsin cluster transfer 2', 'replica 2 leads'],
  ]).action(async (replica: number | undefined, flags: ClientFlags) => {
    await withClient(io, flags, async (session) => {
      const before = await leaderOf(session);
      const { timeoutMs, signal } = session;
      const to = replica === undefined ? undefined : replicaId(replica);
      await session.client.operator.transfer(to, { timeoutMs, signal });
      const leads = (now: number): boolean =>
        replica === undefined ? now !== before : now === replica;
      await tellLeader(io, flags, await leaderWhere(session, leads));
    });
  });
}

interface DrainFlags extends ClientFlags {
  readonly undo?: boolean;
}

function drainCommand(io: Io): Command {
  const command = new Command('drain')
    .description(
      'before a replica is stopped: it hands over, leads only if nobody else can until it is started again, and whether the others can do without it is said',
    )
    .argument('<replica>', 'its number', parseReplicaId)
    .option('--undo', 'it may lead again');
  return withExamples(addClientOptions(command, '10s'), [
    ['tocsin cluster drain 1', 'then stop replica 1; nobody waits for an election'],
    ['tocsin cluster drain 1 --undo', 'it stays after all'],
  ]).action(async (replica: number, flags: DrainFlags) => {
    await withClient(io, flags, async (session) => {
      const { client, timeoutMs, signal } = session;
      const { members } = await client.status(undefined, { timeoutMs, signal });
      const address = members.find(({ id }) => id === replica)?.address;
      if (address === undefined)
        throw new TocsinError('CHANGE_REFUSED', `replica ${replica} is not a member`);
      const isUndone = flags.undo === true;
      await client.operator.drain(address, { timeoutMs, signal, undo: isUndone });
      const leader = await leaderWhere(session, (now) => isUndone || now !== replica);
      if (isUndone) await tellLeader(io, flags, leader);
      else await tellDrained(io, flags, leader, await leftOnceHeard(session, replica));
    });
  });
}

/** Voters that would be there if this replica were stopped now. */
interface Left {
  readonly replica: number;
  readonly voters: number;
  readonly needed: number;
  readonly alive: number;
}

const isSafe = ({ alive, needed }: Left): boolean => alive >= needed;

/** Whoever has just begun to lead has not heard from all yet: only what stays so is said. */
async function leftOnceHeard(session: Session, replica: number): Promise<Left> {
  const deadline = performance.now() + Math.min(session.timeoutMs / 2, HEARD_MS_MAX);
  for (;;) {
    const left = await leftWithout(session, replica);
    if (isSafe(left) || performance.now() > deadline) return left;
    await pauseFor(LOOK_MS, session.signal);
  }
}

async function leftWithout(session: Session, replica: number): Promise<Left> {
  const change = { op: 'remove', id: replicaId(replica) } as const;
  const { before, after } = await ask(session, change, true);
  return { replica, ...before, alive: after.alive };
}

async function tellDrained(io: Io, flags: ClientFlags, leader: number, left: Left): Promise<void> {
  const { replica, voters, needed, alive } = left;
  const safe = isSafe(left);
  await report(io, flags, {
    value: { leader, drained: replica, voters, needed, alive, safe },
    text: () =>
      [
        `replica ${leader} leads; replica ${replica} leads no more`,
        `without it ${alive} of ${voters} voters are there, and ${needed} are needed: ${safe ? 'it can be stopped' : 'do not stop it'}`,
        '',
      ].join('\n'),
  });
  if (!safe) throw new Exit(REFUSED);
}

function ask({ client, timeoutMs, signal }: Session, change: MemberChange, dryRun = false) {
  return client.operator.change(change, { timeoutMs, signal, dryRun });
}

/** Asks again while the learner has not caught up, until the time is up. */
async function promoteSoon(session: Session, change: MemberChange): Promise<ChangeReport> {
  const deadline = performance.now() + session.timeoutMs;
  for (;;) {
    const answer = await ask(session, change);
    const left = deadline - performance.now();
    if (answer.outcome !== 'refused' || left < LOOK_MS) return answer;
    await pauseFor(LOOK_MS, session.signal);
  }
}

/** What the replica at `address` says of itself. @throws TocsinError WRONG_CLUSTER, CONNECTION_LOST */
async function newcomerAt(session: Session, address: string): Promise<ReplicaStatus> {
  const { client, timeoutMs, signal } = session;
  const { clusterId } = await client.status(undefined, { timeoutMs, signal });
  const newcomer = await client.status(address, { timeoutMs, signal }).catch((error: unknown) => {
    const hint = 'it has to run before it is let in: tocsin format --join, then tocsin serve';
    throw withHint(error, ({ code }) =>
      MEANING[code].exit === MEANING.UNAVAILABLE.exit ? hint : undefined,
    );
  });
  if (newcomer.clusterId !== clusterId)
    throw new TocsinError(
      'WRONG_CLUSTER',
      `${address} runs a replica of cluster ${newcomer.clusterId}, not ${clusterId}`,
    );
  return newcomer;
}

async function leaderOf({ client, timeoutMs, signal }: Session): Promise<number | undefined> {
  return (await client.status(undefined, { timeoutMs, signal })).leader;
}

async function leaderWhere(session: Session, isIt: (leader: number) => boolean): Promise<number> {
  const deadline = performance.now() + session.timeoutMs;
  for (;;) {
    const leader = await leaderOf(session);
    if (leader !== undefined && isIt(leader)) return leader;
    if (performance.now() >= deadline)
      throw new TocsinError(
        'UNAVAILABLE',
        leader === undefined ? 'nobody leads yet' : `replica ${leader} leads all the same`,
      );
    await pauseFor(LOOK_MS, session.signal);
  }
}

const tellLeader = (io: Io, flags: ClientFlags, leader: number): Promise<void> =>
  report(io, flags, { value: { leader }, text: () => `replica ${leader} leads\n` });

async function tell(io: Io, flags: ClientFlags, answer: ChangeReport): Promise<void> {
  await report(io, flags, { value: answer, text: (options) => renderChange(answer, options) });
  if (answer.outcome === 'refused') throw new Exit(REFUSED);
}
