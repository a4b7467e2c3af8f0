import { Command } from 'commander';
import { SHELL_HISTORY_MAX } from '../../src/base/limits.ts';
import { complete } from '../completion/complete.ts';
import type { Lines } from '../shell/lines.ts';
import { Shell } from '../shell/shell.ts';
import { knowledgeOf } from './completion.ts';
import type { WholeProgram } from './config.ts';
import { Exit } from './failure.ts';
import type { Io, RunLine } from './io.ts';
import { addOutputOptions, withExamples } from './options.ts';

/** `tocsin shell`: many commands over one connection. */
export function shellCommand(io: Io, wholeProgram: WholeProgram, run: RunLine): Command {
  const command = new Command('shell').description(
    'type commands without the first word, with history and completion; or take them from standard input',
  );
  return withExamples(addOutputOptions(command), [
    ['tocsin shell', 'type .help there; from a file, the first command that fails ends it'],
  ]).action(async () => {
    const path = historyPath(io.env);
    const isInteractive = io.stdin.isTTY && io.stdout.isTTY;
    const program = await wholeProgram();
    const lines = await io.services.readLines({
      history: isInteractive ? await readHistory(io, path) : [],
      complete: async (line) => {
        const found = await complete(program, line.trimStart().split(/\s+/), knowledgeOf(io));
        return found.map(({ word }) => word);
      },
    });
    try {
      if (isInteractive) io.stdout.write('type .help, or a command: alert list; Ctrl-D leaves\n');
      const status = await new Shell({ io, lines, run, isInteractive }).play();
      if (status !== 0) throw new Exit(status);
    } finally {
      if (isInteractive) await writeHistory(io, path, lines);
      lines.close();
    }
  });
}

function historyPath(env: Io['env']): string | undefined {
  const state = env['XDG_STATE_HOME'] ?? '';
  if (state !== '') return `${state}/tocsin/history`;
  const home = env['HOME'] ?? '';
  return home === '' ? undefined : `${home}/.local/state/tocsin/history`;
}

/** A history that cannot be read or written is no reason to fail. */
async function readHistory(io: Io, path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  const text = await io.files.read(path).catch(() => undefined);
  return (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, SHELL_HISTORY_MAX);
}

async function writeHistory(io: Io, path: string | undefined, { history }: Lines): Promise<void> {
  if (path === undefined) return;
  const text = `${history.slice(0, SHELL_HISTORY_MAX).join('\n')}\n`;
  await io.files.write(path, text).catch(() => {});
}
