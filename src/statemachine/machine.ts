import { assert } from '../base/assert.ts';
import { hashText } from '../base/hash.ts';
import {
  type LogIndex,
  logIndex,
  type Revision,
  revision,
  type UnixMillis,
  unixMillis,
} from '../base/ids.ts';
import type { AlertPage } from './alert-api.ts';
import { type AlertLimits, completeLimits } from './alert-limits.ts';
import { AlertTable } from './alert-table.ts';
import { AlertView, type CaptureHeader, MachineCapture } from './capture.ts';
import { foldEvent, foldReply, foldSubmission, identityOf } from './digest.ts';
import { displayState } from './display.ts';
import { listAlerts, type PageOptions } from './queries.ts';
import { firstRecord, type Last, nextRecord, type Stamp } from './records.ts';
import { findRefusal, refuse } from './refusals.ts';
import { ReplyTable } from './reply-table.ts';
import { type From, moveOf, TRANSITIONS } from './transitions.ts';
import type {
  Alert,
  AlertEvent,
  AlertFilter,
  AlertRef,
  Batch,
  Command,
  Done,
  Effect,
  Reply,
  Submission,
} from './types.ts';

/** What applying a batch yields. The arrays are the caller's: the machine appends. */
export interface Applied {
  /** One for each submission, in order. */
  readonly replies: Reply[];
  /** One for each submission that changed an alert, in order. */
  readonly events: AlertEvent[];
}

/** Where a machine begins that is not new. */
export interface Restored {
  readonly header: CaptureHeader;
  readonly table: AlertTable;
  readonly replies: ReplyTable;
}

/**
 * The alerts. Two machines that are given the same batches are in the same state, whatever else
 * differs: no clock, no chance, no I/O. Every command gets a reply; what cannot be done is refused
 * with a code. A throw is a bug, and the replica must halt.
 *
 * Records and events refer to parts of the commands they came from: nobody may change either
 * afterwards.
 */
export class AlertMachine {
  readonly #limits: AlertLimits;
  readonly #table: AlertTable;
  readonly #replies: ReplyTable;
  #revision: Revision = revision(0);
  #applied: LogIndex = logIndex(0);
  #time: UnixMillis = unixMillis(0);
  #digest = 0;

  /**
   * `seed` decides where things lie in memory and no answer: replicas need not share it, and a
   * secret one keeps callers from choosing idempotency keys that are slow to find. `restored` comes from MachineRestorer,
   * which checked it.
   */
  constructor(limits: Partial<AlertLimits> = {}, seed = 0, restored?: Restored) {
    this.#limits = completeLimits(limits);
    this.#table = restored?.table ?? new AlertTable(this.#limits);
    this.#replies = restored?.replies ?? new ReplyTable(this.#limits.repliesMax, seed);
    if (restored === undefined) return;
    this.#revision = restored.header.revision;
    this.#applied = restored.header.index;
    this.#time = restored.header.time;
    this.#digest = restored.header.digest;
  }

  /** Position of the newest event; 0 = nothing happened yet. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The newest entry applied or skipped. */
  get applied(): LogIndex {
    return this.#applied;
  }

  /** The log's time: the highest stamp so far. */
  get time(): UnixMillis {
    return this.#time;
  }

  /**
   * Rolling hash (53 bits) over every submission, reply and event. Replicas that have applied the
   * same index and differ here have diverged. Entries without commands leave no trace in it.
   */
  get digest(): number {
    return this.#digest;
  }

  /**
   * Alerts that are not RESOLVED. Nothing here bounds them: whoever admits commands has to look at
   * this.
   */
  get openCount(): number {
    return this.#table.openCount;
  }

  /** Resolved alerts that are still kept. */
  get resolvedCount(): number {
    return this.#table.resolvedCount;
  }

