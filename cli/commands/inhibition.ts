import { Command } from 'commander';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { parseText, parseTextList, whole } from './values.ts';
import { addRecordOptions, keep, type WriteFlags } from './writing.ts';

/** `tocsin inhibition …`: which alerts explain which others of the same device. */
export function inhibitionCommand(io: Io): Command {
  const group = new Command('inhibition')
    .description(
      'inhibitions: alerts that explain others of the same device, which stay in every list',
    )
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'inhibition',
        line: 'tocsin inhibition list',
        says: 'list the rules in force; a new cluster begins with the clinical defaults',
        none: 'rules of inhibition',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderInhibitions(...view),
      }),
    )
    .addCommand(setCommand(io))
    .addCommand(removeCommand(io))
    .addCommand(restoreCommand(io));
  return withExamples(group, [
    ['tocsin inhibition list', 'what explains what'],
    ['tocsin inhibition set co2-off --source CO2:INOP --target CO2: --target RR:', 'a new rule'],
    ['tocsin inhibition restore', 'the clinical defaults, and no others'],
  ]);
}

interface SetFlags extends WriteFlags {
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly ifVersion?: number;
}

function setCommand(io: Io): Command {
  const command = new Command('set')
    .description('make a rule, or its next version; it never reaches beyond one device')
    .argument('<id>', 'name of the rule', parseText)
    .requiredOption(
      '--source <conditions>',
      'conditions that explain, with commas; the flag may be repeated',
      parseTextList,
    )
    .requiredOption(
      '--target <beginnings>',
      'how the conditions begin that it explains, as HR:, with commas; the flag may be repeated',
      parseTextList,
    )
    .option(
      '--if-version <number>',
      'only if it is at this version; 0 = if there is none',
      whole(0),
    );
  return withExamples(addRecordOptions(command), [
    [
      'tocsin inhibition set co2-off --source CO2:INOP --target CO2: --target RR:',
      'a sensor that is off explains what it measures',
    ],
  ]).action(async (id: string, flags: SetFlags) => {
    const { source: sources, target: targets, ifVersion: expectedVersion } = flags;
    const guard = expectedVersion === undefined ? {} : { expectedVersion };
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'set-inhibition', id, sources, targets, ...guard, ...said }, options),
    );
  });
}

function removeCommand(io: Io): Command {
  const command = new Command('remove')
    .description('remove a rule; what it alone explained is audible again')
    .argument('<id>', 'name of the rule', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin inhibition remove asystole', 'a low heart rate sounds beside an asystole'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'remove-inhibition', id, ...said }, options),
    );
  });
}

function restoreCommand(io: Io): Command {
  const command = new Command('restore').description(
    'bring the clinical defaults back, and remove every other rule',
  );
  return withExamples(addRecordOptions(command), [
    ['tocsin inhibition restore', 'as in a new cluster'],
  ]).action(async (flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'restore-inhibitions', ...said }, options),
    );
  });
}
