import { Command } from 'commander';
import { printable } from '../output/escape.ts';
import { addDangerOptions, type DangerFlags, mustConfirm } from './danger.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import { parseText } from './values.ts';

interface RecoverFlags extends OutputFlags, DangerFlags {
  readonly data: string;
  readonly acceptLoss?: boolean;
}

/** `tocsin recover`: when a majority is gone for good, or a replica that is alone has lost entries. */
export function recoverCommand(io: Io): Command {
  const command = new Command('recover')
    .description(
      'make one replica a cluster of its own, of whatever it holds: when a majority is gone for good',
    )
    .requiredOption('--data <folder>', 'its data folder; the replica must not run', parseText)
    .option('--accept-loss', 'go on although what it lacks is lost for good');
  return withExamples(addDangerOptions(addOutputOptions(command), 'the id of the cluster'), [
    ['tocsin recover --data ./r1 --dry-run', 'what it holds, and what is lost'],
    [
      'tocsin recover --data ./r1 --accept-loss --confirm 3f2a…',
      'after a question; the others must never run again',
    ],
  ]).action(async (flags: RecoverFlags) => {
    const found = await io.services.inspectFolder(flags.data);
    const { clusterId, replicaId } = found.identity;
    const lost = found.damage ?? 'nothing that it knows of';
    if (flags.dryRun === true) {
      await report(io, flags, {
        value: { clusterId, replicaId, last: found.last, lost: found.damage ?? null },
        text: () =>
          `replica ${replicaId} would go on alone, after entry ${found.last}; lost: ${printable(lost)}\n`,
      });
      return;
    }
    if (flags.acceptLoss !== true)
      throw usageError(
        `what replica ${replicaId} lacks would be lost for good`,
        `look first: tocsin recover --data ${shellQuote(flags.data)} --dry-run; then add --accept-loss`,
      );
    await mustConfirm(io, flags, {
      does: `makes replica ${replicaId} a cluster of its own, after entry ${found.last}; lost: ${lost}`,
      word: clusterId,
    });
    const done = await io.services.recoverFolder(flags.data, clusterId);
    await report(io, flags, {
      value: { clusterId, replicaId, last: done.last, lost: done.lost ?? null },
      text: () => textOf(flags.data, replicaId, done.last),
    });
  });
}

const textOf = (folder: string, replica: number, last: number): string =>
  [
    `replica ${replica} is a cluster of its own, which goes on after entry ${last}`,
    '',
    'start it, then format the others anew, under new numbers, and let them join:',
    `  tocsin serve --data ${shellQuote(folder)}`,
    '',
  ].join('\n');
