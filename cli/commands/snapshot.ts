import { Command } from 'commander';
import type { SnapshotLine } from '../../src/storage/inspect.ts';
import { renderTable } from '../output/table.ts';
import type { Io } from './io.ts';
import {
  addClientOptions,
  addOutputOptions,
  type ClientFlags,
  type OutputFlags,
  withExamples,
} from './options.ts';
import { report, withClient } from './session.ts';
import { parseText } from './values.ts';

interface StatusFlags extends OutputFlags {
  readonly data: string;
}

/** `tocsin snapshot …`. Replicas take snapshots by themselves; this is for whoever wants one now. */
export function snapshotCommand(io: Io): Command {
  const group = new Command('snapshot')
    .description('take and look at snapshots')
    .usage('<command> [options]')
    .addCommand(saveCommand(io))
    .addCommand(statusCommand(io));
  return withExamples(group, [['tocsin snapshot save', 'now, on the replica that is asked']]);
}

function saveCommand(io: Io): Command {
  const command = new Command('save').description(
    'have the first replica of --endpoints take a snapshot of its state, in its data folder',
  );
  return withExamples(addClientOptions(command, '1m'), [
    ['tocsin snapshot save', 'a restart begins from it'],
  ]).action(async (flags: ClientFlags) => {
    await withClient(io, flags, async ({ client, endpoints, timeoutMs, signal }) => {
      const [endpoint = ''] = endpoints;
      const taken = await client.operator.snapshot(endpoint, { timeoutMs, signal });
      await report(io, flags, {
        value: taken,
        text: () =>
          `snapshot ${taken.id}: everything up to entry ${taken.index}, ${taken.bytes} bytes\n`,
      });
    });
  });
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
        renderTable<SnapshotLine>(
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
