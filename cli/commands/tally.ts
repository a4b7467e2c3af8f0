import { Command } from 'commander';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';

/** `tocsin tally …`: what happened by day and unit. */
export function tallyCommand(io: Io): Command {
  const group = new Command('tally')
    .description('alarms by day and unit, counted for longer than their history is kept')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'tally',
        line: 'tocsin tally list',
        says: 'list the counts of today, then those of earlier days (UTC), the oldest first',
        none: 'counts',
        render: async (...view) =>
          (await import('../output/tally-table.ts')).renderTallies(...view),
      }),
    );
  return withExamples(group, [['tocsin tally list', 'how many, how soon, and how many in vain']]);
}
