import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assert, must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import {
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_CHUNKS_MAX,
  SNAPSHOT_SYNC_BYTES,
  SNAPSHOTS_KEPT,
} from '../base/limits.ts';
import {
  decodeSnapshotMeta,
  encodeSnapshotMeta,
  type SnapshotChunk,
  type SnapshotMeta,
  type SnapshotSubject,
  snapshotBytes,
  snapshotId,
} from '../wire/log/snapshot-meta.ts';
import type { Files } from './files.ts';
import { seal, unseal } from './sealed.ts';
import type { SnapshotStore, SnapshotWriter, StagedSnapshot } from './types.ts';

/**
 * Snapshots as two files each: the chunks one behind another in ID.data, what they are in ID.staged until all of them
 * are there and verified. Then ID.staged is renamed to ID.meta: that is the one moment at which the snapshot is complete.
 */
export class Snapshots implements SnapshotStore {
  readonly #files: Files;
  #list: SnapshotMeta[] = [];
  #making = false;
  /** Of what changes which files there are. */
  #last: Promise<void> = Promise.resolve();

  constructor(files: Files) {
    this.#files = files;
  }

  /**
   * Finds what is there; comes before anything else. Clears away what a crash left, and puts aside a newest snapshot that
   * is damaged: it can be staged again.
   */
  async load(): Promise<void> {
    this.#list = await this.#findComplete();
    await this.#sweep();
  }

  get list(): readonly SnapshotMeta[] {
    return this.#list;
  }

  async create(subject: SnapshotSubject): Promise<SnapshotWriter> {
    assert(!this.#making, 'a snapshot is being made');
    this.#making = true;
    await this.#files.remove(MAKING).catch((error: unknown) => {
      this.#making = false;
      throw error;
    });
    return new Writer(this.#files, subject, (meta) => this.#alone(() => this.#made(meta)));
  }

  async stage(meta: SnapshotMeta): Promise<StagedSnapshot> {
    await this.#alone(() => this.#begin(meta));
    const present = this.#has(meta.id)
      ? meta.chunks.map(() => true)
      : await intactChunks(this.#files, meta);
    return new Staged(this.#files, meta, present, () => this.#alone(() => this.#fetched(meta)));
  }

  async #begin(meta: SnapshotMeta): Promise<void> {
    if (this.#has(meta.id)) return;
    await this.#removeStaged(meta.id);
    await writeMeta(this.#files, nameOf(meta.id, 'staged'), meta);
    await this.#files.write(nameOf(meta.id, 'data'), 0, new Uint8Array(0));
  }

  async #fetched(meta: SnapshotMeta): Promise<void> {
    if (this.#has(meta.id)) return;
    await this.#files.rename(nameOf(meta.id, 'staged'), nameOf(meta.id, 'meta'));
    await this.#files.syncNames();
    await this.#adopt(meta);
  }

  async readChunk(id: string, chunk: number): Promise<Uint8Array> {
    const meta = this.#list.find((each) => each.id === id);
    if (meta === undefined) throw missing(id);
    assert(chunk >= 0 && chunk < meta.chunks.length, `snapshot ${id} has no chunk ${chunk}`);
    const bytes = await readChunk(this.#files, meta, chunk).catch((error: unknown) => {
      // It went while it was read: no fault of the disk.
      throw this.#has(id) ? error : missing(id);
    });
    if (bytes === undefined)
      throw new TocsinError('DATA_CORRUPT', `chunk ${chunk} of snapshot ${id} is damaged`);
    return bytes;
  }

  drop(id: string): Promise<void> {
    return this.#alone(async () => {
      if (!this.#has(id)) return;
      this.#list = this.#list.filter((each) => each.id !== id);
      await this.#remove(id);
      await this.#files.syncNames();
    });
  }

  async verify(id: string, chunk: number): Promise<boolean> {
    const meta = this.#list.find((each) => each.id === id);
    if (meta === undefined) return true;
    const bytes = await readChunk(this.#files, meta, chunk).catch((error: unknown) => {
      if (this.#has(id)) throw error;
    });
    if (bytes !== undefined) return true;
    let isAside = false;
    await this.#alone(async () => {
      if (!this.#has(id)) return; // it has been dropped meanwhile
      this.#list = this.#list.filter((each) => each.id !== id);
      await this.#files.rename(nameOf(id, 'meta'), nameOf(id, 'staged'));
      await this.#files.syncNames();
      isAside = true;
    });
    return !isAside;
  }

