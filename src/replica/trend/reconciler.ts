import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import {
  TREND_CHUNKS_ASKED_MAX,
  TREND_DIGEST_PAGE,
  TREND_DIGEST_SERIES_MAX,
  TREND_GRACE_MS,
  TREND_HOUR_MS,
  TREND_MINUTES_MS_MAX,
  TREND_RAW_MS_MAX,
  TREND_RECONCILE_MS,
  TREND_WINDOW_MS,
} from '../../base/trend-limits.ts';
import { differingSeries, differingWindows } from '../../trend/digests.ts';
import type { SeriesId } from '../../trend/series.ts';
import { FrameType } from '../../wire/frame.ts';
import {
  type ChunkRef,
  decodeHeldWindows,
  decodeSeriesDigests,
  encodeChunkQuestion,
  encodeDigestQuestion,
  type HeldWindows,
} from '../../wire/trend/trend-messages.ts';
import { decodeChunks } from '../../wire/trend/trend-query.ts';
import { type DigestTable, hourOf } from './digest-table.ts';
import type { TrendKeeper } from './keeper.ts';
import type { PeerLink } from './peer-link.ts';

/** Windows that begin before have ended long enough ago to be on every replica's disk. */
export const settledBefore = (now: number): number =>
  Math.floor((now - 2 * TREND_WINDOW_MS - TREND_GRACE_MS) / TREND_WINDOW_MS) * TREND_WINDOW_MS +
  TREND_WINDOW_MS;

const HOURS = TREND_RAW_MS_MAX / TREND_HOUR_MS;
/** Of rollups whose samples are gone everywhere, or will be within the hour. */
const MINUTE_HOURS = { from: HOURS + 1, to: TREND_MINUTES_MS_MAX / TREND_HOUR_MS - 1 } as const;

/** What is compared of an hour: samples, or rollups of minutes. */
interface Compared {
  readonly hour: number;
  readonly before: number;
  readonly minutes: boolean;
}

/**
 * Anti-entropy: asks each peer again and again what it has, and fetches what this replica lacks. All hours when a peer is
 * met for the first time; later the two newest hours each time, and one older hour in turn for what came late.
 * What a replica missed for longer than samples are kept it gets by the minute, one hour of these in turn each time.
 */
