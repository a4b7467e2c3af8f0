import { Command } from 'commander';
import type { TocsinError } from '../../src/base/errors.ts';
import { printable } from '../output/escape.ts';
import { streamRenderer } from '../output/stream.ts';
import { withHint } from './failure.ts';
import type { Io, ServedReplica } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { watchInterrupts } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import { parseHexId, parseText } from './values.ts';

interface ServeFlags extends OutputFlags {
  readonly data: string;
  readonly cluster?: string;
  readonly listen?: string;
}

/** `tocsin serve`: runs one replica until it is told to end, or a fault ends it. */
export function serveCommand(io: Io): Command {
  const command = new Command('serve')
    .description('run one replica; Ctrl-C or SIGTERM ends it in order, a second one at once')
    .requiredOption('--data <folder>', 'its data folder, made by tocsin format', parseText)
    .option('--cluster <id>', 'refuse the folder if it belongs to another cluster', parseHexId)
    .option(
      '--listen <address>',
      'listen here instead of at the address the members know',
      parseText,
    );
  return withExamples(addOutputOptions(command), [
    ['tocsin serve --data ./r1', 'run the replica in ./r1'],
    ['tocsin serve --data ./r1 --listen /ip4/0.0.0.0/tcp/7400', 'listen on all interfaces'],
  ]).action(async (flags: ServeFlags) => {
    let stop: () => void = () => {};
    const stopping = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const patience = watchInterrupts(io, (count) => {
      stop();
      return count > 1;
    });
    try {
      await Promise.race([serve(io, flags, stopping), patience.isOver]);
    } catch (error) {
      throw withHint(error, (known) => hintOf(known, flags));
    } finally {
      patience.dispose();
    }
  });
}

async function serve(io: Io, flags: ServeFlags, stopping: Promise<void>): Promise<void> {
  const { data: folder, cluster, listen } = flags;
  const replica = await io.services.startReplica({
    folder,
    log: (line) => io.stderr.write(`${printable(line)}\n`),
    ...(cluster === undefined ? {} : { clusterId: cluster }),
    ...(listen === undefined ? {} : { listen: (await io.services.parseAddress(listen)).text }),
  });
  await announce(io, flags, replica);
  const isFirst = await Promise.race([replica.closed.then(() => false), stopping.then(() => true)]);
  if (isFirst) await replica.close();
  const fault = await replica.closed;
  if (fault !== undefined) throw fault;
}

/** One line, whatever the form, so that whoever waits for it knows when it is complete. */
async function announce(
  io: Io,
  flags: ServeFlags,
  { identity, address }: ServedReplica,
): Promise<void> {
  const { clusterId, replicaId } = identity;
  const forms = {
    value: () => ({ event: 'listening', clusterId, replicaId, address }),
    columns: ['event', 'clusterId', 'replicaId', 'address'],
    text: () => `replica ${replicaId} of cluster ${clusterId} listens on ${address}\n`,
  };
  const render = await streamRenderer(forms, flags.output);
  io.stdout.write(render(undefined));
}

function hintOf({ code }: TocsinError, { data }: ServeFlags): string | undefined {
  switch (code) {
    case 'DATA_MISSING':
      return [
        'a new replica is formatted once, before it first runs:',
        `tocsin format --data ${shellQuote(data)} --replica N --members 1=ADDRESS,… --cluster ID`,
        'tocsin cluster status shows the cluster id; if this replica ran before, look for its disk first',
      ].join('\n');
    case 'DATA_LOCKED':
      return 'is another tocsin serve running on this folder?';
    case 'DATA_OTHER_CLUSTER':
      return 'name the right folder with --data, or leave --cluster out to take the folder as it is';
    case 'DATA_CORRUPT':
      return 'do not delete anything: keep a copy of the folder; the other members go on without this one';
    case 'ADDRESS_IN_USE':
      return 'is another tocsin serve running? --listen names another address';
    default:
      return undefined;
  }
}
