import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { type Verdict, verdictsOf } from '../doctor/verdicts.ts';
import { printable } from '../output/escape.ts';
import type { Paint } from '../output/paint.ts';
import type { Column } from '../output/table.ts';
import { Exit } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, durationOption, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';
import { parseText } from './values.ts';

interface DoctorFlags extends OutputFlags {
  readonly data: string;
  readonly duration: number;
  readonly timeServer?: string;
}

/** `tocsin doctor`: is this machine fit for a replica? */
export function doctorCommand(io: Io): Command {
  const command = new Command('doctor')
    .description(
      'measure whether this machine is fit for a replica: disk, loop, clock, limits; exit status 1 if something FAILs',
    )
    .option('--data <folder>', 'on the disk that is to hold the data', parseText, '.')
    .addOption(durationOption('--duration <duration>', 'how long to measure', '2s'))
    .option('--time-server <host>', 'compare the clock with this NTP server', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin doctor --duration 500ms', 'of the disk of this folder'],
    [
      'tocsin doctor --data /var/lib/tocsin --time-server ntp.hospital.example',
      'with the clock compared',
    ],
  ]).action(async (flags: DoctorFlags) => {
    const { measure } = await import('../doctor/probes.ts');
    const { data: folder, duration: durationMs, timeServer } = flags;
    let verdicts: readonly Verdict[];
    try {
      verdicts = verdictsOf(await measure({ folder, durationMs, timeServer }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TocsinError('USAGE', `${folder} cannot be measured: ${why}`, { cause: error });
    }
    const { renderTable } = await import('../output/table.ts');
    await report(io, flags, {
      value: verdicts,
      rows: verdicts,
      text: (options) => renderTable(columnsOf(options.paint), verdicts, options),
    });
    if (verdicts.some(({ is }) => is === 'FAIL')) throw new Exit(1);
  });
}

const columnsOf = (paint: Paint): readonly Column<Verdict>[] => [
  {
    title: 'VERDICT',
    cell: ({ is }) => paint(is === 'PASS' ? 'good' : is === 'WARN' ? 'medium' : 'bad', is),
  },
  { title: 'WHAT', cell: ({ what }) => what },
  { title: 'FOUND', cell: ({ found }) => printable(found), shrinkTo: 20 },
  { title: 'WANTED', cell: ({ wanted }) => wanted, shrinkTo: 20 },
];
