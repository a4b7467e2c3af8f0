import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import type { EntryLine, FolderReport } from '../../src/storage/inspect.ts';
import { renderPairs } from '../output/pairs.ts';
import { renderTableOr } from '../output/table.ts';
import { Exit } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';
import { parseText, whole } from './values.ts';

interface LogFlags extends OutputFlags {
  readonly data: string;
}
interface DumpFlags extends LogFlags {
  readonly from: number;
  readonly to: number;
}

const DAMAGED = 1;
const ENTRIES_SHOWN = 1_000;
const INDEX_MAX = Number.MAX_SAFE_INTEGER;

/** `tocsin log …`: looks at the log of a replica that does not run. */
export function logCommand(io: Io): Command {
  const group = new Command('log')
    .description('look at the log of a replica that does not run')
    .usage('<command> [options]')
    .addCommand(verifyCommand(io))
    .addCommand(dumpCommand(io));
  return withExamples(group, [['tocsin log verify --data ./r1', 'is everything there?']]);
}

function verifyCommand(io: Io): Command {
  const command = new Command('verify')
    .description('verify every record, the chain through all of them, and the newest snapshot')
    .requiredOption('--data <folder>', 'the data folder', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin log verify --data ./r1', 'exit status 1 if something is lost'],
  ]).action(async (flags: LogFlags) => {
    const found = await io.services.inspectFolder(flags.data);
    await report(io, flags, {
      value: found,
      text: ({ paint }) => renderPairs(pairsOf(found), paint),
    });
    if (found.damage !== undefined) throw new Exit(DAMAGED);
  });
}

const pairsOf = (found: FolderReport): readonly (readonly [string, string | undefined])[] => [
  ['cluster', found.identity.clusterId],
  ['replica', `${found.identity.replicaId}, incarnation ${found.identity.incarnation}`],
  ['term', `${found.term}, vote for ${found.vote ?? 'nobody'}`],
  ['entries', found.last === found.base ? 'none' : `${found.base + 1} to ${found.last}`],
  ['committed', `${found.commit} or more`],
  ...found.snapshots.map(({ id, index, bytes, chunks }): readonly [string, string] => [
    'snapshot',
    `${id}: up to entry ${index}, ${bytes} bytes in ${chunks} chunks`,
  ]),
  ['abstains', found.abstains ? 'until it has heard of a later term' : undefined],
  ['lost', found.damage],
];

function dumpCommand(io: Io): Command {
  const command = new Command('dump')
    .description('list the entries')
    .requiredOption('--data <folder>', 'the data folder', parseText)
    .option('--from <index>', 'from this entry on', whole(1, INDEX_MAX), 1)
    .option('--to <index>', 'up to this one', whole(1, INDEX_MAX), INDEX_MAX);
  return withExamples(addOutputOptions(command), [
    ['tocsin log dump --data ./r1 --from 100 --to 120', 'twenty of them'],
    ['tocsin log dump --data ./r1 -o jsonl', 'a line each, for programs'],
  ]).action(async (flags: DumpFlags) => {
    const rows: EntryLine[] = [];
    for await (const entry of io.services.dumpLog(flags.data, flags.from, flags.to)) {
      if (rows.length === ENTRIES_SHOWN)
        throw new TocsinError('USAGE', `more than ${ENTRIES_SHOWN} entries: name --from and --to`);
      rows.push(entry);
    }
    await report(io, flags, {
      value: rows,
      rows,
      text: (options) =>
        renderTableOr<EntryLine>(
          'no entries there: tocsin log verify says which the log holds',
          [
            { title: 'INDEX', cell: ({ index }) => String(index), align: 'right' },
            { title: 'TERM', cell: ({ term }) => String(term), align: 'right' },
            { title: 'KIND', cell: ({ kind }) => kind },
            { title: 'TIME', cell: ({ time }) => new Date(time).toISOString() },
            { title: 'COMMANDS', cell: ({ commands }) => String(commands), align: 'right' },
            { title: 'BYTES', cell: ({ bytes }) => String(bytes), align: 'right' },
          ],
          rows,
          options,
        ),
    });
  });
}
