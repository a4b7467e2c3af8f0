import { Command } from 'commander';
import type { SessionId } from '../../src/statemachine/beside/sessions.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { parseText } from './values.ts';
import { addRecordOptions, keep, type WriteFlags } from './writing.ts';

/** `tocsin session …`. */
export function sessionCommand(io: Io): Command {
  const group = new Command('session')
    .description('sessions of clients: whose commands are carried out once, and until when')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'session',
        line: 'tocsin session list',
        says: 'list the sessions, and the replies they may keep',
        none: 'sessions of clients',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderSessions(...view),
      }),
    )
    .addCommand(endCommand(io));
  return withExamples(group, [
    ['tocsin session list', 'which clients have one'],
    ['tocsin session end X9', 'of a client that is gone for good'],
  ]);
}

function endCommand(io: Io): Command {
  const command = new Command('end')
    .description('end a session before it expires; a client that still has it opens another')
    .argument('<id>', 'session id such as X9', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin session end X9', 'room for another one'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'end-session', id: id as SessionId, ...said }, options),
    );
  });
}
