import { ALERTS_GROUP, logIndex, term } from '../../src/base/ids.ts';
import type { AppendReply, Message, Ready } from '../../src/raft/types.ts';
import type { RaiseCommand } from '../../src/statemachine/types.ts';
import type { Channel } from '../../src/transport/types.ts';
import { decodeShared } from '../../src/wire/clients/watch-messages.ts';
import { encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Hello } from '../../src/wire/handshake.ts';

/** A Ready that wants nothing but what is given. */
export const readyOf = (wanted: Partial<Ready>): Ready => ({
  send: [],
  snapshot: undefined,
  truncateFrom: undefined,
  append: [],
  hardState: undefined,
  sendAfterSync: [],
  committed: logIndex(0),
  reads: [],
  readsDropped: [],
  logReads: [],
  snapshotOffer: undefined,
  ...wanted,
});

/** A message that can be told from others by its number. */
export const numbered = (number: number): Message => ({
  type: 'append-reply',
  from: 1 as AppendReply['from'],
  to: 2 as AppendReply['to'],
  term: term(1),
  accepted: true,
  index: logIndex(number),
  hint: { index: logIndex(number), term: term(1) },
});

export const numberOf = (message: Message): number =>
  message.type === 'append-reply' ? message.index : -1;

/** How a client introduces itself. */
export const CLIENT: Hello = {
  role: 'client',
  lane: 'client',
  clusterId: '',
  replicaId: undefined,
  incarnation: 0,
  agent: 'test',
};

export interface SentFrame {
  readonly type: FrameType;
  readonly id: number;
  readonly body: Uint8Array;
}

/** One end of a connection: what is sent is kept, and its socket takes only what the test lets it. */
export class ScriptedChannel implements Channel {
  readonly remote: Hello = CLIENT;
  readonly remoteAddress = 'test';
  readonly sent: SentFrame[] = [];
  /** Of what the socket has not taken. */
  queuedBytes = 0;
  /** Whether sent bytes stay in the queue until `drain`. */
  isSlow = false;
  sendBytesMax: number = Number.POSITIVE_INFINITY;
  isClosed = false;
  reason: Error | undefined;
  onFrame: Channel['onFrame'] = () => {};
  onDrain: Channel['onDrain'] = () => {};
  onClose: Channel['onClose'] = () => {};

  send(type: FrameType, _group: number, id: number, body: readonly Uint8Array[]): boolean {
    const bytes = Buffer.concat(body);
    if (this.isClosed || this.queuedBytes + bytes.byteLength > this.sendBytesMax) return false;
    this.sent.push({ type, id, body: bytes });
    if (this.isSlow) this.queuedBytes += bytes.byteLength;
    return true;
  }

  /** The bodies of WATCH_MESSAGES that a watch was sent, alone or with others. */
  watched(id: number): readonly Uint8Array[] {
    return this.sent.flatMap(({ type, id: sentTo, body }) => {
      if (type === FrameType.WATCH_MESSAGES) return sentTo === id ? [body] : [];
      if (type !== FrameType.WATCH_SHARED) return [];
      const { ids, messages } = decodeShared(body);
      return ids.includes(id) ? [messages] : [];
    });
  }

  /** The socket has taken everything. */
  drain(): void {
    this.queuedBytes = 0;
    this.onDrain();
  }

  /** A frame of the other side arrives. */
  take(type: FrameType, id: number, body: Uint8Array | readonly Uint8Array[] = []): void {
    const whole = body instanceof Uint8Array ? body : Buffer.concat(body);
    if (!this.isClosed) this.onFrame(type, ALERTS_GROUP, id, whole);
  }

  flush(): void {}
  pause(): void {}
  resume(): void {}

  close(reason?: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.reason = reason;
    queueMicrotask(() => this.onClose(reason));
  }
}

export const raiseOf = (dedupKey: string, text = 'text'): RaiseCommand => ({
  type: 'raise',
  actor: 'test',
  observedAt: 1_700_000_000_000 as RaiseCommand['observedAt'],
  dedupKey,
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text,
  subject: {},
  latching: false,
  acknowledgementRequired: false,
});

/** The record of one raise; the same key, the same request. */
export const raiseRecord = (dedupKey: string, text?: string): Uint8Array =>
  encodeCommand(raiseOf(dedupKey, text), keyFromText(dedupKey));
