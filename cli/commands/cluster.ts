import { Command } from 'commander';
import { MEANING, TocsinError } from '../../src/base/errors.ts';
import type { ReplicaStatus } from '../../src/wire/status.ts';
import {
  type ClusterView,
  clusterJson,
  type MemberView,
  membersJson,
  viewCluster,
} from '../output/cluster.ts';
import { Exit } from './failure.ts';
import type { Io } from './io.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, type Session, withClient } from './session.ts';

/** `tocsin cluster …`. */
export function clusterCommand(io: Io): Command {
  const group = new Command('cluster')
    .description('look at the replicas')
    .usage('<command> [options]')
    .addCommand(statusCommand(io));
  return withExamples(group, [['tocsin cluster status', 'who leads, who trails, who is away']]);
}

/** Asks every member, reached or not. */
function statusCommand(io: Io): Command {
  const command = new Command('status').description(
    'show every member of the cluster; exit status 6 if a majority knows no leader',
  );
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin cluster status', 'who leads, who trails, who is away'],
    ['tocsin cluster status -o json', 'for programs'],
  ]).action(async (flags: ClientFlags) => {
    await withClient(io, flags, async (session) => {
      const view = await askEverybody(session);
      const { renderCluster } = await import('../output/cluster-table.ts');
      await report(io, flags, {
        value: clusterJson(view),
        rows: membersJson(view),
        text: (options) => renderCluster(view, options),
      });
      // The table has said it already.
      if (view.leader === undefined) throw new Exit(MEANING.UNAVAILABLE.exit);
    });
  });
}

type Asked = { readonly address: string } & (
  | { readonly status: ReplicaStatus }
  | { readonly problem: unknown }
);

/** First the addresses at hand, then the members they name that were not among them. */
async function askEverybody(session: Session): Promise<ClusterView> {
  const near = await askAll(session, session.endpoints);
  const first = near.flatMap((one) => ('status' in one ? [one.status] : []))[0];
  if (first === undefined) throw nobodyAnswered(near);
  const isOurs = (status: ReplicaStatus): boolean => status.clusterId === first.clusterId;
  const known = new Map<number, ReplicaStatus>();
  for (const one of near)
    if ('status' in one && isOurs(one.status)) known.set(one.status.replicaId, one.status);
  const unknown = first.members.filter(({ id }) => !known.has(id));
  const far = await askAll(
    session,
    unknown.map(({ address }) => address),
  );
  const members = first.members.map(({ id, address }): MemberView => {
    const status = known.get(id);
    if (status !== undefined) return { id, address, status, problem: undefined };
    const asked = far.find((one) => one.address === address);
    if (asked === undefined) return { id, address, status: undefined, problem: 'was not asked' };
    if ('problem' in asked)
      return { id, address, status: undefined, problem: sentenceOf(asked.problem) };
    if (isOurs(asked.status) && asked.status.replicaId === id)
      return { id, address, status: asked.status, problem: undefined };
    const found = `replica ${asked.status.replicaId} of cluster ${asked.status.clusterId}`;
    return { id, address, status: undefined, problem: `${found} answers at ${address}` };
  });
  return viewCluster(first.clusterId, members);
}

const askAll = (session: Session, addresses: readonly string[]): Promise<readonly Asked[]> =>
  Promise.all(addresses.map((address) => ask(session, address)));

async function ask({ client, timeoutMs, signal }: Session, address: string): Promise<Asked> {
  try {
    return { address, status: await client.status(address, { timeoutMs, signal }) };
  } catch (problem) {
    signal.throwIfAborted();
    if (!TocsinError.is(problem)) throw problem;
    return { address, problem };
  }
}

const sentenceOf = (problem: unknown): string =>
  TocsinError.is(problem) ? `${problem.code}: ${problem.message}` : String(problem);

function nobodyAnswered(asked: readonly Asked[]): TocsinError {
  const reasons = asked.flatMap((one) =>
    'problem' in one ? [`${one.address}: ${sentenceOf(one.problem)}`] : [],
  );
  return new TocsinError('UNAVAILABLE', `no replica answered: ${reasons.join('; ')}`);
}
