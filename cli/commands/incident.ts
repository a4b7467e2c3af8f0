import { Command } from 'commander';
import type { IncidentId } from '../../src/statemachine/beside/incidents.ts';
import type { AlertId, Priority } from '../../src/statemachine/types.ts';
import { PRIORITIES } from '../../src/wire/commands/words.ts';
import { repeatable } from '../input/repeatable.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { oneOf, parseAlertId, parseText, parseTexts, whole } from './values.ts';
import { addRecordOptions, keep, type WriteFlags } from './writing.ts';

/** `tocsin incident …`. */
export function incidentCommand(io: Io): Command {
  const group = new Command('incident')
    .description('incidents: alerts that belong together, and what was done about them')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'incident',
        line: 'tocsin incident list',
        says: 'list the incidents, open ones first; -o json has their timelines',
        none: 'incidents',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderIncidents(...view),
      }),
    )
    .addCommand(openCommand(io))
    .addCommand(changeCommand(io))
    .addCommand(reviewCommand(io));
  return withExamples(group, [
    ['tocsin incident list', 'what is going on'],
    ["tocsin incident open 'Power failure in icu-2' --severity high", 'a new one'],
    ['tocsin incident change C3 --add A1042 --note on-site', 'it goes on'],
    ["tocsin incident review C3 --root-cause 'fuse' --action 'second feed'", 'what was learned'],
  ]);
}

interface IncidentFlags extends WriteFlags {
  readonly severity?: Priority;
  readonly commander?: string;
  readonly add?: readonly AlertId[];
  readonly remove?: readonly AlertId[];
  readonly note?: string;
  readonly close?: boolean;
  readonly ifVersion?: number;
  readonly rootCause?: string;
  readonly action?: readonly string[];
}

const parseAlertIds = repeatable((text: string, before: readonly AlertId[] = []) => [
  ...before,
  ...text.split(',').map((one) => parseAlertId(one.trim())),
]);

const given = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };

function openCommand(io: Io): Command {
  const command = new Command('open')
    .description('open an incident')
    .argument('<title>', 'what it is, in a few words', parseText)
    .requiredOption('--severity <severity>', 'high, medium, low or none', oneOf(PRIORITIES))
    .option('--commander <name>', 'who leads', parseText)
    .option('--add <ids>', 'alerts that belong to it, with commas', parseAlertIds);
  return withExamples(addRecordOptions(command), [
    [
      "tocsin incident open 'Power failure in icu-2' --severity high --add A1042,A1043",
      'with its alerts',
    ],
  ]).action(async (title: string, flags: IncidentFlags) => {
    const { severity = 'none', commander, add = [] } = flags;
    await keep(io, flags, (client, said, options) =>
      client.keep(
        {
          type: 'open-incident',
          title,
          severity,
          ...given('commander', commander),
          alerts: add,
          ...said,
        },
        options,
      ),
    );
  });
}

const addVersionOption = (command: Command): Command =>
  command.option(
    '--if-version <number>',
    'refuse unless the incident is at this version',
    whole(1),
  );

function changeCommand(io: Io): Command {
  const command = new Command('change')
    .description('change an incident; everything is noted in its timeline')
    .argument('<id>', 'incident id such as C3', parseText)
    .option('--severity <severity>', 'high, medium, low or none', oneOf(PRIORITIES))
    .option('--commander <name>', 'who leads', parseText)
    .option('--add <ids>', 'alerts that belong to it, with commas', parseAlertIds)
    .option('--remove <ids>', 'alerts that do not', parseAlertIds)
    .option('--note <text>', 'a line for the timeline', parseText)
    .option('--close', 'it is over');
  return withExamples(addRecordOptions(addVersionOption(command)), [
    ['tocsin incident change C3 --commander anna', 'who leads'],
    ["tocsin incident change C3 --note 'mains are back' --close", 'it is over'],
  ]).action(async (id: string, flags: IncidentFlags) => {
    const { severity, commander, add, remove, note, close, ifVersion } = flags;
    await keep(io, flags, (client, said, options) =>
      client.keep(
        {
          type: 'change-incident',
          id: id as IncidentId,
          ...given('expectedVersion', ifVersion),
          ...given('severity', severity),
          ...given('commander', commander),
          ...given('add', add),
          ...given('remove', remove),
          ...given('note', note),
          ...given('close', close),
          ...said,
        },
        options,
      ),
    );
  });
}

function reviewCommand(io: Io): Command {
  const command = new Command('review')
    .description('write down what was learned, also when the incident is closed')
    .argument('<id>', 'incident id such as C3', parseText)
    .requiredOption('--root-cause <text>', 'why it happened', parseText)
    .option('--action <text>', 'what will be done; repeat the flag for more', parseTexts);
  return withExamples(addRecordOptions(addVersionOption(command)), [
    ["tocsin incident review C3 --root-cause 'fuse' --action 'second feed'", 'one action'],
  ]).action(async (id: string, flags: IncidentFlags) => {
    const { rootCause = '', action: actions = [], ifVersion } = flags;
    await keep(io, flags, (client, said, options) =>
      client.keep(
        {
          type: 'change-incident',
          id: id as IncidentId,
          ...given('expectedVersion', ifVersion),
          review: { rootCause, actions },
          ...said,
        },
        options,
      ),
    );
  });
}
