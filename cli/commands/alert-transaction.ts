import { Command } from 'commander';
import { unixMillis } from '../../src/base/ids.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { readText } from './text-file.ts';
import { parseText } from './values.ts';
import { addRecordOptions, keep, type WriteFlags } from './writing.ts';

interface TransactionFlags extends WriteFlags {
  readonly file: string;
}

/** `tocsin alert transaction`: several commands about alerts, beds, patients and devices, all of them or none. */
export function transactionCommand(io: Io): Command {
  const command = new Command('transaction')
    .description('do several commands together, or none: about alerts, beds, patients and devices')
    .requiredOption(
      '-f, --file <path>',
      'guards and commands as YAML or JSON; - is standard input',
      parseText,
    );
  return withExamples(addRecordOptions(command), [
    ['tocsin alert transaction -f examples/handover.yaml', 'if every guard holds'],
    ['tocsin alert transaction -f examples/swap-beds.yaml', 'two patients change places'],
    ['tocsin alert transaction -f -', 'from standard input'],
  ]).action(async (flags: TransactionFlags) => {
    const { parseTransaction } = await import('../input/transaction-file.ts');
    const text = await readText(io, flags.file);
    let done = '';
    await keep(
      io,
      flags,
      (client, said, options) => {
        const { actor, observedAt = unixMillis(io.wall()) } = said;
        const asked = parseTransaction(text, flags.file, { actor, observedAt });
        done = `done, all together: ${asked.commands.map(({ type }) => type).join(', ')}\n`;
        return client.keep({ type: 'transaction', ...asked, actor, observedAt }, options);
      },
      () => done,
    );
  });
}
