import { Command } from 'commander';
import { type Code, TocsinError } from '../../src/base/errors.ts';
import { replicaId } from '../../src/base/ids.ts';
import type { Identity, Member } from '../../src/storage/types.ts';
import { printable } from '../output/escape.ts';
import { usageError, withHint } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import {
  type MemberText,
  parseAddresses,
  parseHexId,
  parseMembers,
  parseReplicaId,
  parseText,
} from './values.ts';

export interface FormatFlags extends OutputFlags {
  readonly data: string;
  readonly replica: number;
  readonly members: readonly MemberText[];
  readonly cluster?: string;
  readonly join?: readonly string[];
}

/** Who is to live in a new folder. */
export const addFormatOptions = (command: Command): Command =>
  command
    .requiredOption('--data <folder>', 'where its data is to be: new or empty', parseText)
    .requiredOption('--replica <id>', 'its number, one of those in --members', parseReplicaId)
    .requiredOption('--members <list>', 'all members: 1=ADDRESS,2=ADDRESS,3=ADDRESS', parseMembers)
    .option(
      '--cluster <id>',
      'cluster id, the same for all members (default: a new one)',
      parseHexId,
    );

/** `tocsin format`: makes the data folder of one new replica. */
export function formatCommand(io: Io): Command {
  const command = new Command('format').description(
    'make the data folder of a new replica; touches nothing that is there',
  );
  addFormatOptions(command).option(
    '--join <addresses>',
    'replicas of a cluster that is there: it has a part in it once it is added; --members names itself alone',
    parseAddresses,
  );
  return withExamples(addOutputOptions(command), [
    [
      'tocsin format --data ./r1 --replica 1 --members 1=/ip4/10.0.0.1/tcp/7400,2=/ip4/10.0.0.2/tcp/7400,3=/ip4/10.0.0.3/tcp/7400',
      'the first member draws a cluster id',
    ],
    [
      'tocsin format --data ./r2 --replica 2 --members … --cluster 3f2a…',
      'the others are given the id that the first one printed',
    ],
    [
      'tocsin format --data ./r4 --replica 4 --members 4=/ip4/10.0.0.4/tcp/7400 --join /ip4/10.0.0.1/tcp/7400',
      'a fourth one; then tocsin serve, and tocsin cluster add',
    ],
  ]).action(async (flags: FormatFlags) => {
    const identity = await identityOf(io, flags);
    try {
      await io.services.formatFolder(flags.data, identity);
    } catch (error) {
      throw withHint(error, ({ code }) => HINTS[code]);
    }
    const { clusterId, members } = identity;
    await report(io, flags, {
      value: { folder: flags.data, clusterId, replicaId: flags.replica, members },
      text: () => textOf(flags, identity),
    });
  });
}

const HINTS: Readonly<Partial<Record<Code, string>>> = {
  DATA_EXISTS:
    'name another folder; to start over, move this one away first: a wiped disk is a new member',
};

/** Who is to live in a new folder, as the flags say. @throws TocsinError USAGE, BAD_ADDRESS */
export async function identityOf(io: Io, flags: FormatFlags): Promise<Identity> {
  const { members: listed, replica, cluster } = flags;
  if (!listed.some(({ id }) => id === replica))
    throw usageError(
      `replica ${replica} is not in --members`,
      `add ${replica}=ADDRESS to --members`,
    );
  const members: Member[] = [];
  for (const { id, address } of listed) {
    const { text, port } = await io.services.parseAddress(address);
    if (port === 0)
      throw new TocsinError('BAD_ADDRESS', `${text} has port 0, where nobody finds replica ${id}`);
    members.push({ id: replicaId(id), address: text });
  }
  if (flags.join !== undefined) return await joinerOf(io, flags, flags.join, members);
  const drawn = await io.services.draw();
  return {
    clusterId: cluster ?? drawn.clusterId,
    replicaId: replicaId(replica),
    incarnation: drawn.incarnation,
    members,
  };
}

/** Who joins is told who is there, and has no part in it yet. */
async function joinerOf(
  io: Io,
  { replica, cluster, members: listed }: FormatFlags,
  endpoints: readonly string[],
  own: readonly Member[],
): Promise<Identity> {
  if (listed.length > 1)
    throw usageError('--members names others', 'with --join it names the new replica alone');
  const { signal } = new AbortController();
  const limits = { timeoutMs: JOIN_MS, signal };
  const client = await io.services.connect({ endpoints, name: 'tocsin format', ...limits });
  try {
    const { clusterId, members: others } = await client.status(undefined, limits);
    if (cluster !== undefined && cluster !== clusterId)
      throw new TocsinError('WRONG_CLUSTER', `that is cluster ${clusterId}, not ${cluster}`);
    if (others.some(({ id }) => id === replica))
      throw usageError(`there is a replica ${replica} already`, 'numbers are never used again');
    const { incarnation } = await io.services.draw();
    const members = [...others.map(({ id, address }) => ({ id, address })), ...own];
    members.sort((a, b) => a.id - b.id);
    return { clusterId, replicaId: replicaId(replica), incarnation, members, joining: true };
  } finally {
    await client.close();
  }
}

const JOIN_MS = 5_000;

function textOf(flags: FormatFlags, identity: Identity): string {
  const { clusterId, members, replicaId: self } = identity;
  const lines = [
    `formatted ${printable(flags.data)}: replica ${self} of cluster ${clusterId}`,
    '',
    'start it:',
    `  tocsin serve --data ${shellQuote(flags.data)}`,
  ];
  const others = members.filter(({ id }) => id !== self);
  const own = members.find(({ id }) => id === self);
  if (identity.joining === true) {
    lines.push('', 'and while it runs, let it in:');
    lines.push(`  tocsin cluster add ${shellQuote(own?.address ?? '')} --promote`, '');
    return lines.join('\n');
  }
  if (flags.cluster === undefined && others.length > 0) {
    const list = members.map(({ id, address }) => `${id}=${address}`).join(',');
    lines.push('', 'format the other members with the same cluster id:');
    for (const { id } of others)
      lines.push(
        `  tocsin format --data FOLDER --replica ${id} --members ${shellQuote(list)} --cluster ${clusterId}`,
      );
  }
  return `${lines.join('\n')}\n`;
}