  /**
   * One after another: to whoever clears away what is staged, a snapshot that is being completed looks like that, and its files would
   * go while it is listed.
   */
  #alone(action: () => Promise<void>): Promise<void> {
    const done = this.#last.then(action);
    this.#last = done.catch(() => undefined); // its caller is told
    return done;
  }

  #has(id: string): boolean {
    return this.#list.some((each) => each.id === id);
  }

  async #made(meta: SnapshotMeta | undefined): Promise<void> {
    this.#making = false;
    if (meta === undefined || this.#has(meta.id)) return this.#files.remove(MAKING);
    const { id } = meta;
    await this.#files.remove(nameOf(id, 'staged'));
    await this.#files.rename(MAKING, nameOf(id, 'data'));
    await writeMeta(this.#files, nameOf(id, 'staged'), meta);
    await this.#files.rename(nameOf(id, 'staged'), nameOf(id, 'meta'));
    await this.#files.syncNames();
    await this.#adopt(meta);
  }

  /** A snapshot is complete and durable: it is known, and the oldest ones go. */
  async #adopt(meta: SnapshotMeta): Promise<void> {
    const all = [...this.#list, meta].sort((a, b) => b.index - a.index);
    this.#list = all.slice(0, SNAPSHOTS_KEPT);
    for (const old of all.slice(SNAPSHOTS_KEPT)) await this.#remove(old.id);
  }

  async #remove(id: string): Promise<void> {
    // The meta first: without it the rest is nothing but a leftover.
    for (const kind of KINDS) await this.#files.remove(nameOf(id, kind));
  }

  async #removeStaged(except: string | undefined): Promise<void> {
    for (const name of await this.#files.names()) {
      const id = idOf(name, 'staged');
      if (id !== undefined && id !== except && !this.#has(id)) await this.#remove(id);
    }
  }

  async #findComplete(): Promise<SnapshotMeta[]> {
    const found: SnapshotMeta[] = [];
    const names = await this.#files.names();
    for (const name of names) {
      const meta = await readMeta(this.#files, name, 'meta');
      if (meta !== undefined) found.push(meta);
    }
    found.sort((a, b) => b.index - a.index);
    // What the machine will start from is verified whole; an older one by those who read it.
    while (found[0] !== undefined && !(await isIntact(this.#files, found[0]))) {
      const { id } = found[0];
      await this.#files.rename(nameOf(id, 'meta'), nameOf(id, 'staged'));
      found.shift();
    }
    return found.slice(0, SNAPSHOTS_KEPT);
  }

  /** Removes every file that is neither of a complete snapshot nor of the newest staged one. */
  async #sweep(): Promise<void> {
    const staged: SnapshotMeta[] = [];
    for (const name of await this.#files.names()) {
      const meta = await readMeta(this.#files, name, 'staged');
      if (meta !== undefined) staged.push(meta);
    }
    const newest = staged.sort((a, b) => b.index - a.index)[0];
    const kept = new Set(this.#list.flatMap(({ id }) => [nameOf(id, 'meta'), nameOf(id, 'data')]));
    if (newest !== undefined && !this.#has(newest.id))
      for (const kind of ['staged', 'data'] as const) kept.add(nameOf(newest.id, kind));
    for (const name of await this.#files.names())
      if (!kept.has(name)) await this.#files.remove(name);
  }
}

type Kind = 'meta' | 'staged' | 'data';
const KINDS: readonly Kind[] = ['meta', 'staged', 'data'];
/** The chunks of a snapshot that is being made, and has no id yet. */
const MAKING = 'making';
const MAGIC = 0x4e434f54; // 'TOCN'
const VERSION = 1;

const nameOf = (id: string, kind: Kind): string => `${id}.${kind}`;

const idOf = (name: string, kind: Kind): string | undefined =>
  name.endsWith(`.${kind}`) ? name.slice(0, -kind.length - 1) : undefined;

async function writeMeta(files: Files, name: string, meta: SnapshotMeta): Promise<void> {
  await files.remove(name);
  await files.write(name, 0, seal(MAGIC, VERSION, encodeSnapshotMeta(meta)));
  await files.sync(name);
}

/** What the file says; undefined when it is no such file, or damaged. */
async function readMeta(files: Files, name: string, kind: Kind): Promise<SnapshotMeta | undefined> {
  const id = idOf(name, kind);
  if (id === undefined) return undefined;
  const meta = decodeMeta(await files.read(name, 0, await files.size(name)));
  return meta?.id === id ? meta : undefined;
}

/** What such a file says; undefined when it is damaged. */
export function decodeMeta(bytes: Uint8Array): SnapshotMeta | undefined {
  const record = unseal(MAGIC, bytes);
  if (typeof record === 'string' || record.version !== VERSION) return undefined;
  try {
    return decodeSnapshotMeta(record.body);
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    return undefined;
  }
}

export const isChunk = (bytes: Uint8Array, chunk: SnapshotChunk): boolean =>
  bytes.byteLength === chunk.bytes && crc32(bytes) === chunk.crc;

/** Where chunk `number` begins in the file. */
function offsetOf(meta: SnapshotMeta, number: number): number {
  let at = 0;
  for (let i = 0; i < number; i += 1) at += (meta.chunks[i] as SnapshotChunk).bytes;
  return at;
}

/** Undefined when the chunk is damaged or not there. */
async function readChunk(
  files: Files,
  meta: SnapshotMeta,
  number: number,
): Promise<Uint8Array | undefined> {
  const chunk = must(meta.chunks[number], `no chunk ${number}`);
  const bytes = await files.read(nameOf(meta.id, 'data'), offsetOf(meta, number), chunk.bytes);
  return isChunk(bytes, chunk) ? bytes : undefined;
}

async function intactChunks(files: Files, meta: SnapshotMeta): Promise<boolean[]> {
  const present: boolean[] = [];
  for (const number of meta.chunks.keys())
    present.push((await readChunk(files, meta, number)) !== undefined);
  return present;
}

async function isIntact(files: Files, meta: SnapshotMeta): Promise<boolean> {
  const data = nameOf(meta.id, 'data');
  if (!(await files.names()).includes(data)) return false;
  if ((await files.size(data)) !== snapshotBytes(meta)) return false;
  return (await intactChunks(files, meta)).every((intact) => intact);
}

class Writer implements SnapshotWriter {
  readonly #files: Files;
  readonly #subject: SnapshotSubject;
  readonly #done: (meta: SnapshotMeta | undefined) => Promise<void>;
  readonly #hash = createHash('sha256');
  readonly #chunks: SnapshotChunk[] = [];
  #bytes = 0;
  #synced = 0;
  #open = true;

  constructor(
    files: Files,
    subject: SnapshotSubject,
    done: (meta: SnapshotMeta | undefined) => Promise<void>,
  ) {
    this.#files = files;
    this.#subject = subject;
    this.#done = done;
  }

  async append(chunk: Uint8Array): Promise<void> {
    assert(this.#open, 'the snapshot is not being made any more');
    const length = chunk.byteLength;
    assert(length > 0 && length <= SNAPSHOT_CHUNK_BYTES, `chunk of ${length} bytes`);
    assert(this.#chunks.length < SNAPSHOT_CHUNKS_MAX, `more than ${SNAPSHOT_CHUNKS_MAX} chunks`);
    const at = this.#bytes;
    this.#bytes += length;
    this.#chunks.push({ bytes: length, crc: crc32(chunk) });
    this.#hash.update(chunk);
    await this.#files.write(MAKING, at, chunk);
    if (this.#bytes - this.#synced < SNAPSHOT_SYNC_BYTES) return;
    this.#synced = this.#bytes;
    await this.#files.sync(MAKING);
  }

  async commit(): Promise<SnapshotMeta> {
    assert(this.#open, 'the snapshot is not being made any more');
    assert(this.#chunks.length > 0, 'a snapshot without a chunk');
    await this.#files.sync(MAKING);
    this.#open = false;
    const hash = this.#hash.digest('hex');
    const { index, term } = this.#subject;
    const meta = {
      ...this.#subject,
      id: snapshotId(index, term, hash),
      chunks: this.#chunks,
      hash,
    };
    await this.#done(meta);
    return meta;
  }

  async abandon(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#done(undefined);
  }
}

class Staged implements StagedSnapshot {
  readonly meta: SnapshotMeta;
  readonly #files: Files;
  readonly #present: boolean[];
  readonly #complete: () => Promise<void>;

  constructor(files: Files, meta: SnapshotMeta, present: boolean[], complete: () => Promise<void>) {
    this.#files = files;
    this.meta = meta;
    this.#present = present;
    this.#complete = complete;
  }

  get missing(): number | undefined {
    const first = this.#present.indexOf(false);
    return first < 0 ? undefined : first;
  }

  async put(number: number, bytes: Uint8Array): Promise<void> {
    const chunk = this.meta.chunks[number];
    if (chunk === undefined || !isChunk(bytes, chunk))
      throw new TocsinError(
        'BODY_MALFORMED',
        `these ${bytes.byteLength} bytes are not chunk ${number} of snapshot ${this.meta.id}`,
      );
    if (this.#present[number] === true) return;
    await this.#files.write(this.#data, offsetOf(this.meta, number), bytes);
    this.#present[number] = true;
  }

  async finish(): Promise<void> {
    const { meta } = this;
    assert(this.missing === undefined, `chunk ${this.missing} of ${meta.id} is missing`);
    const hash = createHash('sha256');
    for (const number of meta.chunks.keys())
      hash.update((await readChunk(this.#files, meta, number)) ?? new Uint8Array(0));
    if (hash.digest('hex') !== meta.hash) {
      for (const kind of KINDS) await this.#files.remove(nameOf(meta.id, kind));
      throw new TocsinError('DATA_CORRUPT', `snapshot ${meta.id} has another hash`);
    }
    await this.#files.sync(this.#data);
    await this.#complete();
  }

  get #data(): string {
    return nameOf(this.meta.id, 'data');
  }
}

const missing = (id: string): TocsinError => new TocsinError('DATA_MISSING', `no snapshot ${id}`);
