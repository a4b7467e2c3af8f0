import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type GroupId, type Millis, millis, type Revision } from '../../base/ids.ts';
import { REQUESTS_PER_CONNECTION_MAX, WATCHES_PER_CONNECTION_MAX } from '../../base/limits.ts';
import type { Consistency, ListedAlert } from '../../statemachine/alert-api.ts';
import type { QueryKind, QueryTypes } from '../../statemachine/beside/records-beside.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import { placeAfter } from '../../statemachine/queries/record-pages.ts';
import type { AlertEvent } from '../../statemachine/types.ts';
import type { Channel } from '../../transport/types.ts';
import { type AdminRequest, decodeAdminRequest } from '../../wire/clients/admin-messages.ts';
import { encodeStatusAnswer, GetAnswerBody } from '../../wire/clients/answers.ts';
import {
  decodeEmpty,
  decodeGet,
  decodeList,
  decodeWatch,
  encodeFail,
  SubmitReader,
  type SubmitRequest,
} from '../../wire/clients/client-messages.ts';
import { decodeTime } from '../../wire/clients/deadline.ts';
import { decodeHistory, HistoryAnswer } from '../../wire/clients/history-query.ts';
import { decodeRecords, RecordsAnswer } from '../../wire/clients/record-queries.ts';
import { encodeReplies } from '../../wire/clients/replies.ts';
import type { ReplicaStatus } from '../../wire/clients/status.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Proposal } from '../pipeline/proposals.ts';
import type { IsOver, Work } from '../turns.ts';
import type { AdminDone } from './administrator.ts';
import type { Intake, Taker } from './intake.ts';
import { type Answering, adding, answerOf, type Pages, shown, tooLate } from './pages.ts';
import type { FreshDone, Freshness } from './read-desk.ts';
import type { WatchHub } from './watch-hub.ts';

/** What a session needs of its replica. */
export interface Host {
  readonly clock: Clock;
  readonly machine: AlertMachine;
  readonly watches: WatchHub;
  readonly pages: Pages;
  readonly intake: Intake;
  /** Settles the proposal sooner or later, at once if this replica does not lead. */
  propose(proposal: Proposal): void;
  /** Calls back when the state at hand is as fresh as asked for, or why it will not be. */
  read(level: Consistency, done: FreshDone): void;
  /** Whether what was asked still holds when the answer is built. */
  holds(level: Consistency, freshness: Freshness): boolean;
  status(): ReplicaStatus;
  /** Why nobody can be served now; undefined = everybody is. */
  readonly problem: TocsinError | undefined;
  /** What an operator asks. */
  administer(request: AdminRequest, deadline: Millis, done: AdminDone): void;
}

/** Every frame that a client sends, and whether it is answered from the applied state or goes into it. */
const ASKS_FOR_STATE = {
  [FrameType.SUBMIT]: true,
  [FrameType.GET]: true,
  [FrameType.LIST]: true,
  [FrameType.RECORDS]: true,
  [FrameType.HISTORY]: true,
  [FrameType.WATCH]: true,
  [FrameType.CANCEL]: false,
  [FrameType.STATUS]: false,
  [FrameType.ADMIN]: false,
  [FrameType.PONG]: false,
} as const;

type RequestType = keyof typeof ASKS_FOR_STATE;
const isRequest = (type: FrameType): type is RequestType => Object.hasOwn(ASKS_FOR_STATE, type);

/** One client's connection: takes requests, bounded in number, and answers each exactly once. */
export class ClientSession implements Taker {
  readonly channel: Channel;
  readonly #host: Host;
  #requests = 0;
  #isClosed = false;

  constructor(channel: Channel, host: Host) {
    this.channel = channel;
    this.#host = host;
    channel.onFrame = (type, group, id, body) => host.intake.admit(this, type, group, id, body);
    channel.onDrain = () => host.watches.wake();
    channel.onClose = () => {
      this.#isClosed = true;
      host.watches.removeAll(channel);
    };
  }

  /** Of a connection that was let go meanwhile nothing is taken any more. */
  take(
    type: FrameType,
    group: GroupId,
    id: number,
    body: Uint8Array,
    isOver: IsOver,
  ): Work | undefined {
    if (this.#isClosed) return undefined;
    try {
      if (group !== ALERTS_GROUP)
        throw new TocsinError('BAD_REQUEST', `there is no group ${group}`);
      return this.#dispatch(type, id, body, isOver);
    } catch (error) {
      this.#refuse(id, error);
      return undefined;
    }
  }

  #refuse(id: number, error: unknown): void {
    if (!TocsinError.is(error)) throw error;
    this.#fail(id, error);
  }

