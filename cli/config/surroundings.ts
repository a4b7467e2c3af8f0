import { TocsinError } from '../../src/base/errors.ts';
import type { Io } from '../commands/io.ts';
import { didYouMean } from '../input/suggest.ts';
import { type Config, configPath } from './config.ts';
import type { Surroundings } from './settings.ts';

/** The configuration of this user; undefined where there is none. @throws TocsinError BAD_CONFIG */
export async function loadConfig(io: Io): Promise<Config | undefined> {
  const path = configPath(io.env);
  const text = path === undefined ? undefined : await io.files.read(path);
  if (path === undefined || text === undefined) {
    if (path !== undefined && path === io.env['TOCSIN_CONFIG'])
      throw new TocsinError('BAD_CONFIG', `TOCSIN_CONFIG names ${path}, which is not there`);
    return undefined;
  }
  const { parseConfig } = await import('./config-file.ts');
  return parseConfig(text, path);
}

/** Everything but flags that decides what flags are worth. `named` is the value of --context. @throws TocsinError */
export async function surroundingsOf(io: Io, named: string | undefined): Promise<Surroundings> {
  const config = await loadConfig(io);
  const fromEnv = io.env['TOCSIN_CONTEXT'] ?? '';
  const context = named ?? (fromEnv === '' ? config?.context : fromEnv);
  if (context !== undefined && config?.contexts.has(context) !== true) {
    const known = [...(config?.contexts.keys() ?? [])];
    throw new TocsinError(
      'BAD_CONFIG',
      `there is no context ${context}${didYouMean(context, known)}`,
    );
  }
  return { env: io.env, config, context, isContextGiven: named !== undefined };
}
