import { isJoint } from '../../raft/configuration.ts';
import { renderMessage } from '../../raft/render.ts';
import type { CoreCluster } from '../core-cluster.ts';
import { type Budget, beat, timeOut } from './world.ts';

/** One thing that can happen next. */
export interface Action {
  readonly does: string;
  /** What it takes from the budget. */
  readonly costs: keyof Budget | undefined;
  readonly run: (cluster: CoreCluster) => void;
}

export type Spent = Readonly<Record<keyof Budget, number>>;

export const NOTHING_SPENT: Spent = {
  elections: 0,
  proposals: 0,
  reads: 0,
  crashes: 0,
  duplicates: 0,
  heartbeats: 0,
  compactions: 0,
  changes: 0,
};

export const spend = (spent: Spent, { costs }: Action): Spent =>
  costs === undefined ? spent : { ...spent, [costs]: spent[costs] + 1 };

/** Everything that can happen now, in an order that depends on nothing but the state. */
export function actionsIn(
  cluster: CoreCluster,
  budget: Partial<Budget>,
  spent: Spent,
): readonly Action[] {
  const all = [...deliveries(cluster), ...diskActions(cluster), ...wishes(cluster, spent)];
  return all.filter(({ costs }) => costs === undefined || spent[costs] < (budget[costs] ?? 0));
}

/** Any message may be the next to arrive, and may arrive again. That one is lost is the same as that it never arrives. */
function* deliveries(cluster: CoreCluster): Generator<Action> {
  const seen = new Set<string>();
  for (const [at, { message }] of cluster.network.entries()) {
    const text = renderMessage(message);
    if (seen.has(text)) continue;
    seen.add(text);
    yield { does: `deliver ${text}`, costs: undefined, run: (now) => now.deliver(at) };
    const again = (now: CoreCluster): void => now.deliver(at, true);
    yield { does: `deliver and keep ${text}`, costs: 'duplicates', run: again };
  }
}

/** Writes complete in order; a crash keeps any number of those that did not, and the process starts again. */
function* diskActions(cluster: CoreCluster): Generator<Action> {
  for (const { id, writes, offer } of cluster.members) {
    if (writes.length > 0)
      yield { does: `the disk of ${id} writes`, costs: undefined, run: (now) => now.sync(id) };
    if (offer !== undefined)
      yield { does: `${id} fetches a snapshot`, costs: undefined, run: (now) => now.fetch(id) };
    for (let survive = 0; survive <= writes.length; survive += 1)
      yield {
        does: `${id} dies with ${survive} of ${writes.length} writes done, and starts again`,
        costs: 'crashes',
        run: (now) => {
          now.crash(id, survive);
          now.start(id);
        },
      };
  }
}

/** What members and their callers do by themselves. */
function* wishes(cluster: CoreCluster, spent: Spent): Generator<Action> {
  const others = (id: number): number[] =>
    cluster.members.map((each): number => each.id).filter((each) => each !== id);
  for (const { id, core } of cluster.members) {
    if (core === undefined) continue;
    if (core.standing.role !== 'leader') {
      yield { does: `${id} times out`, costs: 'elections', run: (now) => timeOut(now, id) };
      continue;
    }
    const name = `p${spent.proposals}`;
    yield {
      does: `${id} proposes ${name}`,
      costs: 'proposals',
      run: (now) => now.propose(id, name),
    };
    yield { does: `${id} reads`, costs: 'reads', run: (now) => now.read(id, spent.reads) };
    yield { does: `${id} beats`, costs: 'heartbeats', run: (now) => beat(now, id) };
    yield {
      does: `all connections to ${id} break`,
      costs: 'elections',
      run: (now) => {
        for (const other of others(id)) now.peerLost(other, id);
      },
    };
    yield {
      does: `${id} compacts`,
      costs: 'compactions',
      run: (now) => now.compact(id, now.member(id).appliedTo),
    };
    yield* changes(cluster, id);
  }
}

/** One voter goes, or whoever has no vote gets one. */
function* changes(cluster: CoreCluster, id: number): Generator<Action> {
  const { configuration } = cluster.core(id);
  if (isJoint(configuration)) return;
  const { voters, learners } = configuration;
  for (const { id: other } of cluster.members) {
    const isVoter = voters.includes(other);
    if (isVoter && voters.length === 1) continue;
    const after = isVoter ? voters.filter((each) => each !== other) : [...voters, other];
    const to = isVoter || learners.includes(other) ? after : voters;
    const learns = to === voters ? [...learners, other] : learners.filter((each) => each !== other);
    yield {
      does: `${id} changes the voters to ${to.join(' ')}${learns.map((each) => `, ${each} learns`).join('')}`,
      costs: 'changes',
      run: (now) => now.change(id, to, learns),
    };
  }
}
