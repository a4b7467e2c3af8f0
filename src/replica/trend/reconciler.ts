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
  TREND_OLD_HOUR_ROUNDS,
  TREND_OLD_SECONDS_ROUNDS,
  TREND_RAW_MS_MAX,
  TREND_RECONCILE_MS,
  TREND_SECONDS_MS_MAX,
  TREND_WINDOW_MS,
} from '../../base/trend-limits.ts';
import { differingSeries, differingWindows } from '../../trend/digests.ts';
import type { SeriesId } from '../../trend/series.ts';
import { FrameType } from '../../wire/frame.ts';
import {
  type ChunkRef,
  type ComparedLevel,
  decodeHeldWindows,
  decodeSeriesDigests,
  encodeChunkQuestion,
  encodeDigestQuestion,
  type HeldWindows,
} from '../../wire/trend/trend-messages.ts';
import { decodeChunks } from '../../wire/trend/trend-query.ts';
import { hourOf } from './digest-table.ts';
import type { TrendKeeper } from './keeper.ts';
import type { PeerLink } from './peer-link.ts';
import type { TrendPeers } from './trend-peers.ts';

/** Windows that begin before have ended long enough ago to be on every replica's disk. */
export const settledBefore = (now: number): number =>
  Math.floor((now - 2 * TREND_WINDOW_MS - TREND_GRACE_MS) / TREND_WINDOW_MS) * TREND_WINDOW_MS +
  TREND_WINDOW_MS;

const HOURS = TREND_RAW_MS_MAX / TREND_HOUR_MS;

/** Hours of one level that are compared one after the other, begun anew after the last. */
interface Turn {
  readonly level: ComparedLevel;
  /** Counted back from now. Of rollups: those whose samples are gone everywhere, or will be within the hour. */
  readonly from: number;
  readonly to: number;
  /** Once in so many rounds where digests have to be made. */
  readonly every: number;
  hour: number;
}

const turnOf = (level: ComparedLevel, from: number, to: number, every: number): Turn => ({
  level,
  from,
  to,
  every,
  hour: from,
});

/** What is compared of an hour. */
interface Compared {
  readonly level: ComparedLevel;
  readonly hour: number;
  readonly before: number;
}

/**
 * Anti-entropy: asks each peer again and again what it has, and fetches what this replica lacks. All hours when a peer is
 * met for the first time; later the two newest hours each time, and older ones in turn, for what came late: each time while
 * their digests are at hand, now and then where they have to be made. What a replica missed for longer than samples are kept
 * it gets by the minute, and by the second as far as these are kept, in turn as well.
 */
