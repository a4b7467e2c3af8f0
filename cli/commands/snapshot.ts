import { Command } from 'commander';
import type { SnapshotLine } from '../../src/storage/inspect.ts';
import type { Identity } from '../../src/storage/types.ts';
import { printable } from '../output/escape.ts';
import { renderTableOr } from '../output/table.ts';
import { addDangerOptions, type DangerFlags, mustConfirm } from './danger.ts';
import { addFormatOptions, type FormatFlags, identityOf } from './format.ts';
import type { Io } from './io.ts';
import {
  addClientOptions,
  addOutputOptions,
  type ClientFlags,
  type OutputFlags,
  withExamples,
} from './options.ts';
import { report, withClient } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import { parseText } from './values.ts';

interface StatusFlags extends OutputFlags {
  readonly data: string;
}

/** `tocsin snapshot …`. Replicas take snapshots by themselves; this is for whoever wants one now. */
export function snapshotCommand(io: Io): Command {
  const group = new Command('snapshot')
    .description('take, keep, look at and restore snapshots')
    .usage('<command> [options]')
    .addCommand(saveCommand(io))
    .addCommand(restoreCommand(io))
    .addCommand(statusCommand(io));
  return withExamples(group, [
    ['tocsin snapshot save', 'now, on the replica that is asked'],
    ['tocsin snapshot save monday.tocsin', 'and a copy of it here'],
  ]);
}

function saveCommand(io: Io): Command {
  const command = new Command('save')
    .description(
      'have the first replica of --endpoints take a snapshot of its state, in its data folder',
    )
    .argument('[file]', 'and copy it into this file, to be restored from', parseText);
  return withExamples(addClientOptions(command, '1m'), [
    ['tocsin snapshot save', 'a restart begins from it'],
    ['tocsin snapshot save monday.tocsin', 'a backup, whole or not there at all'],
  ]).action(async (file: string | undefined, flags: ClientFlags) => {
    await withClient(io, flags, async ({ client, endpoints, timeoutMs, signal }) => {
      const [endpoint = ''] = endpoints;
      const { operator } = client;
      const taken = await operator.snapshot(endpoint, { timeoutMs, signal });
      if (file !== undefined) {
        const { clusterId } = await client.status(endpoint, { timeoutMs, signal });
        await io.services.writeBackup(file, clusterId, (chunk) =>
          operator.snapshotPart(endpoint, taken.id, chunk, { timeoutMs, signal }),
        );
      }
      const where = file === undefined ? '' : `, in ${printable(file)} too`;
      await report(io, flags, {
        value: { ...taken, ...(file === undefined ? {} : { file }) },
        text: () =>
          `snapshot ${taken.id}: everything up to entry ${taken.index}, ${taken.bytes} bytes${where}\n`,
      });
    });
  });
}

type RestoreFlags = FormatFlags & DangerFlags;

function restoreCommand(io: Io): Command {
  const command = new Command('restore')
    .description(
      'make the data folder of a member of a new cluster that begins with the state in a file of snapshot save; once for each member, from the same file',
    )
    .argument('<file>', 'what snapshot save has written', parseText);
  addFormatOptions(command);
  return withExamples(addDangerOptions(addOutputOptions(command), 'the id of the snapshot'), [
    [
      'tocsin snapshot restore monday.tocsin --data ./r1 --replica 1 --members 1=/ip4/10.0.0.1/tcp/7400 --dry-run',
      'what the file holds, all of it verified',
    ],
    [
      'tocsin snapshot restore monday.tocsin --data ./r2 --replica 2 --members 1=…,2=…,3=… --cluster 3f2a… --confirm 9041-7-ab…',
      'the others are given the id of the cluster that the first one printed',
    ],
  ]).action(async (file: string, flags: RestoreFlags) => {
    const found = await io.services.examineBackup(file);
    const says = `snapshot ${found.id} of cluster ${found.clusterId}: ${found.openAlerts} open alerts at revision ${found.revision}, ${found.bytes} bytes, whole`;
    if (flags.dryRun === true) {
      await report(io, flags, { value: found, text: () => `${says}\n` });
      return;
    }
    const identity = await identityOf(io, flags);
    const { clusterId, members } = identity;
    await mustConfirm(io, flags, {
      does: `makes ${flags.data} a member of the new cluster ${clusterId}, which begins with ${says}`,
      word: found.id,
    });
    await io.services.restoreFolder(flags.data, file, identity);
    await report(io, flags, {
      value: { ...found, folder: flags.data, clusterId, replicaId: flags.replica, members },
      text: () => restoredText(file, flags, identity, found.id),
    });
  });
}

function restoredText(
  file: string,
  { data, replica }: RestoreFlags,
  { clusterId, members }: Identity,
  snapshot: string,
): string {
  const list = members.map(({ id, address }) => `${id}=${address}`).join(',');
  const others = members.filter(({ id }) => id !== replica);
  return [
    `restored ${printable(data)}: replica ${replica} of the new cluster ${clusterId}`,
    ...(others.length === 0 ? [] : ['', 'restore the other members from the same file:']),
    ...others.map(
      ({ id }) =>
        `  tocsin snapshot restore ${shellQuote(file)} --data FOLDER --replica ${id} --members ${shellQuote(list)} --cluster ${clusterId} --confirm ${snapshot}`,
    ),
    '',
    'then start each of them:',
    `  tocsin serve --data ${shellQuote(data)}`,
    '',
  ].join('\n');
}

function statusCommand(io: Io): Command {
  const command = new Command('status')
    .description('list the snapshots of a replica that does not run')
    .requiredOption('--data <folder>', 'its data folder', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin snapshot status --data ./r1', 'the newest first'],
  ]).action(async (flags: StatusFlags) => {
    const { snapshots } = await io.services.inspectFolder(flags.data);
    await report(io, flags, {
      value: snapshots,
      rows: snapshots,
      text: (options) =>
        renderTableOr<SnapshotLine>(
          'no snapshots yet',
          [
            { title: 'ID', cell: ({ id }) => id },
            { title: 'UP TO', cell: ({ index }) => String(index), align: 'right' },
            { title: 'BYTES', cell: ({ bytes }) => String(bytes), align: 'right' },
            { title: 'CHUNKS', cell: ({ chunks }) => String(chunks), align: 'right' },
          ],
          snapshots,
          options,
        ),
    });
  });
}
