import { Command } from 'commander';
import type { Io } from '../commands/io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { parseText } from '../commands/values.ts';
import { type Column, renderTable, type TableOptions } from '../output/table.ts';
import type { RuleCount, Trial, TrialRow } from './trial.ts';

interface TestFlags extends OutputFlags {
  readonly rule?: string;
  readonly summary?: boolean;
}

/** `tocsin rule test`: rules over recordings, without a cluster. */
export function ruleTestCommand(io: Io): Command {
  const command = new Command('test')
    .description('run rules over a folder of recordings and show what would have alarmed')
    .argument('<file>', 'rules as JSON or YAML', parseText)
    .argument('<folder>', 'holds recordings named bidmc_NN_Numerics.csv', parseText)
    .option('--rule <id>', 'show this rule only', parseText)
    .option('--summary', 'show how often each rule would have alarmed, and nothing else');
  return withExamples(addOutputOptions(command), [
    ['tocsin rule test ward.yaml ./recordings', 'every start and end'],
    ['tocsin rule test ward.yaml ./recordings --summary', 'alarms a patient-hour'],
  ]).action(async (file: string, folder: string, flags: TestFlags) => {
    const { loadRules } = await import('../input/rules-file.ts');
    const { findRecordings } = await import('../input/recordings.ts');
    const { tryRules } = await import('./trial.ts');
    const trial = await tryRules(await loadRules(file), await findRecordings(folder));
    const isShown = ({ rule }: { readonly rule: string }): boolean =>
      flags.rule === undefined || rule === flags.rule;
    const rows = trial.rows.filter(isShown);
    const counts = trial.counts.filter(isShown);
    await report(io, flags, {
      value: { patientHours: trial.patientHours, counts, rows: flags.summary ? [] : rows },
      rows: flags.summary ? counts : rows,
      text: (options) => textOf({ ...trial, rows, counts }, flags, options),
    });
  });
}

const ROWS: readonly Column<TrialRow>[] = [
  { title: 'PATIENT', cell: ({ patient }) => patient },
  { title: 'SECOND', cell: ({ seconds }) => `${seconds}`, align: 'right' },
  { title: 'CONDITION', cell: ({ condition }) => condition },
  { title: 'PHASE', cell: ({ phase }) => phase },
  { title: 'VALUE', cell: ({ value }) => (value === null ? '-' : `${value}`), align: 'right' },
  { title: 'RULE', cell: ({ rule }) => rule },
];

const COUNTS: readonly Column<RuleCount>[] = [
  { title: 'RULE', cell: ({ rule }) => rule },
  { title: 'STARTS', cell: ({ starts }) => `${starts}`, align: 'right' },
  { title: 'PATIENTS', cell: ({ patients }) => `${patients}`, align: 'right' },
  {
    title: 'A PATIENT-HOUR',
    cell: ({ startsPerPatientHour }) => startsPerPatientHour.toFixed(2),
    align: 'right',
  },
];

function textOf(trial: Trial, { summary }: TestFlags, options: TableOptions): string {
  const counts = renderTable(COUNTS, trial.counts, options);
  const hours = options.paint('dim', `${trial.patientHours.toFixed(2)} patient-hours`);
  if (summary || trial.rows.length === 0) return `${counts}${hours}\n`;
  return `${renderTable(ROWS, trial.rows, options)}\n${counts}${hours}\n`;
}
