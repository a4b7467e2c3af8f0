import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, type Millis, millis, type UnixMillis } from '../../base/ids.ts';
import {
  COMMANDS_PER_FRAME_MAX,
  ENTRY_BYTES_MAX,
  PROPOSAL_QUEUE_BYTES_MAX,
  PROPOSAL_QUEUE_URGENT_BYTES,
} from '../../base/limits.ts';
import type { Entry, EntryId } from '../../raft/types.ts';
import type { BatchReply, Reply } from '../../statemachine/types.ts';
import { EntryRecord, RECORD_HEADER_BYTES } from '../../wire/log/record.ts';
import type { CoreDriver } from '../core-driver.ts';
import { StageTimes } from './stage-times.ts';

/** Commands that one caller handed in together. They stay together, in one entry. */
export interface Proposal {
  /** Command records, checked, one after another. */
  readonly commands: Uint8Array;
  readonly count: number;
  /** 0 urgent, 1 routine, 2 background. */
  readonly urgency: number;
  /** Any of them adds to what is kept, or may: those are refused while the disk is nearly full. */
  readonly takesRoom: boolean;
  /** By the monotonic clock; after it the caller no longer wants this written. */
  readonly deadline: Millis;
  /** Called once: with one reply a command, or why there are none. */
  readonly settle: (outcome: readonly BatchReply[] | TocsinError) => void;
}

/** Proposals that share an entry, in the order of its commands. */
type Batch = readonly Proposal[];

interface Pending {
  /** The term tells an entry from another that took its place. */
  readonly id: EntryId;
  readonly batch: Batch;
  readonly placed: Millis;
  /** When it was found to be. */
  committed: Millis | undefined;
}

/**
 * Commands on their way into the log: first in a bounded queue, then, cut into batches, in entries that wait to be
 * applied. Every proposal is settled exactly once, whatever happens.
 */
export class Proposals {
  readonly #clock: Clock;
  #queue: Proposal[] = [];
  #queuedBytes = 0;
  /** When the oldest of the queue came. */
  #waitingSince: Millis = millis(0);
  /** In the log but not applied, by index. */
  readonly #pending: Map<LogIndex, Pending> = new Map();
  readonly stages: StageTimes = new StageTimes();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get queued(): number {
    return this.#queue.length;
  }
  get pending(): number {
    return this.#pending.size;
  }

  /** Queues, or settles at once with OVERLOADED: the less urgent first, so that an alarm still finds room. */
  add(proposal: Proposal): void {
    const bytes = proposal.commands.byteLength;
    assert(bytes + RECORD_HEADER_BYTES <= ENTRY_BYTES_MAX, `${bytes} bytes do not fit an entry`);
    const room =
      proposal.urgency === 0
        ? PROPOSAL_QUEUE_BYTES_MAX
        : PROPOSAL_QUEUE_BYTES_MAX - PROPOSAL_QUEUE_URGENT_BYTES;
    if (this.#queuedBytes + bytes > room) {
      const message = `${this.#queuedBytes} bytes of commands are waiting; try again later`;
      proposal.settle(new TocsinError('OVERLOADED', message));
      return;
    }
    if (this.#queue.length === 0) this.#waitingSince = this.#clock.monotonic();
    this.#queue.push(proposal);
    this.#queuedBytes += bytes;
  }

  /** The next batch as a record that has no place yet; undefined when nothing waits. */
  cut(time: UnixMillis): { readonly record: EntryRecord; readonly batch: Batch } | undefined {
    this.expire();
    if (this.#queue.length === 0) return undefined;
    let bytes = RECORD_HEADER_BYTES;
    let count = 0;
    let end = 0;
    for (const proposal of this.#queue) {
      if (end > 0 && bytes + proposal.commands.byteLength > ENTRY_BYTES_MAX) break;
      if (end > 0 && count + proposal.count > COMMANDS_PER_FRAME_MAX) break;
      bytes += proposal.commands.byteLength;
      count += proposal.count;
      end += 1;
    }
    const batch = this.#queue.splice(0, end);
    const now = this.#clock.monotonic();
    this.stages.queued(millis(now - this.#waitingSince));
    this.#waitingSince = now;
    this.#queuedBytes -= bytes - RECORD_HEADER_BYTES;
    const parts = batch.map((proposal) => proposal.commands);
    return { record: EntryRecord.draft('commands', time, count, parts), batch };
  }

  /** Puts everything that waits into the log, as far as the leader here takes it. */
  placeInto(driver: CoreDriver, notLeading: () => TocsinError): void {
    const { sealer } = driver;
    for (let cut = this.cut(sealer.stamp()); cut !== undefined; cut = this.cut(sealer.stamp())) {
      const result = driver.propose(cut.record);
      if (result.ok) this.placed(result.id, cut.batch);
      else if (result.reason === 'overloaded')
        this.refused(
          cut.batch,
          new TocsinError('OVERLOADED', 'too much is waiting for a quorum; nothing was written'),
        );
      else this.refused(cut.batch, notLeading());
    }
  }

  /** The batch is in the log at `id`. */
  placed(id: EntryId, batch: Batch): void {
    assert(!this.#pending.has(id.index), `two batches at ${id.index}`);
    const placed = this.#clock.monotonic();
    this.#pending.set(id.index, { id, batch, placed, committed: undefined });
  }

  /** What is in the log up to `index` is committed. */
  committed(index: LogIndex): void {
    if (this.#pending.size === 0) return;
    const now = this.#clock.monotonic();
    for (const [at, pending] of this.#pending) {
      if (at > index) return;
      if (pending.committed !== undefined) continue;
      pending.committed = now;
      this.stages.agreed(millis(now - pending.placed));
    }
  }

  /** The batch was not taken into the log. */
  refused(batch: Batch, error: TocsinError): void {
    for (const proposal of batch) proposal.settle(error);
  }

  /** The entry has been applied: its callers are told. */
  applied(entry: Entry, replies: readonly Reply[]): void {
    const waiting = this.#pending.get(entry.index);
    if (waiting === undefined) return;
    this.#pending.delete(entry.index);
    if (waiting.id.term !== entry.term) {
      // Another leader's entry took the place: what was here is gone, and was never committed.
      this.refused(waiting.batch, new TocsinError('NOT_LEADER', 'another leader took over'));
      return;
    }
    const count = waiting.batch.reduce((sum, proposal) => sum + proposal.count, 0);
    assert(count === replies.length, `${replies.length} replies for ${count} commands`);
    let at = 0;
    for (const proposal of waiting.batch) {
      proposal.settle(replies.slice(at, at + proposal.count));
      at += proposal.count;
    }
    if (waiting.committed !== undefined)
      this.stages.applied(millis(this.#clock.monotonic() - waiting.committed));
  }

  /**
   * This replica no longer leads. What only waited was surely not written; what is in the log may yet be committed by
   * the next leader.
   */
  abandon(notWritten: TocsinError, maybeWritten: TocsinError): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { batch } of pending) this.refused(batch, maybeWritten);
    this.refused(queue, notWritten);
  }

  /** Settles what has waited too long to be written. */
  expire(): void {
    const now = this.#clock.monotonic();
    if (!this.#queue.some((proposal) => proposal.deadline <= now)) return;
    const late = this.#queue.filter((proposal) => proposal.deadline <= now);
    this.#queue = this.#queue.filter((proposal) => proposal.deadline > now);
    for (const proposal of late) this.#queuedBytes -= proposal.commands.byteLength;
    this.refused(late, new TocsinError('DEADLINE_EXCEEDED', 'the queue was too slow; not written'));
  }
}
