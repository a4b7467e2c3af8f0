import { Command } from 'commander';
import { setOfRules } from '../../src/base/rules/listed-rules.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import type { Io } from '../commands/io.ts';
import {
  addClientOptions,
  addConsistencyOption,
  addOutputOptions,
  type OutputFlags,
  type ReadFlags,
  withExamples,
} from '../commands/options.ts';
import { readOptionsOf, report, withClient } from '../commands/session.ts';
import { parseText } from '../commands/values.ts';
import { addRecordOptions, keep, type WriteFlags } from '../commands/writing.ts';
import { renderTableOr } from '../output/table.ts';
import { addRule } from './add.ts';
import { getCommand, loadCommand, removeCommand } from './cluster-commands.ts';
import { explainRule } from './explain.ts';
import { rulesInForce } from './in-force.ts';
import { type RuleRow, ruleRows } from './rows.ts';
import { ruleTestCommand } from './test-command.ts';

/** `tocsin rule`: rules in force in a cluster, and rules as they stand in a file. */
export const ruleCommand = (io: Io): Command =>
  withExamples(
    new Command('rule').description(
      'put rules in force, look at them, explain, try and change them',
    ),
    [
      ['tocsin rule load ward.yaml', 'put the rules of a file in force on all replicas'],
      ['tocsin rule list', 'what is judged by'],
      ['tocsin rule test ward.yaml ./recordings', 'what would have alarmed'],
    ],
  )
    .addCommand(listCommand(io))
    .addCommand(explainCommand(io))
    .addCommand(ruleTestCommand(io))
    .addCommand(addCommand(io))
    .addCommand(loadCommand(io))
    .addCommand(getCommand(io))
    .addCommand(removeCommand(io));

const FILE = ['<file>', 'rules as JSON or YAML', parseText] as const;

function listCommand(io: Io): Command {
  const command = new Command('list')
    .description('list the rules in force, or those of a file')
    .argument(
      '[file]',
      'rules as JSON or YAML; without one: what the cluster judges by',
      parseText,
    );
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin rule list', 'what the replicas judge by'],
    ['tocsin rule list ward.yaml', 'what a file holds'],
    ['tocsin rule list -o json', 'for programs'],
  ]).action(async (file: string | undefined, flags: ReadFlags) => {
    if (file !== undefined) {
      const { loadRules } = await import('../input/rules-file.ts');
      await reportRules(io, flags, await loadRules(file), 'no rules in this file');
      return;
    }
    await withClient(io, flags, async (session) => {
      const rules = await rulesInForce(session.client, readOptionsOf(session, flags));
      const none =
        'no rules in force: each replica judges by the file that it was started with, if any';
      await reportRules(io, flags, setOfRules('cluster', rules), none);
    });
  });
}

async function reportRules(io: Io, flags: OutputFlags, set: RuleSet, none: string): Promise<void> {
  const rows = ruleRows(set);
  await report(io, flags, {
    value: { name: set.name, revision: set.revision, rules: rows },
    rows,
    text: (options) =>
      renderTableOr<RuleRow>(
        none,
        [
          { title: 'RULE', cell: ({ id }) => id },
          { title: 'VERSION', cell: ({ version }) => String(version), align: 'right', drop: 1 },
          { title: 'CONDITION', cell: ({ condition }) => condition },
          { title: 'PRIORITY', cell: ({ priority }) => priority },
          { title: 'WHEN', cell: ({ says }) => says, shrinkTo: 30 },
        ],
        rows,
        options,
      ),
  });
}

function explainCommand(io: Io): Command {
  const command = new Command('explain')
    .description('say in words what a rule waits for, and what its alert carries')
    .argument(...FILE)
    .argument('<rule>', 'its id', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin rule explain ward.yaml hr-high', 'one rule'],
    ['tocsin rule explain ward.yaml hr-high -o json', 'for programs'],
  ]).action(async (file: string, id: string, flags: OutputFlags) => {
    const { loadRules } = await import('../input/rules-file.ts');
    const explained = explainRule(await loadRules(file), id);
    await report(io, flags, {
      value: explained,
      text: () => `${explained.lines.join('\n')}\n`,
    });
  });
}

function addCommand(io: Io): Command {
  const command = new Command('add')
    .description(
      'put a rule in force, or into a file; one of its id that is there is replaced in force',
    )
    .argument('[file]', 'put it there instead, and raise the revision that alerts name', parseText)
    .requiredOption('--rule <map>', 'as it would stand in a file, in YAML or JSON', parseText);
  const drift = '{ id: hr-drift, metric: HR, kind: cusum, slack: 0.5, limit: 8, priority: low }';
  return withExamples(addRecordOptions(command), [
    [`tocsin rule add --rule '${drift}'`, 'in force on all replicas'],
    [`tocsin rule add ward.yaml --rule '${drift}'`, 'into a file'],
  ]).action(async (file: string | undefined, flags: WriteFlags & { readonly rule: string }) => {
    if (file === undefined) {
      const { parseRule } = await import('../input/rules-file.ts');
      const rule = parseRule(flags.rule, '--rule');
      await keep(io, flags, (client, said, options) =>
        client.keep({ type: 'set-rule', rule, ...said }, options),
      );
      return;
    }
    const { id, revision } = await addRule(io.files, file, flags.rule);
    await report(io, flags, {
      value: { file, id, revision },
      text: () => `${file}: rule ${id} added, revision ${revision}\n`,
    });
  });
}
