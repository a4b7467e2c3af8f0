import { must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import {
  TREND_GRACE_MS,
  TREND_SAMPLES_HELD_MAX,
  TREND_UNSYNCED_BYTES_MAX,
  TREND_WRITE_WINDOWS_MAX,
} from '../../base/trend-limits.ts';
import type { Put, TrendDisk } from '../../storage/trend/trend-disk.ts';
import type { TrendJournal } from '../../storage/trend/trend-journal.ts';
import { type Chunk, decodeChunk, joinChunks } from '../../trend/chunk.ts';
import { type Series, type SeriesId, type SeriesInfo, SeriesRegistry } from '../../trend/series.ts';
import type { SketchMaker } from '../../trend/sketch.ts';
import { type Latest, type Leaving, TrendStore, type Verdict } from '../../trend/store.ts';
import type { SampleWindow } from '../../trend/window.ts';
import {
  type ComparedLevel,
  decodeRegister,
  encodeRegister,
} from '../../wire/trend/trend-messages.ts';
import type { SampleBatch, Taken } from '../../wire/trend/trend-samples.ts';
import { DigestTable } from './digest-table.ts';
import { keyOf, levelRange, startOf } from './keys.ts';
import { betterRollup, type RollupLevel } from './minute-record.ts';
import { type ChunkPress, InlinePress, latestOf, type Pressed } from './press.ts';
import { SampleJournal } from './sample-journal.ts';

/** Told of each sample, and what became of it. */
export type OnSample = (
  place: number,
  time: number,
  value: number,
  quality: number,
  verdict: Verdict,
) => void;

export interface KeeperOptions {
  readonly disk: TrendDisk;
  readonly journal: TrendJournal;
  readonly clock: Clock;
  readonly sketches: SketchMaker;
  /** @defaultValue where the keeper runs */
  readonly press?: ChunkPress;
}

/**
 * Keeps the trends of one replica: samples in memory and in the journal as they come, in chunks and rollups on disk a
 * little after their window has ended. After a crash everything is there that was in the journal.
 */
export class TrendKeeper {
  readonly registry: SeriesRegistry = new SeriesRegistry();
  readonly store: TrendStore = new TrendStore();
  /** Of rollups there are more than of samples, which go first. */
  readonly digests: Readonly<Record<ComparedLevel, DigestTable>>;
  readonly disk: TrendDisk;
  readonly #journal: TrendJournal;
  readonly #samples: SampleJournal;
  readonly #clock: Clock;
  readonly #press: ChunkPress;
  readonly #sketches: SketchMaker;
  #chain: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];
  #newSeries: Series[] = [];
  /** Taken out of the store, and not on disk yet. */
  readonly #leaving: Set<Leaving> = new Set();
  /** As of the last checkpoint: the segment that it began, and the windows that took samples then. */
  #segment = 0;
  #wereOpen: ReadonlySet<SampleWindow> = new Set();
  #isPaused = false;
  #samplesShed = 0;
  /** Whose latest sample on disk was looked up: an earlier run, or a peer, may have put it there. */
  readonly #isRecalled: Set<SeriesId> = new Set();

  constructor({ disk, journal, clock, sketches, press }: KeeperOptions) {
    this.disk = disk;
    this.#journal = journal;
    this.#samples = new SampleJournal(journal);
    this.#clock = clock;
    this.#press = press ?? new InlinePress(sketches);
    const ids = (): readonly SeriesId[] => [...this.registry].map(({ id }) => id);
    const tableOf = (level: ComparedLevel): DigestTable => new DigestTable(disk, level, ids);
    this.digests = {
      chunk: tableOf('chunk'),
      seconds: tableOf('seconds'),
      minutes: tableOf('minutes'),
    };
    this.#sketches = sketches;
  }

  /** Takes up what an earlier run left. Before anything else. */
  async load(): Promise<void> {
    for await (const [, value] of this.disk.scan(...levelRange('series')))
      for (const { info } of decodeRegister(value)) this.registry.register(info);
    const places: number[] = [];
    this.store.receive(this.#clock.wall());
    await this.#samples.replay({
      // Judged by the clock as it was then: one that has been set back since would refuse what was acknowledged.
      received: (now) => this.store.receive(now),
      series: (slot, info) => {
        places[slot] = this.register(info).place;
      },
      samples: (batch) => this.#replay(batch, places),
    });
    await this.#writeAll();
  }

  #replay(batch: SampleBatch, places: readonly number[]): void {
    const { base, offsets, values, qualities, slots } = batch;
    for (let i = 0; i < batch.count; i += 1) {
      const place = places[slots[i] as number];
      const time = base + (offsets[i] as number);
      if (place !== undefined)
        this.store.append(place, time, values[i] as number, qualities[i] as number);
    }
  }

  /** @throws TocsinError OVERLOADED, KEY_REUSED */
  register(info: SeriesInfo): Series {
    const before = this.registry.size;
    const series = this.registry.register(info);
    if (this.registry.size > before) this.#newSeries.push(series);
    return series;
  }

  /** Takes samples whose slots are places of the registry. */
  ingest(batch: SampleBatch, onSample: OnSample | undefined): Taken {
    const { base, offsets, values, qualities, slots, count } = batch;
    const counts = [0, 0, 0, 0, 0];
    const now = this.#clock.wall();
    this.store.receive(now);
    for (let i = 0; i < count; i += 1) {
      const place = slots[i] as number;
      const time = base + (offsets[i] as number);
      const value = values[i] as number;
      const quality = qualities[i] as number;
      const verdict = this.store.append(place, time, value, quality);
      counts[verdict] = (counts[verdict] as number) + 1;
      if (!this.#isPaused && !this.#samples.knows(place)) this.#introduce(place);
      if (onSample !== undefined) onSample(place, time, value, quality, verdict);
    }
    if (!this.#isPaused) this.#samples.append(now, batch.bytes);
    const [inOrder = 0, behind = 0, tooOld = 0, tooNew = 0, noRoom = 0] = counts;
    return { inOrder, behind, tooOld, tooNew, noRoom };
  }

  #introduce(place: number): void {
    this.#samples.introduce(
      must(this.registry.at(place), 'samples come by places of the registry'),
    );
  }

  /** Resolves when the journal has room for more. */
  whenRoom(): Promise<void> {
    if (this.#journal.unsyncedBytes < TREND_UNSYNCED_BYTES_MAX) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Makes what has arrived durable, unless it is paused. */
  async sync(): Promise<void> {
    if (!this.#isPaused) await this.#journal.sync();
    this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /**
   * Writes out the windows that have ended and lets go of them, and of the journal as far as nobody needs it: what came
   * before the last time is on disk. One after the other, however many call.
   */
  checkpoint(): Promise<void> {
    return this.#inTurn(() => (this.#isPaused ? this.#shed() : this.#checkpoint('ended')));
  }

  /** `all` = the windows that still take samples too. */
  async #checkpoint(what: 'ended' | 'all'): Promise<void> {
    // In one breath: what comes from now on lies in the new segment, which must know its series.
    this.#samples.renew();
    this.#isPaused = false;
    const segment = await this.#journal.begin();
    this.#takeEnded();
    const open = this.store.open();
    // One that was open the last time holds samples of segments that are to go.
    const due = what === 'all' ? open : open.filter(({ window }) => this.#wereOpen.has(window));
    await this.#write([...this.#leaving, ...due]);
    await this.#journal.drop(what === 'all' ? segment : this.#segment);
    this.#segment = segment;
    this.#wereOpen = new Set(open.map(({ window }) => window));
  }

  #writeAll(): Promise<void> {
    return this.#inTurn(() => (this.#isPaused ? Promise.resolve() : this.#checkpoint('all')));
  }

  #takeEnded(): void {
    for (const one of this.store.takeEnded(this.#clock.wall() - TREND_GRACE_MS))
      this.#leaving.add(one);
  }

  /** Nothing is written: samples are in memory alone, the newest as many as it holds. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Samples let go of unwritten, since memory was full. */
  get samplesShed(): number {
    return this.#samplesShed;
  }

  pause(): void {
    this.#isPaused = true;
    this.#release();
  }

  /** Writes again, all that memory holds first. @throws TocsinError DISK_FULL, DISK_FAILED */
  resume(): Promise<void> {
    return this.#inTurn(async () => {
      await this.disk.reopen();
      await this.#checkpoint('all');
    });
  }

  async #shed(): Promise<void> {
    this.#takeEnded();
    if (this.store.held < TREND_SAMPLES_HELD_MAX / 2) return;
    for (const leaving of this.#leaving) {
      this.#samplesShed += leaving.window.count;
      this.#letGo(leaving);
    }
  }

  /** Of a window that takes no more samples, so that its room is there for the next one. */
  #letGo(one: Leaving): void {
    if (this.#leaving.delete(one)) this.store.written(one);
  }

  /** Joins a chunk that another replica has into what is on disk. @throws TocsinError DATA_CORRUPT */
  absorb(info: SeriesInfo, start: number, encoded: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const series = this.register(info);
      await this.#writeChunks([{ series, start, encoded }]);
    });
  }

  /**
   * Takes the rollup of a minute, or of its seconds, that another replica has, whose samples are gone: the one that knows
   * more stays.
   * @throws TocsinError DATA_CORRUPT
   */
  absorbRollup(
    level: RollupLevel,
    info: SeriesInfo,
    start: number,
    encoded: Uint8Array,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const series = this.register(info);
      const key = keyOf(level, series.id, start);
      const [known] = await this.disk.getMany([key]);
      const better = betterRollup(level, known, encoded, start, this.#sketches);
      if (better === known) return;
      await this.#put([[key, better]]);
      this.digests[level].put(series.id, start, better);
    });
  }

  /** The latest sample of a series: of those that have passed through memory, or of those on disk. */
  async latest({ id, place }: Series): Promise<Latest | undefined> {
    if (!this.#isRecalled.has(id)) {
      this.#isRecalled.add(id);
      const last = await this.disk.last(keyOf('chunk', id), keyOf('chunk', id + 1));
      const latest = last && latestOf(decodeChunk(last[1], startOf(last[0])));
      if (latest !== undefined) this.store.recall(place, latest);
    }
    return this.store.latest(place);
  }

  /** What is known of a window, in memory and on disk. */
  async chunk(series: Series, start: number): Promise<Chunk | undefined> {
    // Memory first: what leaves it meanwhile is found on disk.
    const held = this.store.chunk(series.place, start);
    const [bytes] = await this.disk.getMany([keyOf('chunk', series.id, start)]);
    if (bytes === undefined) return held;
    const chunk = decodeChunk(bytes, start);
    return held === undefined ? chunk : joinChunks(chunk, held);
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#chain.then(task);
    this.#chain = done.catch(() => {});
    return done;
  }

  async #write(windows: readonly Leaving[]): Promise<void> {
    for (let at = 0; at < windows.length || at === 0; at += TREND_WRITE_WINDOWS_MAX) {
      const some = windows.slice(at, at + TREND_WRITE_WINDOWS_MAX);
      await this.#writeChunks(
        some.flatMap(({ place, window }) => {
          const series = this.registry.at(place);
          if (series === undefined || window.count === 0) return [];
          return [{ series, start: window.start, held: window }];
        }),
      );
      for (const one of some) this.#letGo(one);
    }
  }

  /** Reads what is there, joins, writes: in turn with all others who do. */
  async #writeChunks(all: readonly Held[]): Promise<void> {
    const keys = all.map(({ series, start }) => keyOf('chunk', series.id, start));
    const before = await this.disk.getMany(keys);
    const pressing: Promise<Pressed>[] = [];
    for (const [at, { start, held, encoded }] of all.entries()) {
      const both = [before[at], encoded].filter((one) => one !== undefined);
      const pressed = this.#press.press({ start, encoded: both, held: held?.chunk() });
      pressed.catch(() => {}); // Whoever awaits all of them hears of it.
      pressing.push(pressed);
      // What has arrived meanwhile goes first.
      await this.breathe();
    }
    const made = await Promise.all(pressing);
    await this.#put(made.flatMap((one, at) => putsOf(all[at], one)));
    for (const [at, held] of all.entries()) this.#isWritten(held, must(made[at], 'one of each'));
    await this.breathe();
  }

  #isWritten({ series: { id, place }, start }: Held, made: Pressed): void {
    this.digests.chunk.put(id, start, made.chunk);
    this.digests.seconds.put(id, start, made.seconds);
    this.digests.minutes.put(id, start, made.minute);
    if (made.latest !== undefined) this.store.recall(place, made.latest);
  }

  /** With the series that are not on disk yet. */
  async #put(puts: readonly Put[]): Promise<void> {
    const count = this.#newSeries.length;
    const series = this.#newSeries.map(
      ({ id, info }): Put => [keyOf('series', id), encodeRegister([{ slot: 0, info }])],
    );
    if (series.length + puts.length === 0) return;
    await this.disk.write([...series, ...puts], true);
    this.#newSeries = this.#newSeries.slice(count);
  }

  /** Resolves when what has arrived meanwhile was judged. */
  breathe(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.soon(resolve);
    });
  }

  async close(): Promise<void> {
    try {
      await this.sync();
      await this.#writeAll();
    } finally {
      try {
        await this.#journal.close();
      } finally {
        await this.disk.close();
      }
    }
  }
}

interface Held {
  readonly series: Series;
  readonly start: number;
  /** In memory, or as a peer has it. */
  readonly held?: SampleWindow;
  readonly encoded?: Uint8Array;
}

const putsOf = (held: Held | undefined, { chunk, seconds, minute }: Pressed): readonly Put[] => {
  const { series, start } = must(held, 'each was asked for');
  return [
    [keyOf('chunk', series.id, start), chunk],
    [keyOf('seconds', series.id, start), seconds],
    [keyOf('minutes', series.id, start), minute],
  ];
};