  #dispatch(type: FrameType, id: number, body: Uint8Array, isOver: IsOver): Work | undefined {
    if (!isRequest(type)) {
      this.channel.close(
        new TocsinError('FRAME_UNKNOWN_TYPE', `a client does not send frames of type ${type}`),
      );
      return;
    }
    const { problem } = this.#host;
    if (problem !== undefined && ASKS_FOR_STATE[type]) throw problem;
    switch (type) {
      case FrameType.SUBMIT:
        return this.#submit(id, body, isOver);
      case FrameType.GET:
        this.#get(id, body);
        return;
      case FrameType.LIST:
        this.#list(id, body);
        return;
      case FrameType.RECORDS:
        this.#records(id, body);
        return;
      case FrameType.HISTORY:
        this.#history(id, body);
        return;
      case FrameType.WATCH:
        this.#watch(id, body);
        return;
      case FrameType.CANCEL:
        decodeEmpty(body);
        this.#host.watches.remove(this.channel, id);
        return;
      case FrameType.STATUS:
        decodeEmpty(body);
        this.#answer(FrameType.ANSWER, id, [encodeStatusAnswer(this.#host.status())]);
        return;
      case FrameType.ADMIN:
        this.#administer(id, body);
        return;
      case FrameType.PONG:
        return;
    }
  }

  #submit(id: number, body: Uint8Array, isOver: IsOver): Work | undefined {
    const reader = new SubmitReader(body);
    const deadline = this.#deadlineOf(reader.timeoutMs);
    this.#count();
    if (!this.#check(id, reader, deadline, isOver)) return undefined;
    return (isOverThen) => this.#check(id, reader, deadline, isOverThen);
  }

  /** Checks commands while there is time, and proposes them once all are found valid. Whether there are more to check. */
  #check(id: number, reader: SubmitReader, deadline: Millis, isOver: IsOver): boolean {
    if (this.#isClosed) return false;
    try {
      while (!reader.isAtEnd) {
        const isLong = reader.next();
        if (isOver(isLong) && !reader.isAtEnd) return true;
      }
      this.#propose(id, reader.finish(), deadline);
    } catch (error) {
      this.#requests -= 1;
      this.#refuse(id, error);
    }
    return false;
  }

  #propose(id: number, request: SubmitRequest, deadline: Millis): void {
    const { commands, count, urgency, takesRoom } = request;
    this.#host.propose({
      commands,
      count,
      urgency,
      takesRoom,
      deadline,
      settle: (outcome) => {
        this.#requests -= 1;
        if (outcome instanceof TocsinError) this.#fail(id, outcome);
        else this.#answer(FrameType.SUBMIT_REPLY, id, [encodeReplies(outcome)]);
      },
    });
  }

  #administer(id: number, body: Uint8Array): void {
    const { timeoutMs, request } = decodeTime(body);
    const asked = decodeAdminRequest(request);
    this.#count();
    this.#host.administer(asked, this.#deadlineOf(timeoutMs), (outcome) => {
      this.#requests -= 1;
      if (outcome instanceof TocsinError) this.#fail(id, outcome);
      else this.#answer(FrameType.ANSWER, id, outcome);
    });
  }

  #get(id: number, body: Uint8Array): void {
    const { timeoutMs, request } = decodeTime(body);
    const { refs, consistency } = decodeGet(request);
    this.#make(id, consistency, this.#deadlineOf(timeoutMs), (freshness, isOver) => {
      const { machine, clock } = this.#host;
      const { revision } = machine;
      // All of one state, and what is said of them: what there is no time for in this turn is asked after again.
      const found: (ListedAlert | undefined)[] = [];
      for (const ref of refs) {
        const alert = machine.get(ref);
        found.push(alert && shown(machine, alert));
        if (isOver(true)) break;
      }
      const answer = new GetAnswerBody();
      const add = (alert: ListedAlert | undefined): boolean => answer.add(alert);
      return adding(found, add, () =>
        answer.finish(answerOf(found, revision, freshness, clock.monotonic())),
      );
    });
  }

  #records(id: number, body: Uint8Array): void {
    const { timeoutMs, request } = decodeTime(body);
    const { kind, after, limit, consistency } = decodeRecords(request);
    this.#make(id, consistency, this.#deadlineOf(timeoutMs), () => {
      const { machine } = this.#host;
      const value = machine.records(kind, after, limit);
      const answer = new RecordsAnswer(kind);
      const nextOf = (count: number): number =>
        placeAfter(kind, after, value.records.slice(0, count));
      const { revision } = machine;
      const add = (record: QueryTypes[QueryKind]): boolean => answer.add(record);
      return adding(value.records, add, () => answer.finish({ value, revision }, nextOf));
    });
  }

  #list(id: number, body: Uint8Array): void {
    const { timeoutMs, request } = decodeTime(body);
    const { filter, consistency, limit, after, at } = decodeList(request);
    const deadline = this.#deadlineOf(timeoutMs);
    const level = this.#levelAt(at, consistency);
    this.#read(id, level, deadline, ({ asOf }, done) => {
      const options = { limit, ...(after === undefined ? {} : { after }) };
      this.#count();
      const wanted = { at, filter, options, asOf, deadline };
      this.#host.pages.ask(wanted, (outcome) => this.#made(id, outcome, done));
    });
  }

  #history(id: number, body: Uint8Array): void {
    const { timeoutMs, request } = decodeTime(body);
    const { id: alert, from, limit, consistency } = decodeHistory(request);
    const level = this.#levelAt(from, consistency);
    this.#make(id, level, this.#deadlineOf(timeoutMs), () => {
      const { machine, pages } = this.#host;
      const value = pages.history(alert, from, limit);
      const { revision } = machine;
      const answer = new HistoryAnswer();
      const add = (event: AlertEvent): boolean => answer.add(event);
      const events = value?.events.toReversed() ?? [];
      return adding(events, add, () => answer.finish({ value, revision }));
    });
  }

  /** Makes an answer in steps. */
  #make(
    id: number,
    level: Consistency,
    deadline: Millis,
    begin: (freshness: Freshness, isOver: IsOver) => Answering,
  ): void {
    this.#read(id, level, deadline, (freshness, done) => {
      this.#count();
      this.#host.pages.make(
        deadline,
        (isOver) => begin(freshness, isOver),
        (outcome) => this.#made(id, outcome, done),
      );
    });
  }

  #made(id: number, outcome: readonly Uint8Array[] | TocsinError, done: Built): void {
    this.#requests -= 1;
    const { problem } = this.#host;
    if (TocsinError.is(outcome)) this.#fail(id, outcome);
    // What was built of a state that is in doubt by now is told to nobody.
    else if (problem !== undefined) this.#fail(id, problem);
    else done(outcome);
  }

  /** Answers now, or when what is at hand is known to be as fresh as was asked. */
  #read(id: number, level: Consistency, deadline: Millis, build: Build): void {
    this.#ask({ id, level, deadline, build, isRepeated: false });
  }

  #ask(read: Reading): void {
    const { id, level, deadline } = read;
    this.#count();
    this.#host.read(level, (outcome) => {
      this.#requests -= 1;
      if (TocsinError.is(outcome)) this.#fail(id, outcome);
      else if (this.#host.clock.monotonic() > deadline) this.#fail(id, tooLate());
      else this.#answerRead(read, outcome);
    });
  }

  /** Who goes on from a revision that has not come here yet waits until it has, or until it is sure that there is none. */
  #levelAt(at: Revision | undefined, asked: Consistency): Consistency {
    return at === undefined || at <= this.#host.machine.revision ? asked : 'linearizable';
  }

  #deadlineOf(timeoutMs: number): Millis {
    return millis(this.#host.clock.monotonic() + timeoutMs);
  }

  /** A read that cannot be answered fails alone, and so does one that a slow reader leaves no room for. */
  #answerRead(read: Reading, freshness: Freshness): void {
    const { id, level, build, isRepeated } = read;
    try {
      build(freshness, (body) => {
        if (this.#host.holds(level, freshness)) this.#sendAnswer(id, body);
        else if (isRepeated) this.#fail(id, tooOld());
        else this.#ask({ ...read, level: surer(level), isRepeated: true });
      });
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.#fail(id, error);
    }
  }

  #sendAnswer(id: number, body: readonly Uint8Array[]): void {
    if (this.channel.send(FrameType.ANSWER, ALERTS_GROUP, id, body)) return;
    const message = `${this.channel.queuedBytes} bytes of answers are not read yet`;
    this.#fail(id, new TocsinError('OVERLOADED', message));
  }

  #watch(id: number, body: Uint8Array): void {
    const { from, filter } = decodeWatch(body);
    // Under one name only one watch can be followed: whoever begins a second one is told that neither goes on.
    if (this.#host.watches.remove(this.channel, id))
      throw new TocsinError('BAD_REQUEST', `watch ${id} was under way already; it has ended`);
    if (this.#host.watches.countOf(this.channel) >= WATCHES_PER_CONNECTION_MAX)
      throw new TocsinError(
        'OVERLOADED',
        `${WATCHES_PER_CONNECTION_MAX} watches on one connection are the limit`,
      );
    this.#host.watches.add(this.channel, id, from, filter ?? {});
  }

  #count(): void {
    if (this.#requests >= REQUESTS_PER_CONNECTION_MAX)
      throw new TocsinError(
        'OVERLOADED',
        `${REQUESTS_PER_CONNECTION_MAX} requests wait on this connection; nothing was written`,
      );
    this.#requests += 1;
  }

  #fail(id: number, error: TocsinError): void {
    this.#answer(FrameType.FAIL, id, [encodeFail(error)]);
  }

  #answer(type: FrameType, id: number, body: readonly Uint8Array[]): void {
    if (this.channel.send(type, ALERTS_GROUP, id, body)) return;
    // Whoever does not read its answers must not make us keep them. The caller learns that the connection is gone.
    this.channel.close();
  }
}

/** For a lease that has run out a quorum is asked. */
const surer = (level: Consistency): Consistency => (level === 'lease' ? 'linearizable' : level);

const tooOld = (): TocsinError =>
  new TocsinError(
    'UNAVAILABLE',
    'it takes longer to ask a quorum and to build the answer than the answer may be old',
  );

/** A read under way. */
interface Reading {
  readonly id: number;
  readonly level: Consistency;
  readonly deadline: Millis;
  readonly build: Build;
  /** The answer before was too old when it was built. */
  readonly isRepeated: boolean;
}

type Built = (body: readonly Uint8Array[]) => void;
/** Makes an answer, now or in slices, or throws. */
type Build = (freshness: Freshness, done: Built) => void;
