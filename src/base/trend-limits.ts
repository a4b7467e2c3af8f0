import { assert } from './assert.ts';
import {
  BODY_ITEMS_MAX,
  CONNECTION_SEND_BYTES_MAX,
  DISK_FREE_BYTES_LOW,
  FRAME_BYTES_MAX,
} from './limits.ts';

/** The limits of the trend tier, as limits.ts has those of the rest. */

const MiB = 1024 * 1024;

// Trends.
/** Samples are kept in windows of so long: what is written, compared and fetched as one. */
export const TREND_WINDOW_MS = 60_000;
export const TREND_HOUR_MS = 3_600_000;
/** Of one series: a kilohertz. */
export const TREND_WINDOW_SAMPLES_MAX = 60_000;
/** Memory for samples is given to windows in blocks of so many, and allocated for so many blocks at once. */
export const TREND_BLOCK_SAMPLES = 64;
export const TREND_SLAB_BLOCKS = 1_024;
export const TREND_SERIES_MAX = 262_144;
/** Windows of one series that take samples at once; the oldest is written out when one more begins. */
export const TREND_WINDOWS_OPEN_MAX = 4;
/** Samples in memory that no chunk on disk holds yet; more are refused until some are written. */
export const TREND_SAMPLES_HELD_MAX = 100_663_296;
/** How far ahead of this replica's clock a device's may be; later samples are refused. */
export const TREND_FUTURE_MS_MAX = 300_000;
/** How wrong a device's clock may be before an alert tells of it. */
export const TREND_SKEW_MS_MAX = 5_000;
/** How long samples are kept, and by how much an older one is too late. */
export const TREND_RAW_MS_MAX = 259_200_000;
/** Rollups of a second, a minute, an hour. */
export const TREND_SECONDS_MS_MAX = 1_209_600_000;
export const TREND_MINUTES_MS_MAX = 7_776_000_000;
export const TREND_HOURS_MS_MAX = 157_680_000_000;
/** Of one frame. */
export const TREND_FRAME_SAMPLES_MAX = 65_536;
export const TREND_FRAME_SERIES_MAX = 4_096;
/** Samples a sender may have on their way on one connection. */
export const TREND_CREDIT_SAMPLES = 262_144;
/** Samples that a sender keeps until they are acknowledged, 17 bytes each; beyond them it takes in no more. */
export const TREND_UNSENT_SAMPLES_MAX = 4_194_304;
/** Received and not yet in the journal; senders wait for their answers until there is room. */
export const TREND_UNSYNCED_BYTES_MAX: number = 64 * MiB;
/** The journal gathers what arrives in blocks of so many bytes, and keeps so many for the next time. */
export const TREND_JOURNAL_BLOCK_BYTES: number = 1 * MiB;
export const TREND_JOURNAL_SPARES_MAX = 18;
/** What arrived is in the journal after so long, and lost before if the replica crashes. */
export const TREND_SYNC_MS = 1_000;
/** A window that has ended is written out so much later, for what comes late. */
export const TREND_GRACE_MS = 2_000;
/** Below so much free room trends write nothing: what is left of the disk belongs to alerts. */
export const TREND_DISK_FREE_BYTES_MIN: number = 768 * MiB;
/** They write again when there is so much more, so that it does not flap. */
export const TREND_DISK_MARGIN_BYTES: number = 64 * MiB;
/** What LevelDB gathers of trends before it writes a table: it has one thread for that, which alerts share. */
export const TREND_LEVEL_BUFFER_BYTES: number = 8 * MiB;
/** Values on disk that are read at a time, of at most so many bytes. */
export const TREND_SCAN_VALUES = 256;
export const TREND_SCAN_BYTES = 131_072;
/** Reads and writes of trends at once: a process has four threads for them, and alerts must find one free. */
export const TREND_DISK_AT_ONCE = 2;
/** Windows written out at once. */
export const TREND_WRITE_WINDOWS_MAX = 32;
/** Replicas compare what they have so often. */
export const TREND_RECONCILE_MS = 5_000;
/** Hours of which a replica keeps the digests at hand, and so many more as have so few windows, of all series. */
export const TREND_HOURS_AT_HAND = 4;
export const TREND_DIGESTS_AT_HAND = 4_194_304;
/** An older hour of samples, whose digests have to be made from what is on disk, is compared once in so many times. */
export const TREND_OLD_HOUR_ROUNDS = 12;
/** One of seconds, which take a fraction of that. */
export const TREND_OLD_SECONDS_ROUNDS = 4;
/** Bytes of chunks in one answer. */
export const TREND_CHUNKS_BYTES_MAX: number = 1 * MiB;
/** Of samples for a peer that has not taken them; more are left to anti-entropy. */
export const TREND_FORWARD_BYTES_MAX: number = 8 * MiB;
/** Of one query. */
export const TREND_QUERY_SERIES_MAX = 1_000;
/** Samples or rollup rows of one answer; the rest is asked for with the next query. */
export const TREND_ANSWER_ROWS_MAX = 32_768;
/** Samples looked at for one answer that is to be thinned out. */
export const TREND_SCAN_SAMPLES_MAX = 4_194_304;
export const TREND_POINTS_MAX = 10_000;
export const TREND_QUANTILES_MAX = 8;

