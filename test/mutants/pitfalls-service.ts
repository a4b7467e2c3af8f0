import type { Mutant } from './mutant.ts';

/** Mistakes that other engines made, put back around agreement: disk, shell, wire, machine. */
export const SERVICE_PITFALL_MUTANTS: readonly Mutant[] = [
  {
    name: 'go-on-after-a-failed-write',
    claim: 'a failed write is never taken for done',
    file: 'src/replica/disk-writer.ts',
    find: '(error: unknown) => this.#fail(error),',
    replace: '() => this.#completed(entries.at(-1)?.index, after),',
    killedBy: ['test/replica/disk-writer.test.ts'],
    test: 'after a failed write nothing more is released',
  },
  {
    name: 'write-two-at-a-time',
    claim: 'writes become durable in the order they were taken',
    file: 'src/replica/disk-writer.ts',
    find: 'if (this.#writing || this.#hardState === undefined) return;',
    replace: 'if (this.#hardState === undefined) return;',
    killedBy: ['test/replica/disk-writer.test.ts'],
  },
  {
    name: 'wait-for-a-hanging-disk',
    claim: 'a leader whose disk hangs steps aside within a bound',
    file: 'src/replica/disk-writer.ts',
    find: 'if (this.#ticks === DISK_WRITE_TICKS_MAX)',
    replace: 'if (this.#ticks === Number.MAX_SAFE_INTEGER)',
    killedBy: ['test/replica/replica.test.ts'],
    test: 'a leader whose disk hangs steps aside',
  },
  {
    name: 'reign-on-after-a-stall',
    claim: 'a leader that stood still lets go',
    file: 'src/replica/stall-guard.ts',
    find: 'if (late < STALL_MS_MAX) return undefined;',
    replace: 'if (late < Number.MAX_SAFE_INTEGER) return undefined;',
    killedBy: ['test/replica/health.test.ts'],
    test: 'a leader that stood still',
  },
  {
    name: 'pass-over-what-is-not-known',
    claim: 'an entry of a later program halts, it is not skipped',
    file: 'src/wire/commands.ts',
    find: '    checkKnown(body, at);\n',
    replace: '',
    killedBy: ['test/replica/applier.test.ts'],
    test: 'a command of a',
  },
  {
    name: 'throw-at-a-poisonous-command',
    claim: 'applying is total: nonsense is refused alike on all replicas',
    file: 'src/wire/commands.ts',
    find: 'command: decoder.decodeOrUndefined(at, length),',
    replace: 'command: decoder.decode(at, length),',
    killedBy: ['test/replica/applier.test.ts'],
    test: 'an entry that carries nonsense',
  },
  {
    name: 'fold-labels-as-written',
    claim: 'what is the same on all machines gives the same digest',
    file: 'src/statemachine/digest.ts',
    find: 'const names = Object.keys(labels).sort();',
    replace: 'const names = Object.keys(labels);',
    killedBy: ['test/statemachine/digest.test.ts'],
    test: 'no field can differ without a trace the order in which labels',
  },
  {
    name: 'hand-out-a-shared-buffer',
    claim: 'encoded bytes do not change when others are encoded',
    file: 'src/wire/body.ts',
    find: 'packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));\n\n/**\n * The value',
    replace:
      'const SLAB = Buffer.allocUnsafeSlow(SLAB_BYTES);\nconst encode = packr.encode.bind(packr);\n' +
      'packr.encode = (value) => {\n  packr.useBuffer(SLAB);\n  return encode(value);\n};\n\n/**\n * The value',
    killedBy: ['test/wire/body.test.ts'],
    test: 'a body encoded before does not change',
  },
];
