import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { CLIENT_READS_MAX, GETS_PER_FRAME_MAX } from '../base/limits.ts';
import type { Answer, ListedAlert, ReadConsistency } from '../statemachine/alert-api.ts';
import type { AlertRef } from '../statemachine/types.ts';
import { decodeGetAnswer, type GetAnswer } from '../wire/clients/answers.ts';
import { encodeGet } from '../wire/clients/client-messages.ts';
import type { Recent } from '../wire/clients/recent.ts';
import { FrameType } from '../wire/frame.ts';
import { type Question, type ReadLimits, whomFor } from './read-call.ts';
import type { Reader } from './reader.ts';
import type { Session } from './session.ts';

type Found = Answer<ListedAlert | undefined>;

/** One who asks after an alert, and waits. */
interface Asker {
  readonly ref: AlertRef;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

/** Those who ask alike. */
interface Group {
  readonly consistency: ReadConsistency;
  readonly limits: ReadLimits;
  readonly askers: Asker[];
}

/** Asks after alerts: the calls of one tick that ask alike are one request, with one time-out and one answer. */
export class Gets {
  readonly #reader: Reader;
  readonly #session: Session;
  readonly #recent: Recent<ListedAlert>;
  readonly #clock: Clock;
  /** Takes the calls of this tick. */
  #filling: Group | undefined;
  /** Calls that are not answered. */
  #waiting = 0;

  constructor(reader: Reader, session: Session, recent: Recent<ListedAlert>, clock: Clock) {
    this.#reader = reader;
    this.#session = session;
    this.#recent = recent;
    this.#clock = clock;
  }

  /** Rejects with a TocsinError, as `Reader.ask` does. */
  ask(ref: AlertRef, consistency: ReadConsistency, limits: ReadLimits): Promise<Found> {
    if (this.#waiting >= CLIENT_READS_MAX)
      return Promise.reject(
        new TocsinError('OVERLOADED', `${CLIENT_READS_MAX} reads are under way`),
      );
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      this.#groupFor(consistency, limits).askers.push({ ref, resolve, reject });
    });
  }

  #groupFor(consistency: ReadConsistency, limits: ReadLimits): Group {
    const filling = this.#filling;
    if (filling !== undefined && takesIn(filling, consistency, limits)) return filling;
    const group: Group = { consistency, limits, askers: [] };
    this.#filling = group;
    queueMicrotask(() => {
      if (this.#filling === group) this.#filling = undefined;
      this.#send(group);
    });
    return group;
  }

  #send({ consistency, limits, askers }: Group): void {
    const deadline = this.#clock.monotonic() + limits.timeoutMs;
    this.#reader.ask(this.#questionOf(consistency, askers), whomFor(consistency), limits).then(
      ({ value, ...state }) => {
        this.#waiting -= value.length;
        for (const [at, alert] of value.entries()) askers[at]?.resolve({ value: alert, ...state });
        if (value.length === askers.length) return;
        // The answer was full: the others ask again, in the time that is left to them.
        const timeoutMs = Math.max(1, Math.ceil(deadline - this.#clock.monotonic()));
        const rest = askers.slice(value.length);
        this.#send({ consistency, limits: { ...limits, timeoutMs }, askers: rest });
      },
      (error: unknown) => {
        this.#waiting -= askers.length;
        for (const { reject } of askers) reject(error);
      },
    );
  }

  #questionOf(level: ReadConsistency, askers: readonly Asker[]): Question<GetAnswer> {
    const refs = askers.map(({ ref }) => ref);
    const consistency = level === 'session' ? 'local' : level;
    const decode = (body: Uint8Array): GetAnswer => {
      const answer = decodeGetAnswer(body, this.#recent);
      const count = answer.value.length;
      if (count >= 1 && count <= refs.length) return answer;
      throw new TocsinError('BODY_MALFORMED', `${count} alerts where ${refs.length} were asked`);
    };
    const question = { type: FrameType.GET, body: [encodeGet({ refs, consistency })], decode };
    return this.#session.watching(question, level === 'session');
  }
}

const takesIn = (group: Group, consistency: ReadConsistency, limits: ReadLimits): boolean =>
  group.askers.length < GETS_PER_FRAME_MAX &&
  group.limits.timeoutMs === limits.timeoutMs &&
  group.limits.signal === limits.signal &&
  isSame(group.consistency, consistency);

function isSame(one: ReadConsistency, other: ReadConsistency): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return one === other;
  return one.maxAgeMs === other.maxAgeMs && one.minRevision === other.minRevision;
}
