import { must } from '../../base/assert.ts';
import type { UnixMillis } from '../../base/ids.ts';
import { SESSION_REPLIES_MAX, SESSIONS_MAX } from '../../base/limits.ts';
import type { FirstReply, ReplyView } from '../collections/reply-table.ts';
import { SortedMap, type SortedView } from '../collections/sorted-map.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import { secondsAfter } from '../timers.ts';
import type { Asked, Kept, Refusal, Reply } from '../types.ts';
import { type RecordBase, Registry } from './registry.ts';

/** `X` and a number. */
export type SessionId = `X${number}`;

/** A command's place: the same place gets the same reply for as long as the session keeps it. */
export interface SessionPlace {
  /** Of the session. */
  readonly session: number;
  /** 1, 2, 3 … in the order of the client's commands. */
  readonly sequence: number;
}

/**
 * What a client and the replicas have agreed on so that each of its commands is carried out once (Ongaro, Consensus, 6.3). Unlike
 * the replies to idempotency keys, those of a session are kept until the client says that it has them, and in no more room than it
 * asked for.
 */
export interface KeptSession extends RecordBase {
  readonly id: SessionId;
  readonly by: string;
  readonly leaseSeconds: number;
  /** How many commands may be under way at once. */
  readonly window: number;
  /** What comes up to here is answered, and the answers are forgotten. */
  readonly floor: number;
  /** Up to here the client gave up places without knowing what became of them; up to the floor all others were carried out. */
  readonly doubtUntil: number;
  readonly openedAt: UnixMillis;
  readonly seenAt: UnixMillis;
  /** When it is looked at next: it expires if it was not heard from for as long as its lease. */
  readonly dueAt: UnixMillis;
}

export interface OpenSessionCommand extends Asked {
  readonly type: 'open-session';
  readonly leaseSeconds: number;
  readonly window: number;
}

/** The client is there, and has the replies up to `floor`, or waits for them no longer. */
export interface KeepSessionCommand extends Asked {
  readonly type: 'keep-session';
  readonly id: SessionId;
  readonly floor: number;
}

export interface EndSessionCommand extends Asked {
  readonly type: 'end-session';
  readonly id: SessionId;
}

export type SessionCommand = OpenSessionCommand | KeepSessionCommand | EndSessionCommand;

/** A place as a key of the reply table of a snapshot. */
export const keyOfPlace = ({ session, sequence }: SessionPlace): string =>
  `X${session}.${sequence}`;

export function placeOfKey(key: string): SessionPlace | undefined {
  const [, session, sequence] = /^X([1-9]\d*)\.([1-9]\d*)$/.exec(key) ?? [];
  return session === undefined
    ? undefined
    : { session: Number(session), sequence: Number(sequence) };
}

const numberOf = (id: SessionId): number => Number(id.slice(1));
const idOf = (number: number): SessionId => `X${number}`;

