/**
 * Who may import whom. test/tidy.test.ts holds the sources against these tables; `npm run docs` prints them.
 */

/** The four that compute, and the vocabulary below them. */
const CORE = ['raft', 'statemachine', 'trend', 'analytics'];

/** Folders of src that compute: no clock, no chance, no I/O, no await, no module of Node. */
export const PURE: readonly string[] = CORE;

/** Folder of src → folders of src it may import, beside itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  raft: ['base'],
  statemachine: ['base'],
  trend: ['base'],
  analytics: ['base'],
  wire: ['base', ...CORE],
  security: ['base', 'wire'],
  observe: ['base', 'wire'],
  storage: ['base', 'raft', 'wire'],
  transport: ['base', 'wire'],
  oncall: ['base', 'statemachine'],
  notify: ['base', 'statemachine'],
  replica: [
    'base',
    ...CORE,
    'wire',
    'security',
    'observe',
    'storage',
    'transport',
    'oncall',
    'notify',
  ],
  client: ['base', 'statemachine', 'wire', 'transport', 'oncall'],
  testing: [
    'base',
    ...CORE,
    'wire',
    'security',
    'observe',
    'storage',
    'transport',
    'oncall',
    'notify',
    'replica',
    'client',
  ],
};

/** Folder of src → folders of which it may take types only. */
export const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { wire: CORE };

/** Top-level folder → top-level folders whose files it may import, beside its own. */
export const MAY_REACH: Readonly<Record<string, readonly string[]>> = {
  src: [],
  cli: ['src'],
  'jepsen-lite': ['src', 'cli'],
  bench: ['src', 'cli'],
  examples: ['src'],
  scripts: ['src', 'cli', 'test', 'bench'],
  test: ['src', 'cli', 'jepsen-lite', 'bench', 'examples', 'scripts'],
};

/** Third-party package, or a scope with a slash at its end → the only folders that may import it. */
export const DOORS: Readonly<Record<string, readonly string[]>> = {
  level: ['src/storage'],
  luxon: ['src/oncall'],
  'classic-level': ['src/storage'],
  'abstract-level': ['src/storage'],
  '@libp2p/': ['src/transport'],
  '@multiformats/': ['src/transport'],
  msgpackr: ['src/wire'],
  '@datadog/sketches-js': ['src/wire'],
  commander: ['cli', 'test/cli'],
  yaml: ['cli', 'test/cli'],
  zod: ['cli'],
  'hyparquet-writer': ['cli'],
  hyparquet: ['test'],
  'cli-table3': ['cli'],
  'cli-progress': ['cli'],
  benny: ['bench'],
  vite: ['test', 'scripts'],
  vitest: ['test', 'vitest.config.ts'],
  'fast-check': ['test'],
};

/** Files of src that may read a clock, set a timer or roll dice; everybody else is handed a Clock or a Prng. */
export const CLOCKS: readonly string[] = ['src/transport/system-clock.ts'];
