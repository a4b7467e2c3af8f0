import type {
  KeptSession,
  SessionCommand,
  SessionId,
} from '../../src/statemachine/beside/sessions.ts';
import type { Submission } from '../../src/statemachine/commands.ts';
import type { ModelReply } from './condition-model.ts';
import type { Due } from './escalation-model.ts';
import { ScheduleModel } from './schedule-model.ts';

/** One place of a session, and what became of it. */
interface Used {
  session: SessionId;
  sequence: number;
  fingerprint: number;
  reply: ModelReply;
}

/** Sessions, as plainly as can be: every reply ever given is remembered, and whether it is still to be had. */
export abstract class SessionModel extends ScheduleModel {
  sessions: KeptSession[] = [];
  used: Used[] = [];

  change(id: SessionId, changes: Partial<KeptSession>): KeptSession {
    this.sessions = this.sessions.map((one) => (one.id === id ? { ...one, ...changes } : one));
    return this.sessions.find((one) => one.id === id) as KeptSession;
  }

  isUsed(session: SessionId, sequence: number): boolean {
    return this.used.some((one) => one.session === session && one.sequence === sequence);
  }

  override inSession({ place, fingerprint, command }: Submission): ModelReply {
    const { sequence = 0 } = place ?? {};
    const session = this.sessions.find(({ id }) => id === `X${place?.session}`);
    if (!session || sequence <= session.doubtUntil) return { ok: false, code: 'SESSION_EXPIRED' };
    if (sequence <= session.floor) return { ok: false, code: 'REPLY_FORGOTTEN' };
    const { id } = session;
    const first = this.used.find((one) => one.session === id && one.sequence === sequence);
    if (first && first.fingerprint !== fingerprint) return { ok: false, code: 'KEY_REUSED' };
    if (first) return first.reply;
    const floor = Math.max(session.floor, sequence - session.window);
    for (let at = session.floor + 1; at <= floor; at += 1)
      if (!this.isUsed(id, at)) return { ok: false, code: 'OVER_LIMIT' };
    this.change(id, { floor, seenAt: this.now });
    const reply: ModelReply = command ? this.perform(command) : { ok: false, code: 'BAD_REQUEST' };
    this.used.push({ session: id, sequence, fingerprint, reply });
    return reply;
  }

  session(command: SessionCommand): ModelReply {
    if (command.type === 'open-session') {
      this.recordsMade += 1;
      const { leaseSeconds, window, actor } = command;
      const made: KeptSession = {
        id: `X${this.recordsMade}`,
        version: 1,
        by: actor,
        leaseSeconds,
        window,
        floor: 0,
        doubtUntil: 0,
        openedAt: this.now,
        seenAt: this.now,
        dueAt: this.later(leaseSeconds),
      };
      this.sessions.push(made);
      return { ok: true, effect: 'kept', id: made.id, version: 1 };
    }
    const before = this.sessions.find(({ id }) => id === command.id);
    if (!before) return { ok: false, code: 'SESSION_EXPIRED' };
    const { id, version } = before;
    if (command.type === 'end-session') {
      this.end(before);
      return { ok: true, effect: 'removed', id, version };
    }
    if (command.floor > before.floor + before.window) return { ok: false, code: 'BAD_REQUEST' };
    const passed = Array.from({ length: command.floor }, (_, at) => at + 1);
    const given = passed.filter((at) => at > before.floor && !this.isUsed(id, at));
    this.change(id, {
      version: version + 1,
      floor: Math.max(before.floor, command.floor),
      doubtUntil: Math.max(before.doubtUntil, ...given),
      seenAt: this.now,
    });
    return { ok: true, effect: 'kept', id, version: version + 1 };
  }

  end({ id }: KeptSession): void {
    this.sessions = this.sessions.filter((one) => one.id !== id);
  }

  override due(): Due[] {
    const found = super.due();
    for (const one of this.sessions) {
      const { id, dueAt, seenAt, leaseSeconds } = one;
      if (dueAt > this.time) continue;
      const endsAt = seenAt + leaseSeconds * 1_000;
      const act = (): void => {
        if (endsAt <= this.time) this.end(one);
        else this.change(id, { dueAt: endsAt as KeptSession['dueAt'] });
      };
      found.push({ at: dueAt, number: Number(id.slice(1)), kind: 7, act });
    }
    return found;
  }
}
