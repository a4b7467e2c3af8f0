/** What a configuration file says, checked for its shape; the values are texts until a flag takes them. */
export interface Config {
  readonly path: string;
  /** The context in use where no flag and no variable names one. */
  readonly context: string | undefined;
  /** The one before it. */
  readonly previous: string | undefined;
  readonly contexts: ReadonlyMap<string, Section>;
  readonly defaults: Section;
  /** By the words of the command: `alert list`. */
  readonly commands: ReadonlyMap<string, Section>;
}

/** Keys of flags, and their values as a command line would have them. */
export type Section = ReadonlyMap<string, Value>;

/** A list is what a flag is given that is repeated. */
export type Value = string | readonly string[];

/** For people. */
export const shownValue = (value: Value): string =>
  typeof value === 'string' ? value : value.join(',');

type Env = Readonly<Record<string, string | undefined>>;

/** Where the configuration of this user is, or would be; undefined where there is no home. */
export function configPath(env: Env): string | undefined {
  const named = env['TOCSIN_CONFIG'] ?? '';
  if (named !== '') return named;
  const home = env['HOME'] ?? '';
  const folder = env['XDG_CONFIG_HOME'] ?? '';
  if (folder !== '') return `${folder}/tocsin/config.yaml`;
  return home === '' ? undefined : `${home}/.config/tocsin/config.yaml`;
}

export const NO_CONFIG: Omit<Config, 'path'> = {
  context: undefined,
  previous: undefined,
  contexts: new Map(),
  defaults: new Map(),
  commands: new Map(),
};
