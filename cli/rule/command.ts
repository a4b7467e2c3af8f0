import { Command } from 'commander';
import type { Io } from '../commands/io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { parseText } from '../commands/values.ts';
import { renderTable } from '../output/table.ts';
import { addRule } from './add.ts';
import { explainRule } from './explain.ts';
import { type RuleRow, ruleRows } from './rows.ts';
import { ruleTestCommand } from './test-command.ts';

/** `tocsin rule`: rules as they stand in a file. */
export const ruleCommand = (io: Io): Command =>
  withExamples(new Command('rule').description('look at rules, explain, try and change them'), [
    ['tocsin rule list ward.yaml', 'what is judged'],
    ['tocsin rule test ward.yaml ./recordings', 'what would have alarmed'],
  ])
    .addCommand(listCommand(io))
    .addCommand(explainCommand(io))
    .addCommand(ruleTestCommand(io))
    .addCommand(addCommand(io));

const FILE = ['<file>', 'rules as JSON or YAML', parseText] as const;

function listCommand(io: Io): Command {
  const command = new Command('list').description('list the rules of a file').argument(...FILE);
  return withExamples(addOutputOptions(command), [
    ['tocsin rule list ward.yaml', 'as a table'],
    ['tocsin rule list ward.yaml -o json', 'for programs'],
  ]).action(async (file: string, flags: OutputFlags) => {
    const { loadRules } = await import('../input/rules-file.ts');
    const set = await loadRules(file);
    const rows = ruleRows(set);
    await report(io, flags, {
      value: { name: set.name, revision: set.revision, rules: rows },
      rows,
      text: (options) =>
        renderTable<RuleRow>(
          [
            { title: 'RULE', cell: ({ id }) => id },
            { title: 'CONDITION', cell: ({ condition }) => condition },
            { title: 'PRIORITY', cell: ({ priority }) => priority },
            { title: 'WHEN', cell: ({ says }) => says, shrinkTo: 30 },
          ],
          rows,
          options,
        ),
    });
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
    .description('put a rule into a file, and raise the revision that alerts name')
    .argument(...FILE)
    .requiredOption('--rule <map>', 'as it would stand in the file, in YAML or JSON', parseText);
  return withExamples(addOutputOptions(command), [
    [
      "tocsin rule add ward.yaml --rule '{ id: hr-drift, metric: HR, kind: cusum, slack: 0.5, limit: 8, priority: low }'",
      'a rule about a trend',
    ],
  ]).action(async (file: string, flags: OutputFlags & { readonly rule: string }) => {
    const { id, revision } = await addRule(io.files, file, flags.rule);
    await report(io, flags, {
      value: { file, id, revision },
      text: () => `${file}: rule ${id} added, revision ${revision}\n`,
    });
  });
}