/** Client sessions and the replies they keep. */
export class Sessions {
  readonly #ledger: Ledger;
  readonly registry: Registry<KeptSession>;
  readonly #replies = new Map<SessionId, SortedMap<FirstReply>>();
  /** Of all sessions together. */
  #windows = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.registry = new Registry<KeptSession>(SESSIONS_MAX, 1, () => true);
  }

  /** Replies kept now. */
  get replyCount(): number {
    let count = 0;
    for (const replies of this.#replies.values()) count += replies.size;
    return count;
  }

  /** The reply that the place has, or the one that carrying it out gives. */
  once(place: SessionPlace, fingerprint: number, carryOut: () => Reply): Reply {
    const session = this.registry.get(idOf(place.session));
    if (session === undefined) return expired(idOf(place.session));
    const { sequence } = place;
    const { id, floor, doubtUntil, window } = session;
    if (sequence <= doubtUntil) return refuse('SESSION_EXPIRED', `${id} gave up ${sequence}`);
    if (sequence <= floor)
      return refuse('REPLY_FORGOTTEN', `${id} has carried out ${sequence} and had its reply`);
    const replies = this.#repliesOf(id);
    const first = replies.get(sequence);
    if (first !== undefined) {
      if (first.fingerprint === fingerprint) return first.reply;
      return refuse('KEY_REUSED', `${id} used ${sequence} before, for another command`);
    }
    const least = Math.max(floor, sequence - window);
    for (let at = floor + 1; at <= least; at += 1)
      if (replies.get(at) === undefined)
        return refuse('OVER_LIMIT', `${id} waits for ${at}: ${sequence} is beyond its ${window}`);
    this.registry.put({ ...session, floor: least, seenAt: this.#ledger.time });
    for (let at = floor + 1; at <= least; at += 1) forget(replies, at);
    const reply = carryOut();
    // The command may have ended the session that it came in, or said that its own reply is not waited for.
    const now = this.registry.get(id);
    if (now !== undefined && sequence > now.floor) replies.add(sequence, { fingerprint, reply });
    return reply;
  }

  execute(command: SessionCommand): Kept | Refusal {
    if (command.type === 'open-session') return this.#open(command);
    const session = this.registry.get(command.id);
    if (session === undefined) return expired(command.id);
    return command.type === 'keep-session' ? this.#keep(session, command) : this.#end(session);
  }

  /** It is time to look at a session: it has expired, or it was heard from since. */
  expire(number: number): void {
    const session = must(this.registry.get(idOf(number)), () => `${idOf(number)} is due and gone`);
    const dueAt = secondsAfter(session.seenAt, session.leaseSeconds);
    if (dueAt <= this.#ledger.time) {
      this.#end(session);
      return;
    }
    this.#ledger.timers.change('session', number, session.dueAt, dueAt);
    this.registry.put({ ...session, dueAt });
  }

  /** The replies as they are now, by session and place; those that come later do not show. */
  freeze(): ReplyView {
    const views = [...this.registry.liveOnes()].map(
      ({ id }) => [numberOf(id), this.#repliesOf(id).freeze()] as const,
    );
    return { size: this.replyCount, entries: () => entriesOf(views) };
  }

  /** Takes in a session of a snapshot; false when there is no room for it. */
  restore(session: KeptSession): boolean {
    if (this.#windows + session.window > SESSION_REPLIES_MAX) return false;
    this.#add(session);
    return true;
  }

  /** Takes in a reply of a snapshot, after its session; false when it does not belong there. */
  restoreReply({ session: number, sequence }: SessionPlace, first: FirstReply): boolean {
    const session = this.registry.get(idOf(number));
    if (session === undefined || sequence <= session.floor) return false;
    const replies = this.#repliesOf(session.id);
    if (replies.get(sequence) !== undefined || sequence > session.floor + session.window)
      return false;
    replies.add(sequence, first);
    return true;
  }

  #open({ leaseSeconds, window, actor }: OpenSessionCommand): Kept | Refusal {
    if (this.registry.isFull || this.#windows + window > SESSION_REPLIES_MAX)
      return refuse(
        'OVER_LIMIT',
        `${this.registry.liveCount} sessions keep ${this.#windows} replies: no room for ${window} more`,
      );
    const { time } = this.#ledger;
    const session: KeptSession = {
      id: idOf(this.#ledger.nextNumber()),
      version: 1,
      by: actor,
      leaseSeconds,
      window,
      floor: 0,
      doubtUntil: 0,
      openedAt: time,
      seenAt: time,
      dueAt: secondsAfter(time, leaseSeconds),
    };
    this.#add(session);
    this.#ledger.foldRecord(session);
    return { ok: true, effect: 'kept', id: session.id, version: 1 };
  }

  #keep(session: KeptSession, { floor }: KeepSessionCommand): Kept | Refusal {
    const { id, window } = session;
    if (floor > session.floor + window)
      return refuse('BAD_REQUEST', `${id} cannot have used ${floor}: it is beyond its ${window}`);
    const replies = this.#repliesOf(id);
    let { doubtUntil } = session;
    for (let at = session.floor + 1; at <= floor; at += 1)
      if (!forget(replies, at)) doubtUntil = at;
    const after: KeptSession = {
      ...session,
      version: session.version + 1,
      floor: Math.max(floor, session.floor),
      doubtUntil,
      seenAt: this.#ledger.time,
    };
    this.registry.put(after);
    this.#ledger.foldRecord(after);
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  #end(session: KeptSession): Kept {
    const { id, version, window, dueAt } = session;
    this.registry.remove(id);
    this.#replies.delete(id);
    this.#windows -= window;
    this.#ledger.timers.cancel('session', numberOf(id), dueAt);
    this.#ledger.foldRecord({ removed: session });
    return { ok: true, effect: 'removed', id, version };
  }

  #add(session: KeptSession): void {
    this.registry.put(session);
    this.#replies.set(session.id, new SortedMap());
    this.#windows += session.window;
    this.#ledger.timers.set('session', numberOf(session.id), session.dueAt);
  }

  #repliesOf(id: SessionId): SortedMap<FirstReply> {
    return this.#replies.get(id) ?? new SortedMap();
  }
}

/** Whether it was there. */
function forget(replies: SortedMap<FirstReply>, sequence: number): boolean {
  if (replies.get(sequence) === undefined) return false;
  replies.delete(sequence);
  return true;
}

const expired = (id: SessionId): Refusal =>
  refuse('SESSION_EXPIRED', `there is no session ${id}; the command was not carried out now`);

function* entriesOf(
  views: readonly (readonly [session: number, replies: SortedView<FirstReply>])[],
): Generator<readonly [key: string, first: FirstReply]> {
  for (const [session, replies] of views)
    for (const [sequence, first] of replies.entries())
      yield [keyOfPlace({ session, sequence }), first];
}
