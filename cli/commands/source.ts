import { Command } from 'commander';
import type { Priority } from '../../src/statemachine/types.ts';
import { PRIORITIES } from '../../src/wire/commands/words.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { betweenCommas, oneOf, parseText } from './values.ts';
import { addRecordOptions, keep, parseSeconds, type WriteFlags } from './writing.ts';

/** `tocsin source …`. */
export function sourceCommand(io: Io): Command {
  const group = new Command('source')
    .description('sources of alerts, and whether they have been heard from')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'source',
        line: 'tocsin source list',
        says: 'list the sources; lost ones have left their alerts stale',
        none: 'sources',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderSources(...view),
      }),
    )
    .addCommand(beatCommand(io))
    .addCommand(retireCommand(io));
  return withExamples(group, [
    ['tocsin source list', 'who is missed'],
    ['tocsin source beat mon-3 --lease 10s', 'it is there, for ten seconds'],
    ['tocsin source retire mon-3', 'out of service'],
  ]);
}

interface BeatFlags extends WriteFlags {
  readonly lease: number;
  readonly priority?: Priority;
  readonly present?: string;
}

function beatCommand(io: Io): Command {
  const command = new Command('beat')
    .description('say that a source is there, and for how long that holds')
    .argument('<source>', 'its name: the device of its alerts', parseText)
    .requiredOption('--lease <duration>', 'it is lost unless it beats again by then', parseSeconds)
    .option('--priority <priority>', 'of the alert that says it is lost', oneOf(PRIORITIES))
    .option(
      '--present <keys>',
      'dedup keys of what it sees now, with commas: its other conditions are gone',
    );
  return withExamples(addRecordOptions(command), [
    ['tocsin source beat mon-3 --lease 10s', 'a heartbeat'],
    ['tocsin source beat mon-3 --lease 10s --present bed:B12:HR:HI', 'and all that it sees'],
  ]).action(async (source: string, flags: BeatFlags) => {
    const { priority } = flags;
    const present = flags.present === undefined ? undefined : betweenCommas(flags.present);
    await keep(io, flags, (client, said, options) =>
      client.keep(
        {
          type: 'heartbeat',
          source,
          leaseSeconds: flags.lease,
          ...(priority === undefined ? {} : { priority }),
          ...(present === undefined ? {} : { present }),
          ...said,
        },
        options,
      ),
    );
  });
}

function retireCommand(io: Io): Command {
  const command = new Command('retire')
    .description('take a source out of service: it is missed no longer')
    .argument('<source>', 'its name', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin source retire mon-3', 'the monitor was taken away'],
  ]).action(async (source: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'retire-source', source, ...said }, options),
    );
  });
}