export class Reconciler {
  /** Chunks fetched so far. */
  fetched = 0;
  readonly #keeper: TrendKeeper;
  readonly #clock: Clock;
  readonly #links: readonly PeerLink[];
  readonly #log: (line: string) => void;
  /** By peer: up to where this replica has all that the peer had on disk. */
  readonly #completeTo: Map<PeerLink, number> = new Map();
  #olderHour = 2;
  #minuteHour: number = MINUTE_HOURS.from - 1;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    keeper: TrendKeeper,
    clock: Clock,
    links: readonly PeerLink[],
    log: (line: string) => void,
  ) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#links = links;
    this.#log = log;
  }

  start(): void {
    this.#timer = this.#clock.every(millis(TREND_RECONCILE_MS), () => {
      this.#round ??= this.round().finally(() => {
        this.#round = undefined;
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  /** All that any member had on disk up to here is here too; 0 = at least one was not heard yet. */
  get completeTo(): number {
    const alone = settledBefore(this.#clock.wall());
    return this.#links.reduce(
      (least, link) => Math.min(least, this.#completeTo.get(link) ?? 0),
      alone,
    );
  }

  /** Compares with each peer that can be reached, once. */
  async round(): Promise<void> {
    this.#olderHour = this.#olderHour + 1 < HOURS ? this.#olderHour + 1 : 2;
    this.#minuteHour =
      this.#minuteHour < MINUTE_HOURS.to ? this.#minuteHour + 1 : MINUTE_HOURS.from;
    for (const link of this.#links) {
      // What is fetched has to be written.
      if (!link.isOpen || this.#isClosed || this.#keeper.isPaused) continue;
      try {
        await this.#compare(link);
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        if (error.code !== 'CONNECTION_LOST')
          this.#log(`comparing trends with replica ${link.peer}: ${error.message}`);
      }
    }
  }

  async #compare(link: PeerLink): Promise<void> {
    const now = this.#clock.wall();
    const before = settledBefore(now);
    const newest = hourOf(now);
    const isFirst = !this.#completeTo.has(link);
    const back = isFirst
      ? Array.from({ length: HOURS }, (_, hour) => hour)
      : [0, 1, this.#olderHour];
    for (const hours of back)
      await this.#compareHour(link, {
        hour: newest - hours * TREND_HOUR_MS,
        before,
        minutes: false,
      });
    this.#completeTo.set(link, before);
    const old = newest - this.#minuteHour * TREND_HOUR_MS;
    if (old >= 0) await this.#compareHour(link, { hour: old, before, minutes: true });
  }

  #digestsOf({ minutes }: Compared): DigestTable {
    return minutes ? this.#keeper.minuteDigests : this.#keeper.digests;
  }

  async #compareHour(link: PeerLink, compared: Compared): Promise<void> {
    let after: SeriesId = 0;
    for (;;) {
      const question = encodeDigestQuestion({ ...askedOf(compared), after });
      const theirs = decodeSeriesDigests(await link.ask(FrameType.TREND_DIGESTS, question));
      const mine = await this.#digestsOf(compared).ofSeries(compared.hour, compared.before);
      const differing = differingSeries(mine, theirs);
      for (let at = 0; at < differing.length; at += TREND_DIGEST_SERIES_MAX)
        await this.#fetchSeries(link, compared, differing.slice(at, at + TREND_DIGEST_SERIES_MAX));
      const last = theirs.at(-1);
      if (last === undefined || theirs.length < TREND_DIGEST_PAGE) return;
      after = last.series;
    }
  }

  async #fetchSeries(
    link: PeerLink,
    compared: Compared,
    series: readonly SeriesId[],
  ): Promise<void> {
    const { hour, before } = compared;
    const question = encodeDigestQuestion({ ...askedOf(compared), series });
    const held = decodeHeldWindows(await link.ask(FrameType.TREND_DIGESTS, question));
    const wanted: ChunkRef[] = [];
    for (const { series: id, windows } of held) {
      const mine = await this.#digestsOf(compared).ofWindows(hour, id, before);
      const theirs = windows.filter(({ start }) => start < before);
      for (const start of differingWindows(mine, theirs)) wanted.push({ series: id, start });
    }
    for (let at = 0; at < wanted.length; )
      at += await this.#fetch(link, compared, held, wanted.slice(at, at + TREND_CHUNKS_ASKED_MAX));
  }

  /** Fetches the first of these chunks, as many as one answer brings; tells how many are dealt with. */
  async #fetch(
    link: PeerLink,
    { minutes }: Compared,
    held: readonly HeldWindows[],
    refs: readonly ChunkRef[],
  ): Promise<number> {
    const body = await link.ask(FrameType.TREND_CHUNKS, encodeChunkQuestion({ minutes, refs }));
    const chunks = decodeChunks(body);
    for (const { series, start, bytes } of chunks) {
      const known = held.find((one) => one.series === series);
      if (known === undefined || !refs.some((ref) => ref.series === series && ref.start === start))
        throw new TocsinError('BODY_MALFORMED', `a chunk of series ${series} nobody asked for`);
      if (minutes) await this.#keeper.absorbMinute(known.info, start, bytes);
      else await this.#keeper.absorb(known.info, start, bytes);
      this.fetched += 1;
    }
    // What it had a moment ago may be gone with its retention: it is not asked for again.
    return Math.max(1, chunks.length);
  }
}

const askedOf = ({
  hour,
  minutes,
}: Compared): { readonly hour: number; readonly minutes?: true } =>
  minutes ? { hour, minutes } : { hour };
