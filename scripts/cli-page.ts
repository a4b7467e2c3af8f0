import type { Io, Output } from '../cli/commands/io.ts';
import { buildWholeProgram } from '../cli/commands/program.ts';
import { run } from '../cli/commands/run.ts';
import { SERVICES } from '../cli/commands/services.ts';
import { pathsOf } from '../cli/config/tree.ts';

/** The reference of the command line: what `--help` says of each command, in the order of the help. */
export async function cliPage(): Promise<string> {
  const paths = pathsOf(await buildWholeProgram(quietIo()));
  const sections: string[] = [];
  for (const path of paths) {
    const text = await helpOf(path);
    sections.push(`## ${['tocsin', ...path].join(' ')}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\``);
  }
  return [
    'What `--help` says, command by command. Every flag has a variable, `--expected-revision` is TOCSIN_EXPECTED_REVISION, ' +
      'and a key in the configuration, `expected-revision`. What is nearer to the caller wins: flag, the context that ' +
      '`--context` names, variable, the section `commands`, the context in use, the section `defaults`. `tocsin config show --origin` tells what comes from where.',
    ...sections,
  ].join('\n\n');
}

async function helpOf(path: readonly string[]): Promise<string> {
  const io = quietIo();
  const status = await run([...path, '--help'], io);
  if (status !== 0) throw new Error(`tocsin ${path.join(' ')} --help ended with ${status}`);
  return io.stdout.text;
}

class Text implements Output {
  readonly isTTY = false;
  readonly columns = undefined;
  text = '';

  write(text: string): void {
    this.text += text;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

/** A world in which nothing is there: help must not depend on any. */
const quietIo = (): Io & { readonly stdout: Text } => ({
  stdout: new Text(),
  stderr: new Text(),
  stdin: { isTTY: false, readLine: () => Promise.resolve(undefined) },
  env: {},
  isJournaled: false,
  wall: () => 0,
  loginName: () => 'somebody',
  onInterrupt: () => () => {},
  outputGone: new AbortController().signal,
  files: { read: () => Promise.resolve(undefined), write: () => Promise.resolve() },
  services: SERVICES,
});
