import { revision, type UnixMillis } from '../../base/ids.ts';
import {
  DEDUP_KEY_CHARS_MAX,
  LABELS_MAX,
  NAME_CHARS_MAX,
  SECONDS_MAX,
  TEXT_CHARS_MAX,
} from '../../base/limits.ts';
import type { Command } from '../../statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  AlertRef,
  Cause,
  ClearCommand,
  ConditionCommand,
  RaiseCommand,
  Subject,
} from '../../statemachine/types.ts';
import { sharedCause, sharedSubject } from '../recent-parts.ts';
import type { Building } from './command-body.ts';
import { BodyCursor, keyOf } from './cursor.ts';
import { ACTIVATION_MAX, isAlertId, isForbiddenLabel } from './parse-parts.ts';
import { KINDS, PRIORITIES } from './words.ts';

const BY: Uint8Array = keyOf('by');
const REV: Uint8Array = keyOf('rev');
const KEY: Uint8Array = keyOf('key');
const KIND: Uint8Array = keyOf('kind');
const PRIO: Uint8Array = keyOf('prio');
const CODE: Uint8Array = keyOf('code');
const TEXT: Uint8Array = keyOf('text');
const SUBJ: Uint8Array = keyOf('subj');
const UNIT: Uint8Array = keyOf('unit');
const BED: Uint8Array = keyOf('bed');
const PATIENT: Uint8Array = keyOf('patient');
const DEVICE: Uint8Array = keyOf('device');
const CAUSE: Uint8Array = keyOf('cause');
const METRIC: Uint8Array = keyOf('metric');
const VALUE: Uint8Array = keyOf('value');
const LIMIT: Uint8Array = keyOf('limit');
const RULE: Uint8Array = keyOf('rule');
const LATCH: Uint8Array = keyOf('latch');
const ACKR: Uint8Array = keyOf('ackr');
const RESET: Uint8Array = keyOf('reset');
const TAGS: Uint8Array = keyOf('tags');
const ID: Uint8Array = keyOf('id');
const ACKT: Uint8Array = keyOf('ackt');
const POL: Uint8Array = keyOf('pol');
const ACT: Uint8Array = keyOf('act');
const NOTE: Uint8Array = keyOf('note');

/**
 * The short way to a command: reads the bytes that `bodyOf` and `encodeBody` make, field after
 * field in their order, and checks each as it goes, without maps in between. Whatever is not so,
 * valid or not, gives undefined, and the long way (`BodyDecoder`, `parseCommandBody`) decides. So
 * it may be narrower than the long way, never wider; a test holds the two together.
 */
export class CommandReader {
  readonly #in: BodyCursor;

  constructor(bytes: Uint8Array) {
    this.#in = new BodyCursor(bytes);
  }

  /**
   * The command whose body is the bytes `start` … `end`, or undefined if it takes the long way.
   * `observedAt` comes from its record's header, checked.
   */
  read(
    type: ConditionCommand['type'],
    observedAt: UnixMillis,
    start: number,
    end: number,
  ): Command | undefined {
    this.#in.begin(start, end);
    const count = this.#in.map();
    const command = this.#read(type, observedAt);
    return this.#in.finished(count) ? command : undefined;
  }

