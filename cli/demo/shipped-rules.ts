import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../../src/base/errors.ts';

/**
 * Path of a rules file that comes with the package: one folder further up where this file is compiled.
 * @throws TocsinError BAD_RULES when it is not there
 */
export function shippedRules(name: string): string {
  for (const up of ['../..', '../../..']) {
    const path = fileURLToPath(new URL(`${up}/examples/rules/${name}`, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new TocsinError('BAD_RULES', `examples/rules/${name} is missing from this installation`);
}
