import { TocsinError } from '../base/errors.ts';
import { ALERTS_GROUP, type Millis } from '../base/ids.ts';
import { FrameType } from '../wire/frame.ts';
import { decodeHello, encodeHello, type Hello } from '../wire/handshake.ts';
import { type ChannelOptions, FrameChannel } from './channel.ts';
import type { Link } from './link.ts';
import type { Accept, Channel, Expected } from './types.ts';

export interface IntroductionOptions extends ChannelOptions {
  /** How long the other side may take to introduce itself. */
  readonly handshakeMsMax: Millis;
}

/** The dialling side: says HELLO, and resolves when the other side's WELCOME is what was expected. */
export function introduce(
  link: Link,
  self: Hello,
  expect: Expected,
  signal: AbortSignal,
  options: IntroductionOptions,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const channel = new FrameChannel(link, options);
    const settle = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (reason: Error): void => {
      settle();
      reject(reason);
    };
    const refuse = (reason: Error): void => {
      fail(reason);
      channel.close(reason);
    };
    const onAbort = (): void => {
      const reason = cancelled(signal);
      fail(reason);
      channel.abandon(reason);
    };
    const timer = options.clock.after(options.handshakeMsMax, () => refuse(silent(link)));
    signal.addEventListener('abort', onAbort);

    channel.onClose = (reason) => fail(reason ?? endedEarly(link));
    channel.onFrame = (type, _group, _id, body) => {
      const remote = readHello(channel, type, FrameType.WELCOME, body);
      if (remote === undefined) return;
      const problem = mismatch(expect, remote);
      if (problem !== undefined) return refuse(problem);
      settle();
      channel.admit(remote);
      resolve(channel);
    };
    channel.send(FrameType.HELLO, ALERTS_GROUP, 0, [encodeHello(self)]);
    if (signal.aborted) onAbort();
  });
}

/** The listening side: waits for HELLO, lets `accept` judge it, and answers WELCOME or REFUSE. */
export function receive(
  link: Link,
  self: Hello,
  accept: Accept,
  options: IntroductionOptions,
): FrameChannel {
  const channel = new FrameChannel(link, options);
  const timer = options.clock.after(options.handshakeMsMax, () => channel.close(silent(link)));
  channel.onClose = () => timer.cancel();
  channel.onFrame = (type, _group, _id, body) => {
    timer.cancel();
    try {
      const remote = readHello(channel, type, FrameType.HELLO, body);
      if (remote === undefined || !judge(channel, remote, accept)) return;
      channel.send(FrameType.WELCOME, ALERTS_GROUP, 0, [encodeHello(self)]);
      channel.admit(remote);
      accept.open(channel);
    } catch (error) {
      // A bug, which is on its way to the process. Nobody owns the connection, so it must not stay.
      channel.abandon();
      throw error;
    }
  };
  return channel;
}

/** Why a dial ends when its caller has given up. */
export function cancelled(signal: AbortSignal): TocsinError {
  if (TocsinError.is(signal.reason)) return signal.reason;
  return new TocsinError('CANCELLED', 'the dial was called off', { cause: signal.reason });
}

/** The introduction in a frame, or undefined after the channel was closed because there is none. */
function readHello(
  channel: FrameChannel,
  type: FrameType,
  wanted: FrameType,
  body: Uint8Array,
): Hello | undefined {
  try {
    if (type !== wanted)
      throw new TocsinError('FRAME_MALFORMED', `frame of type ${type} before the introduction`);
    return decodeHello(body);
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    channel.close(error);
    return undefined;
  }
}

function judge(channel: FrameChannel, remote: Hello, accept: Accept): boolean {
  try {
    accept.judge(remote);
    return true;
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    channel.close(error);
    return false;
  }
}

function mismatch(expect: Expected, remote: Hello): TocsinError | undefined {
  if (expect.clusterId !== undefined && remote.clusterId !== expect.clusterId)
    return new TocsinError(
      'WRONG_CLUSTER',
      `reached cluster ${remote.clusterId}, not ${expect.clusterId}`,
    );
  if (expect.replicaId !== undefined && remote.replicaId !== expect.replicaId)
    return new TocsinError(
      'WRONG_REPLICA',
      `reached replica ${remote.replicaId ?? 'without an id'}, not ${expect.replicaId}`,
    );
  return undefined;
}

const silent = (link: Link): TocsinError =>
  new TocsinError('HANDSHAKE_TIMEOUT', `${link.remoteAddress} did not introduce itself in time`);

const endedEarly = (link: Link): TocsinError =>
  new TocsinError('CONNECTION_LOST', `${link.remoteAddress} closed before it introduced itself`);