  /** Applies one committed entry. Indexes rise; those without commands may be left out. */
  apply(batch: Batch, out: Applied): void {
    this.skip(batch.index, batch.time);
    for (const submission of batch.submissions)
      out.replies.push(this.#answer(submission, out.events));
  }

  /**
   * Notes an entry that carries no commands. A stamp below an earlier one does not turn time back.
   */
  skip(index: LogIndex, time: UnixMillis): void {
    assert(Number.isSafeInteger(index), `log index is not a safe integer: ${index}`);
    assert(Number.isSafeInteger(time), `time is not a safe integer: ${time}`);
    assert(index > this.#applied, `entry ${index} after entry ${this.#applied}`);
    this.#applied = index;
    if (time > this.#time) this.#time = time;
  }

  /** The alert of this id, open or resolved, or the open one under this dedup key. */
  get(ref: AlertRef): Alert | undefined {
    return this.#table.find(ref);
  }

  /**
   * A page of the alerts that match, in numeric order of their ids; may be short of `limit` and
   * still have a `next`.
   * @throws TocsinError BAD_REQUEST when an option is out of range
   */
  list(filter: AlertFilter = {}, options: PageOptions = {}): AlertPage {
    return listAlerts(this.#table, filter, options, this.#limits.listScanMax);
  }

  /** The whole state as it is now, for a snapshot. Costs no more with a million alerts than with a few. */
  capture(): MachineCapture {
    const at = {
      index: this.#applied,
      time: this.#time,
      revision: this.#revision,
      digest: this.#digest,
    };
    return new MachineCapture(at, this.#table.freeze(), this.#replies.freeze());
  }

  /** The alerts as they are now, for answers that are given in slices. */
  view(): AlertView {
    return new AlertView(this.#revision, this.#table.freeze());
  }

  #answer(submission: Submission, events: AlertEvent[]): Reply {
    const { key, fingerprint, command } = submission;
    const keyHash = hashText(key);
    this.#digest = foldSubmission(this.#digest, keyHash, fingerprint, command?.observedAt);
    const reply = this.#replyTo(submission, keyHash, events);
    this.#digest = foldReply(this.#digest, reply);
    return reply;
  }

  #replyTo(submission: Submission, keyHash: number, events: AlertEvent[]): Reply {
    const { key, fingerprint, command } = submission;
    const first = this.#replies.get(key, keyHash);
    if (first !== undefined) {
      if (first.fingerprint === fingerprint) return first.reply;
      return refuse('KEY_REUSED', `key ${key} was used before, for another command`);
    }
    const reply =
      command === undefined
        ? refuse('BAD_REQUEST', 'the bytes are not a well-formed command')
        : this.#execute(command, events);
    this.#replies.add(key, keyHash, { fingerprint, reply });
    return reply;
  }

  #execute(command: Command, events: AlertEvent[]): Reply {
    const ref = command.type === 'raise' ? command : command.target;
    const alert = this.#table.find(ref);
    const last = command.type === 'raise' ? this.#table.lastOf(command.dedupKey) : undefined;
    const cell = TRANSITIONS[fromOf(alert, last)][moveOf(command, alert)];

    const refusal = findRefusal(command, alert, cell);
    if (refusal !== undefined) return refusal;
    if (cell.does === 'change') {
      const stamp: Stamp = { revision: revision(this.#revision + 1), time: this.#time };
      if (alert !== undefined) {
        const next = nextRecord(alert, command, cell, stamp, this.#limits.acknowledgementsMax);
        return this.#commit(command, cell.effect, next, this.#table.replace(next), events);
      }
      assert(command.type === 'raise', `${cell.rule}: ${command.type} opens nothing`);
      const opened = firstRecord(command, stamp, last);
      const identity = identityOf(opened);
      this.#table.open(opened, identity);
      return this.#commit(command, cell.effect, opened, identity, events);
    }
    assert(alert !== undefined, `${command.type} of no alert left it unchanged`);
    return done('unchanged', alert);
  }

  #commit(
    command: Command,
    effect: AlertEvent['effect'],
    alert: Alert,
    identity: number,
    events: AlertEvent[],
  ): Done {
    const event: AlertEvent = {
      revision: alert.revision,
      index: this.#applied,
      time: this.#time,
      observedAt: command.observedAt,
      effect,
      actor: command.actor,
      alert,
    };
    this.#revision = alert.revision;
    this.#digest = foldEvent(this.#digest, event, identity);
    events.push(event);
    return done(effect, alert);
  }
}

/**
 * The row of the table: a condition that was open before and is not now stands where its last
 * occurrence does.
 */
function fromOf(alert: Alert | undefined, last: Last | undefined): From {
  if (alert !== undefined) return displayState(alert);
  return last === undefined ? 'NONE' : 'RESOLVED';
}

function done(effect: Effect, alert: Alert): Done {
  return {
    ok: true,
    effect,
    alertId: alert.id,
    activation: alert.activation,
    revision: alert.revision,
    state: displayState(alert),
  };
}