export class Reconciler {
  /** Chunks fetched so far. */
  fetched = 0;
  readonly #keeper: TrendKeeper;
  readonly #clock: Clock;
  readonly #peers: Pick<TrendPeers, 'links'>;
  readonly #log: (line: string) => void;
  /** By peer: up to where this replica has all that the peer had on disk. */
  readonly #completeTo: WeakMap<PeerLink, number> = new WeakMap();
  readonly #turns: readonly Turn[] = [
    turnOf('chunk', 2, HOURS - 1, TREND_OLD_HOUR_ROUNDS),
    turnOf('minutes', HOURS + 1, TREND_MINUTES_MS_MAX / TREND_HOUR_MS - 1, 1),
    turnOf(
      'seconds',
      HOURS + 1,
      TREND_SECONDS_MS_MAX / TREND_HOUR_MS - 1,
      TREND_OLD_SECONDS_ROUNDS,
    ),
  ];
  #rounds = 0;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    keeper: TrendKeeper,
    clock: Clock,
    peers: Pick<TrendPeers, 'links'>,
    log: (line: string) => void,
  ) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#peers = peers;
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
    return this.#peers.links.reduce(
      (least, link) => Math.min(least, this.#completeTo.get(link) ?? 0),
      alone,
    );
  }

  /** Compares with each peer that can be reached, once. */
  async round(): Promise<void> {
    this.#rounds += 1;
    const now = this.#clock.wall();
    const due = this.#turns.filter((turn) => this.#isDue(turn, now));
    for (const link of this.#peers.links) {
      // What is fetched has to be written.
      if (!link.isOpen || this.#isClosed || this.#keeper.isPaused) continue;
      try {
        await this.#compare(link, now, due);
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        if (error.code !== 'CONNECTION_LOST')
          this.#log(`comparing trends with replica ${link.peer}: ${error.message}`);
      }
    }
    for (const turn of due) turn.hour = turn.hour < turn.to ? turn.hour + 1 : turn.from;
  }

  /** Making the digests of an hour means reading it: that is not done each time. */
  #isDue({ level, hour, every }: Turn, now: number): boolean {
    const isAtHand = this.#keeper.digests[level].isAtHand(hourOf(now) - hour * TREND_HOUR_MS);
    return isAtHand || this.#rounds % every === 0;
  }

  async #compare(link: PeerLink, now: number, due: readonly Turn[]): Promise<void> {
    const before = settledBefore(now);
    const newest = hourOf(now);
    const isFirst = !this.#completeTo.has(link);
    const newer = isFirst ? Array.from({ length: HOURS }, (_, hour) => hour) : [0, 1];
    for (const hours of newer)
      await this.#compareHour(link, {
        level: 'chunk',
        hour: newest - hours * TREND_HOUR_MS,
        before,
      });
    this.#completeTo.set(link, before);
    for (const { level, hour: hours } of due) {
      const hour = newest - hours * TREND_HOUR_MS;
      if (hour >= 0) await this.#compareHour(link, { level, hour, before });
    }
  }

  async #compareHour(link: PeerLink, compared: Compared): Promise<void> {
    const { level, hour, before } = compared;
    const digests = this.#keeper.digests[level];
    let after: SeriesId = 0;
    for (;;) {
      const question = encodeDigestQuestion({ level, hour, after });
      const theirs = decodeSeriesDigests(await link.ask(FrameType.TREND_DIGESTS, question));
      const mine = await digests.ofSeries(hour, before);
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
    const { level, hour, before } = compared;
    const question = encodeDigestQuestion({ level, hour, series });
    const held = decodeHeldWindows(await link.ask(FrameType.TREND_DIGESTS, question));
    const wanted: ChunkRef[] = [];
    for (const { series: id, windows } of held) {
      const mine = await this.#keeper.digests[level].ofWindows(hour, id, before);
      const theirs = windows.filter(({ start }) => start < before);
      for (const start of differingWindows(mine, theirs)) wanted.push({ series: id, start });
    }
    for (let at = 0; at < wanted.length; )
      at += await this.#fetch(link, compared, held, wanted.slice(at, at + TREND_CHUNKS_ASKED_MAX));
  }

  /** Fetches the first of these chunks, as many as one answer brings; tells how many are dealt with. */
  async #fetch(
    link: PeerLink,
    { level }: Compared,
    held: readonly HeldWindows[],
    refs: readonly ChunkRef[],
  ): Promise<number> {
    const body = await link.ask(FrameType.TREND_CHUNKS, encodeChunkQuestion({ level, refs }));
    const chunks = decodeChunks(body);
    for (const { series, start, bytes } of chunks) {
      const known = held.find((one) => one.series === series);
      if (known === undefined || !refs.some((ref) => ref.series === series && ref.start === start))
        throw new TocsinError('BODY_MALFORMED', `a chunk of series ${series} nobody asked for`);
      if (level === 'chunk') await this.#keeper.absorb(known.info, start, bytes);
      else await this.#keeper.absorbRollup(level, known.info, start, bytes);
      this.fetched += 1;
    }
    // What it had a moment ago may be gone with its retention: it is not asked for again.
    return Math.max(1, chunks.length);
  }
}