  #read(type: ConditionCommand['type'], observedAt: UnixMillis): Command {
    switch (type) {
      case 'raise':
        return this.#raise(observedAt);
      case 'clear':
        return this.#clear(observedAt);
      case 'acknowledge':
        return this.#acknowledge(observedAt);
    }
  }

  #actor(): string {
    return this.#in.requiredLine(BY, NAME_CHARS_MAX);
  }

  /** -1 = there is none. */
  #revision(): number {
    return this.#in.is(REV) ? this.#in.whole(0, Number.MAX_SAFE_INTEGER) : -1;
  }

  #raise(observedAt: UnixMillis): RaiseCommand {
    const input = this.#in;
    const actor = this.#actor();
    const expected = this.#revision();
    input.require(KEY);
    const dedupKey = input.uniqueLine(DEDUP_KEY_CHARS_MAX);
    input.require(KIND);
    const kind = KINDS[input.whole(0, KINDS.length - 1)] ?? 'advisory';
    input.require(PRIO);
    const priority = PRIORITIES[input.whole(0, PRIORITIES.length - 1)] ?? 'none';
    const condition = input.requiredLine(CODE, NAME_CHARS_MAX);
    input.require(TEXT);
    const text = input.prose(TEXT_CHARS_MAX);
    const subject = input.is(SUBJ) ? this.#subject() : {};
    const cause = input.is(CAUSE) ? this.#cause() : undefined;
    const latching = input.isTrue(LATCH);
    const acknowledgementRequired = input.isTrue(ACKR);
    const isReset = input.isTrue(RESET);
    const raise: Building<RaiseCommand> = {
      type: 'raise',
      actor,
      observedAt,
      dedupKey,
      kind,
      priority,
      condition,
      text,
      subject,
      latching,
      acknowledgementRequired,
    };
    if (isReset) raise.resetAfterClear = true;
    if (cause !== undefined) raise.cause = cause;
    if (input.is(TAGS)) raise.labels = this.#labels();
    if (input.is(ACKT)) raise.acknowledgementSeconds = input.whole(1, SECONDS_MAX);
    if (input.is(POL)) raise.policy = input.line(NAME_CHARS_MAX);
    if (expected >= 0) raise.expectedRevision = revision(expected);
    return raise;
  }

  #clear(observedAt: UnixMillis): ClearCommand {
    const actor = this.#actor();
    const expected = this.#revision();
    const clear: Building<ClearCommand> = {
      type: 'clear',
      actor,
      observedAt,
      target: this.#target(),
    };
    if (expected >= 0) clear.expectedRevision = revision(expected);
    return clear;
  }

  #acknowledge(observedAt: UnixMillis): AcknowledgeCommand {
    const actor = this.#actor();
    const expected = this.#revision();
    const acknowledge: Building<AcknowledgeCommand> = {
      type: 'acknowledge',
      actor,
      observedAt,
      target: this.#target(),
    };
    if (this.#in.is(ACT)) acknowledge.activation = this.#in.whole(1, ACTIVATION_MAX);
    if (this.#in.is(NOTE)) acknowledge.note = this.#in.prose(TEXT_CHARS_MAX);
    if (expected >= 0) acknowledge.expectedRevision = revision(expected);
    return acknowledge;
  }

  #target(): AlertRef {
    if (this.#in.is(ID)) {
      const id = this.#in.uniqueLine(NAME_CHARS_MAX);
      if (isAlertId(id)) return { id };
      this.#in.giveUp();
    }
    this.#in.require(KEY);
    return { dedupKey: this.#in.uniqueLine(DEDUP_KEY_CHARS_MAX) };
  }

  #subject(): Subject {
    const input = this.#in;
    const subject: Building<Subject> = {};
    const outer = input.enter();
    if (input.is(UNIT)) subject.unit = input.line(NAME_CHARS_MAX);
    if (input.is(BED)) subject.bed = input.line(NAME_CHARS_MAX);
    if (input.is(PATIENT)) subject.patient = input.patient(NAME_CHARS_MAX);
    if (input.is(DEVICE)) subject.device = input.line(NAME_CHARS_MAX);
    input.leave(outer);
    return sharedSubject(subject);
  }

  #cause(): Cause {
    const input = this.#in;
    const outer = input.enter();
    const metric = input.requiredLine(METRIC, NAME_CHARS_MAX);
    input.require(VALUE);
    const cause: Building<Cause> = { metric, value: input.isNil() ? null : input.number() };
    if (input.is(UNIT)) cause.unit = input.line(NAME_CHARS_MAX);
    if (input.is(LIMIT)) cause.limit = input.number();
    if (input.is(RULE)) cause.rule = input.line(NAME_CHARS_MAX);
    input.leave(outer);
    return sharedCause(cause);
  }

  /** In strict order, as they are written: so none occurs twice. */
  #labels(): Readonly<Record<string, string>> {
    const input = this.#in;
    const labels: Record<string, string> = {};
    const count = input.map();
    if (count > LABELS_MAX) input.giveUp();
    let before = '';
    for (let i = 0; i < count && !input.failed; i += 1) {
      const name = input.line(NAME_CHARS_MAX);
      if (name <= before || isForbiddenLabel(name)) input.giveUp();
      labels[name] = input.lineOrEmpty(NAME_CHARS_MAX);
      before = name;
    }
    return labels;
  }
}
