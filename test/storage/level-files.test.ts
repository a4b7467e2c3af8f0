import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { crc32c, masked } from '../../src/storage/level/crc32c.ts';
import { findFileDamage } from '../../src/storage/level/level-files.ts';
import { findLogDamage, logDamage, readLogRecords } from '../../src/storage/level/level-log.ts';
import { readManifest } from '../../src/storage/level/level-manifest.ts';
import { findTableDamage, tableDamage } from '../../src/storage/level/level-table.ts';
import { emptyLogEnd, endOfAll, entriesAfter, hard, writing } from './entries.ts';
import { identity, remove, temporaryFolder } from './folders.ts';

/** RFC 3720, appendix B.4, and the usual check value. */
test.each([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['rising', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['falling', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('CRC-32C of %s', (_what, bytes, expected) => {
  expect(crc32c(bytes, 0, bytes.byteLength)).toBe(expected);
});

test('CRC-32C goes on where it was left, at any place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, place) => {
      const middle = Math.min(place, bytes.length);
      const whole = crc32c(bytes, 0, bytes.length);
      expect(crc32c(bytes, middle, bytes.length, crc32c(bytes, 0, middle))).toBe(whole);
    }),
  );
});

describe("LevelDB's files", () => {
  let root = '';
  let raft = '';
  let table: Buffer;
  let log: Buffer;

  const only = async (pattern: RegExp): Promise<Buffer> => {
    const names = (await readdir(raft)).filter((name) => pattern.test(name)).sort();
    return readFile(join(raft, names.at(-1)!));
  };

  beforeAll(async () => {
    root = await temporaryFolder();
    const path = join(root, 'data');
    raft = join(path, 'raft');
    await formatFolder(path, identity);
    const first = entriesAfter(emptyLogEnd, 1, [100, 5000, 300, 2000, 40]);
    await inLife(path, (store) => store.write(writing(first, hard(1))));
    await inLife(path, async (store) => {
      // One write within a block, one over three blocks, one within a block again.
      for (const size of [100, 70_000, 50]) {
        const more = entriesAfter(endOfAll(first), 1, [size]);
        await store.write(writing(more, hard(1)));
        first.push(...more);
      }
    });
    [table, log] = [await only(/\.ldb$/), await only(/\.log$/)];
  });
  afterAll(() => remove(root));

  async function inLife(
    path: string,
    use: (store: Awaited<ReturnType<typeof openFolder>>['store']) => Promise<void>,
  ): Promise<void> {
    const { store } = await openFolder(path);
    try {
      await store.load();
      await use(store);
    } finally {
      await store.close();
    }
  }

  const flipped = (bytes: Uint8Array, bit: number): Buffer => {
    const other = Buffer.from(bytes);
    other[bit >> 3]! ^= 1 << (bit & 7);
    return other;
  };

  test('as LevelDB wrote them they are whole', async () => {
    expect(table.byteLength).toBeGreaterThan(7000);
    expect(log.byteLength).toBeGreaterThan(70_000);
    expect(findTableDamage(table)).toBeUndefined();
    expect(findLogDamage(log)).toBeUndefined();
    expect(await findFileDamage(raft)).toBeUndefined();
  });

  test('they can be verified a block at a time', () => {
    expect([...logDamage(log)].length).toBe(Math.ceil(log.byteLength / 32_768) - 1);
    expect([...tableDamage(table)].length).toBeGreaterThan(1);
  });

  test('a bit flipped in any byte of a table is damage', () => {
    for (let at = 0; at < table.byteLength; at += 1)
      expect(findTableDamage(flipped(table, at * 8 + (at % 8))), `byte ${at}`).toBeDefined();
  });

  test('a table cut anywhere is damage', () => {
    for (let length = 0; length < table.byteLength; length += 1)
      expect(findTableDamage(table.subarray(0, length)), `length ${length}`).toBeDefined();
  });

  test('a log file cut anywhere is whole: that is how a crash leaves it', () => {
    for (let length = 0; length <= log.byteLength; length += 97)
      expect(findLogDamage(log.subarray(0, length)), `length ${length}`).toBeUndefined();
  });

  test('a bit flipped before the last write of a log file is damage, later it is not', () => {
    const lastWriteAt = startOfLastWrite(log);
    for (let at = 0; at < log.byteLength; at += 89) {
      // What is left over at the end of a block is read by nobody.
      if (32_768 - (at % 32_768) < 7) continue;
      const damage = findLogDamage(flipped(log, at * 8 + (at % 8)));
      if (at < lastWriteAt) expect(damage, `byte ${at}`).toBeDefined();
      else expect(damage, `byte ${at}`).toBeUndefined();
    }
  });

  test('of one torn write any fragments may be there, but only when nothing follows', () => {
    const lastWriteAt = startOfLastWrite(log);
    const torn = Buffer.from(log.subarray(0, lastWriteAt)).fill(0, 300, 32_768);
    expect(findLogDamage(torn), 'the fragments in blocks two and three are whole').toBeUndefined();
    const buried = Buffer.from(log).fill(0, 300, 32_768);
    expect(findLogDamage(buried)).toMatch(/damaged at byte \d+, and whole again/);
  });

  test('a zeroed or stray end of a log file is no damage', () => {
    expect(findLogDamage(Buffer.concat([log, Buffer.alloc(40_000)]))).toBeUndefined();
    expect(findLogDamage(Buffer.concat([log, Buffer.alloc(400, 0xa5)]))).toBeUndefined();
  });

  test('no bytes, right footer or not, can make the check throw or hang', () => {
    const magic = table.subarray(-8);
    const footers = fc
      .tuple(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 40, maxLength: 40 }))
      .map(([body, handles]) => Buffer.concat([body, handles, magic]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), footers), (bytes) => {
        expect(findTableDamage(bytes)).toEqual(expect.any(String));
        expect(['string', 'undefined']).toContain(typeof findLogDamage(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('a manifest names the table and the log file that are there', async () => {
    const manifest = readManifest(await only(/^MANIFEST/));
    if (typeof manifest === 'string') throw new Error(manifest);
    const files = await readdir(raft);
    const named = [...manifest.tables.keys()].map(
      (number) => `${String(number).padStart(6, '0')}.ldb`,
    );
    expect(named.sort()).toEqual(files.filter((name) => name.endsWith('.ldb')).sort());
    expect(files).toContain(`${String(manifest.logNumber).padStart(6, '0')}.log`);
  });

  test('a manifest with any bit flipped is refused, or reads as one torn there', async () => {
    const bytes = await only(/^MANIFEST/);
    const whole = readManifest(bytes);
    const records = readLogRecords(bytes);
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const found = readLogRecords(flipped(bytes, bit));
      // A length that grows beyond the file is what a torn end looks like too.
      if (typeof found !== 'string') expect(found).toEqual(records.slice(0, found.length));
    }
    for (let length = 0; length <= bytes.byteLength; length += 1)
      expect(() => readManifest(bytes.subarray(0, length))).not.toThrow();
    expect(readManifest(Buffer.concat([bytes, Buffer.alloc(5)]))).toEqual(whole);
  });

  test('no bytes can make the reading of a manifest throw or hang', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
        const record = Buffer.alloc(7 + payload.length);
        record.set(payload, 7);
        record[6] = 1;
        record.writeUInt16LE(payload.length, 4);
        record.writeUInt32LE(masked(crc32c(record, 6, record.length)), 0);
        expect(['string', 'object']).toContain(typeof readManifest(record));
        expect(['string', 'object']).toContain(typeof readManifest(payload));
      }),
      { numRuns: 500 },
    );
  });

  test('half a table that an interrupted compaction left is no damage', async () => {
    const name = join(raft, '000999.ldb');
    await writeFile(name, table.subarray(0, 1000));
    expect(await findFileDamage(raft)).toBeUndefined();
    await rm(name);
  });

  test('damage is reported with the name of its file', async () => {
    const names = (await readdir(raft)).filter((name) => name.endsWith('.ldb')).sort();
    const name = names.at(-1)!;
    try {
      await writeFile(join(raft, name), flipped(table, 80));
      expect(await findFileDamage(raft)).toMatchObject({
        isMissing: false,
        what: expect.stringContaining(name),
      });
    } finally {
      await writeFile(join(raft, name), table);
    }
  });
});

/** Follows the lengths of the fragments, which are whole here. */
function startOfLastWrite(log: Buffer): number {
  let start = 0;
  for (let at = 0; at + 7 <= log.byteLength; ) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) {
      at += left;
      continue;
    }
    if (log[at + 6]! <= 2) start = at;
    at += 7 + log.readUInt16LE(at + 4);
  }
  return start;
}
