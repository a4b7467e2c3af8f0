import { readFileSync } from 'node:fs';
import { BugError } from '../../src/base/assert.ts';

/** Of this package, from the package.json above this file, which is nearer in a checkout than in a build. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const version = versionIn(new URL(path, import.meta.url));
    if (version !== undefined) return version;
  }
  throw new BugError('there is no package.json of tocsin above the command line');
}

function versionIn(file: URL): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const found: unknown = JSON.parse(text);
  const isOurs =
    typeof found === 'object' && found !== null && Reflect.get(found, 'name') === 'tocsin';
  const version: unknown = isOurs ? Reflect.get(found, 'version') : undefined;
  return typeof version === 'string' ? version : undefined;
}
