import { type Command, Option } from 'commander';
import { type Revision, revision } from '../../src/base/ids.ts';
import type { Consistency } from '../../src/statemachine/alert-api.ts';
import { FORMATS, type Format } from '../output/formats.ts';
import { oneOf, parseAddresses, parseDuration, parseText, whole } from './values.ts';

/** The flags that several commands share, and the shape of a command's help. */

export interface OutputFlags {
  readonly output: Format;
  readonly color: boolean;
}

export interface ClientFlags extends OutputFlags {
  readonly endpoints?: readonly string[];
  readonly timeout: number;
  readonly actor?: string;
}

export interface ReadFlags extends ClientFlags {
  readonly consistency: Extract<Consistency, string>;
  /** Milliseconds. */
  readonly maxAge?: number;
  readonly minRevision?: Revision;
}

/** How fresh an answer has to be, as the flags say. */
export function consistencyOf({ consistency, maxAge, minRevision }: ReadFlags): Consistency {
  if (maxAge === undefined && minRevision === undefined) return consistency;
  return {
    ...(maxAge === undefined ? {} : { maxAgeMs: maxAge }),
    ...(minRevision === undefined ? {} : { minRevision }),
  };
}

export const ENDPOINT_DEFAULT = '/ip4/127.0.0.1/tcp/7400';

const outputOption = (): Option =>
  new Option('-o, --output <format>', FORMATS.join(', '))
    .argParser(oneOf<Format>(FORMATS))
    .default('table');

export const addOutputOptions = (command: Command): Command =>
  command
    .addOption(outputOption())
    .option('--no-color', 'without colour (also: NO_COLOR, TERM=dumb)');

/** A short way to `-o jsonl`: one line when all is done. */
export const addJsonOption = (command: Command): Command =>
  command.addOption(
    new Option('--json', 'one line of JSON: the same as -o jsonl').implies({ output: 'jsonl' }),
  );

/** A flag for a length of time, whose default help shows as it would be written. */
export const durationOption = (flags: string, says: string, otherwise: string): Option =>
  new Option(flags, says).argParser(parseDuration).default(parseDuration(otherwise), otherwise);

export function addClientOptions(command: Command, timeout: string): Command {
  return addOutputOptions(command)
    .option(
      '--endpoints <addresses>',
      `replicas to ask, with commas between them (default: ${ENDPOINT_DEFAULT})`,
      parseAddresses,
    )
    .addOption(durationOption('--timeout <duration>', 'how long to wait for an answer', timeout))
    .option('--actor <name>', 'who asks (default: the login name)', parseText)
    .option('--context <name>', 'settings under this name: tocsin context list', parseText);
}

export const addConsistencyOption = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--consistency <level>',
        'linearizable sees every write answered before, lease too, by the leader’s clock; local is what one replica has, at once',
      )
        .argParser(oneOf<Extract<Consistency, string>>(['linearizable', 'lease', 'local']))
        .default('linearizable'),
    )
    .addOption(
      new Option('--max-age <duration>', 'any replica answers whose state is no older than this')
        .argParser(parseDuration)
        .conflicts('consistency'),
    )
    .addOption(
      new Option('--min-revision <number>', 'and has seen this revision')
        .argParser((text) => revision(whole(0)(text)))
        .conflicts('consistency'),
    );

/** A command line, and what it is for. */
export type Example = readonly [line: string, purpose: string];

/** Of the narrowest terminal that is usual. */
const COLUMNS = 80;

/** Puts examples at the very beginning of the help. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const oneLine = examples.every(([, purpose]) => width + purpose.length + 4 <= COLUMNS);
  const lines = examples.map(([line, purpose]) =>
    oneLine ? `  ${line.padEnd(width)}  ${purpose}` : `  # ${purpose}\n  ${line}`,
  );
  return command.addHelpText('before', `Examples:\n${lines.join('\n')}\n`);
}