/** Of the unit of a series. */
export const TREND_UNIT_CHARS_MAX = 32;
/** Series that one page of digests tells of. */
export const TREND_DIGEST_PAGE = 16_384;
/** Series that are asked about window by window: 60 windows each must fit a body. */
export const TREND_DIGEST_SERIES_MAX = 256;
/** Chunks asked for at once. */
export const TREND_CHUNKS_ASKED_MAX = 512;
/** Of a series, as a query names it. */
export const TREND_KEY_CHARS_MAX = 1_024;
/** Scores take a pulse rate for the heart rate when that was not measured for so long. */
export const HEART_RATE_HOLDS_MS = 10_000;
/** A patient whose samples come to several replicas is one's for as long after the newest that came there. */
export const TREND_PATIENT_MS = 10_000;
/** Whoever knows of alerts that no rule in force would raise looks after them so often. */
export const TREND_LEFTOVERS_MS = 15_000;
/** Of one sketch. */
export const TREND_SKETCH_BINS_MAX = 65_536;

assert(
  TREND_WINDOW_SAMPLES_MAX <= 2 ** 16 && TREND_WINDOW_MS <= 2 ** 16,
  'a place and a time in a window must fit 16 bits',
);
assert(
  TREND_SKEW_MS_MAX < TREND_FUTURE_MS_MAX,
  'a clock that is ahead must be told of before its samples are refused',
);
assert(TREND_HOUR_MS % TREND_WINDOW_MS === 0, 'an hour must be whole windows');
assert(
  TREND_FRAME_SAMPLES_MAX * 17 + 64 <= FRAME_BYTES_MAX,
  'the columns of a frame of samples must fit a frame',
);
assert(
  TREND_CREDIT_SAMPLES >= TREND_FRAME_SAMPLES_MAX * 2,
  'a sender must fill one frame while another is on its way',
);
assert(
  TREND_UNSENT_SAMPLES_MAX >= TREND_CREDIT_SAMPLES * 4,
  'a sender must have more ready than may be on its way',
);
assert(
  TREND_CHUNKS_BYTES_MAX * 2 <= FRAME_BYTES_MAX,
  'an answer of chunks must fit a frame with room for one more',
);
assert(
  TREND_FORWARD_BYTES_MAX < CONNECTION_SEND_BYTES_MAX,
  'samples for a peer must not fill the send queue that answers share',
);
assert(
  TREND_JOURNAL_BLOCK_BYTES * TREND_JOURNAL_SPARES_MAX <= TREND_UNSYNCED_BYTES_MAX,
  'blocks kept for the next time must not outgrow what may wait',
);
assert(
  TREND_DISK_FREE_BYTES_MIN >=
    DISK_FREE_BYTES_LOW + TREND_UNSYNCED_BYTES_MAX + 4 * TREND_LEVEL_BUFFER_BYTES,
  'what trends are just writing must not take the room that alerts begin to save at',
);
assert(TREND_HOURS_AT_HAND >= 2, 'the hours that still grow must be at hand');
assert(TREND_WINDOW_SAMPLES_MAX <= TREND_FRAME_SAMPLES_MAX, 'a window must fit a frame');
assert(
  TREND_RAW_MS_MAX < TREND_SECONDS_MS_MAX &&
    TREND_SECONDS_MS_MAX < TREND_MINUTES_MS_MAX &&
    TREND_MINUTES_MS_MAX < TREND_HOURS_MS_MAX,
  'what is coarser must be kept for longer',
);
assert(
  TREND_ANSWER_ROWS_MAX * 8 * (8 + TREND_QUANTILES_MAX) <= FRAME_BYTES_MAX,
  'the columns of an answer must fit a frame',
);
assert(
  TREND_DIGEST_SERIES_MAX * 60 * 4 <= BODY_ITEMS_MAX,
  'an hour of windows of all series that are asked about must pass as one body',
);
assert(TREND_DIGEST_PAGE * 4 <= BODY_ITEMS_MAX, 'a page of digests must pass as one body');
