import { Command } from 'commander';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';

/** `tocsin notification …`. */
export function notificationCommand(io: Io): Command {
  const group = new Command('notification')
    .description('who was told of which alert, and what became of it')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'notification',
        line: 'tocsin notification list',
        says: 'list notifications in the order in which they were made',
        none: 'notifications',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderNotifications(...view),
      }),
    );
  return withExamples(group, [['tocsin notification list', 'who was told']]);
}
