import { Command } from 'commander';
import { type Candidate, complete, type Knowledge } from '../completion/complete.ts';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { NO_CONFIG, shownValue } from '../config/config.ts';
import { loadConfig, surroundingsOf } from '../config/surroundings.ts';
import { printable } from '../output/escape.ts';
import type { WholeProgram } from './config.ts';
import type { Io } from './io.ts';
import { ENDPOINT_DEFAULT, withExamples } from './options.ts';
import { oneOf, parseAddresses } from './values.ts';

/** `tocsin completion SHELL`: prints the script. */
export function completionCommand(io: Io): Command {
  const command = new Command('completion')
    .description('print a script that makes a shell complete commands, flags, alerts and contexts')
    .argument('<shell>', SHELLS.join(', '), oneOf<Shell>(SHELLS));
  return withExamples(command, [
    ['tocsin completion bash', 'the script itself says where it belongs'],
    ['tocsin completion zsh', 'for another shell'],
  ]).action((shell: Shell) => {
    io.stdout.write(SCRIPTS[shell]);
  });
}

/** `tocsin complete -- WORDS`: what the scripts ask. A candidate a line, a tab and what it means behind it. */
export function completeCommand(io: Io, wholeProgram: WholeProgram): Command {
  const command = new Command('complete')
    .description('print what may follow; asked by the scripts of tocsin completion')
    .argument('[words...]', 'after --: the words so far, the last one being written');
  return withExamples(command, [['tocsin complete -- alert li', 'what may follow']]).action(
    async (words: readonly string[]) => {
      const found = await complete(await wholeProgram(), words, knowledgeOf(io));
      for (const { word, says } of found)
        io.stdout.write(`${printable(word)}\t${printable(says.split(';')[0] ?? '')}\n`);
    },
  );
}

/** A shell waits for this, and so does somebody in front of it. */
const ASK_MS = 800;
const ALERTS_MAX = 50;

/** What cannot be found out is not suggested: a completion never fails. */
export const knowledgeOf =
  (io: Io): Knowledge =>
  async (what) => {
    try {
      return what === 'context' ? await contextsOf(io) : await openAlertsOf(io);
    } catch {
      return [];
    }
  };

async function contextsOf(io: Io): Promise<readonly Candidate[]> {
  const { contexts } = (await loadConfig(io)) ?? NO_CONFIG;
  return [...contexts].map(([word, section]) => ({
    word,
    says: shownValue(section.get('endpoints') ?? ''),
  }));
}

async function openAlertsOf(io: Io): Promise<readonly Candidate[]> {
  const { env, config, context } = await surroundingsOf(io, undefined);
  const section = context === undefined ? undefined : config?.contexts.get(context);
  const named = env['TOCSIN_ENDPOINTS'] || section?.get('endpoints');
  const endpoints = parseAddresses(
    shownValue(named ?? config?.defaults.get('endpoints') ?? ENDPOINT_DEFAULT),
  );
  const signal = AbortSignal.timeout(ASK_MS);
  const options = { endpoints, name: 'completion', timeoutMs: ASK_MS, signal };
  const client = await io.services.connect(options);
  try {
    const asked = { limit: ALERTS_MAX, consistency: 'local', timeoutMs: ASK_MS } as const;
    const { value } = await client.list({ open: true }, asked);
    return value.alerts.map(({ id, text, subject }) => ({
      word: id,
      says: subject.bed === undefined ? text : `${subject.bed}: ${text}`,
    }));
  } finally {
    await client.close();
  }
}
