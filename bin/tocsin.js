#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A checkout carries scripts/, an installed package does not: there dist/ is complete already.
const prepareFile = new URL('../scripts/prepare.mjs', import.meta.url);
if (existsSync(prepareFile)) {
  const { prepare, requireNode } = await import(prepareFile.href);
  const { fileURLToPath } = await import('node:url');
  requireNode();
  try {
    await prepare(fileURLToPath(new URL('..', import.meta.url)));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
await import('../dist/cli/main.js');
