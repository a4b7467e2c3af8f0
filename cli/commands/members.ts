import { TocsinError } from '../../src/base/errors.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import { type ClusterView, type MemberView, viewCluster } from '../output/cluster.ts';
import type { Session } from './session.ts';

type Asking = Pick<Session, 'client' | 'endpoints' | 'timeoutMs' | 'signal'>;

type Asked = { readonly address: string } & (
  | { readonly status: ReplicaStatus }
  | { readonly problem: unknown }
);

/** What every member says of itself: first the addresses at hand, then the members they name that were not among them. */
export async function askEverybody(session: Asking): Promise<ClusterView> {
  const near = await askAll(session, session.endpoints);
  const told = near.flatMap((one) => ('status' in one ? [one.status] : []));
  // Who waits to be added knows of no members.
  const first = told.find(({ members }) => members.length > 0) ?? told[0];
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

const askAll = (session: Asking, addresses: readonly string[]): Promise<readonly Asked[]> =>
  Promise.all(addresses.map((address) => ask(session, address)));

async function ask({ client, timeoutMs, signal }: Asking, address: string): Promise<Asked> {
  try {
    return { address, status: await client.status(address, { timeoutMs, signal }) };
  } catch (problem) {
    signal.throwIfAborted();
    if (!TocsinError.is(problem)) throw problem;
    return { address, problem };
  }
}

/** A code and what it says. */
export const sentenceOf = (problem: unknown): string =>
  TocsinError.is(problem) ? `${problem.code}: ${problem.message}` : String(problem);

function nobodyAnswered(asked: readonly Asked[]): TocsinError {
  const reasons = asked.flatMap((one) =>
    'problem' in one ? [`${one.address}: ${sentenceOf(one.problem)}`] : [],
  );
  return new TocsinError('UNAVAILABLE', `no replica answered: ${reasons.join('; ')}`);
}
