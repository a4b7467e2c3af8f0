import { type Command, InvalidArgumentError, type Option } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { isRepeatable } from '../input/repeatable.ts';
import { type Config, type Section, shownValue, type Value } from './config.ts';

/**
 * Every flag has a variable (`--expected-revision`: TOCSIN_EXPECTED_REVISION) and a key in the configuration
 * (`expected-revision`); one that means something else in its command than elsewhere names its variable, and the key goes by that. What is nearer to the caller wins: flag, a context that `--context` names, variable, `commands`,
 * the context in use, `defaults`, default.
 */

/** Where values come from besides the flags themselves. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: Config | undefined;
  /** The context in use. */
  readonly context: string | undefined;
  /** A flag of this call names it: whoever says which cluster must not reach another one. */
  readonly isContextGiven: boolean;
}

/** What a flag is worth that was not given. */
export interface Setting {
  readonly option: Option;
  readonly key: string;
  readonly variable: string;
  /** As it stands there; undefined = the default. */
  readonly text: Value | undefined;
  /** In words: `environment`, `context icu`, `default`. */
  readonly origin: string;
  /** Whose mistake a bad value is. */
  readonly code: 'USAGE' | 'BAD_CONFIG';
}

/** Flags that mean one call and no other. */
const GIVEN_ONLY: ReadonlySet<string> = new Set(['help', 'version', 'json', 'confirm']);

const PREFIX = 'TOCSIN_';

export const keyOf = ({ envVar, long = '', negate }: Option): string =>
  envVar === undefined
    ? long.replace(/^--/, '').replace(/^no-/, negate ? '' : 'no-')
    : envVar.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');

export const variableOf = (option: Option): string => variableFor(keyOf(option));

export const variableFor = (key: string): string =>
  `${PREFIX}${key.toUpperCase().replaceAll('-', '_')}`;

/** The flags of a command that can be set from elsewhere. */
export const settable = (command: Command): readonly Option[] =>
  command.options.filter((option) => !GIVEN_ONLY.has(keyOf(option)));

/** What each flag of a command is worth before it is given; `path` is the words that lead to it. */
export const settingsOf = (
  command: Command,
  path: string,
  surroundings: Surroundings,
): readonly Setting[] =>
  settable(command).map((option) => {
    const key = keyOf(option);
    const variable = variableOf(option);
    return { option, key, variable, ...findText(key, variable, path, surroundings) };
  });

function findText(
  key: string,
  variable: string,
  path: string,
  { env, config, context, isContextGiven }: Surroundings,
): Pick<Setting, 'text' | 'origin' | 'code'> {
  const inContext: readonly [string, Section | undefined] = [
    `context ${context ?? ''}`,
    context === undefined ? undefined : config?.contexts.get(context),
  ];
  const given = isContextGiven ? inContext[1]?.get(key) : undefined;
  if (given !== undefined) return { text: given, origin: inContext[0], code: 'BAD_CONFIG' };
  const named = env[variable] ?? '';
  if (named !== '') return { text: named, origin: 'environment', code: 'USAGE' };
  const sections: readonly (readonly [string, Section | undefined])[] = [
    [`commands.${path}`, config?.commands.get(path)],
    inContext,
    ['defaults', config?.defaults],
  ];
  for (const [origin, section] of sections) {
    const text = section?.get(key);
    if (text !== undefined) return { text, origin, code: 'BAD_CONFIG' };
  }
  return { text: undefined, origin: 'default', code: 'USAGE' };
}

/**
 * Gives the flags of a command their values from elsewhere, to be called before it parses. A flag that is then given
 * takes the place of such a value, also where it would otherwise add to it.
 * @throws TocsinError USAGE for a variable, BAD_CONFIG for the configuration
 */
export function applySettings(command: Command, settings: readonly Setting[]): void {
  for (const { option, ...setting } of settings) {
    if (setting.text === undefined) continue;
    const name = option.attributeName();
    const original: unknown = command.getOptionValue(name);
    const value = parseSetting(option, { option, ...setting });
    command.setOptionValueWithSource(name, value, 'config');
    const { parseArg } = option;
    if (parseArg === undefined) continue;
    option.argParser((text, before) => parseArg(text, before === value ? original : before));
  }
}

/** @throws TocsinError */
export function parseSetting(
  option: Option,
  { text = '', origin, key, code, ...rest }: Setting,
): unknown {
  const where = origin === 'environment' ? rest.variable : `${origin}: ${key}`;
  const fail = (why: string): TocsinError =>
    new TocsinError(code, `${where} ${JSON.stringify(text)} is invalid. ${why}`);
  const texts = typeof text === 'string' ? [text] : text;
  if (typeof text !== 'string' && !isRepeatable(option.parseArg))
    throw fail('It must be one value, not a list.');
  if (option.isBoolean()) {
    const [truth = ''] = texts;
    if (truth === 'true' || truth === 'false') return truth === 'true';
    throw fail('It must be true or false.');
  }
  const { parseArg } = option;
  if (parseArg === undefined) return shownValue(text);
  try {
    return texts.reduce<unknown>((before, one) => parseArg(one, before), undefined);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw fail(error.message);
    throw error;
  }
}
