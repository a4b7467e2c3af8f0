import type { GroupId, ReplicaId } from '../base/ids.ts';
import type { FrameType } from '../wire/frame.ts';
import type { Hello } from '../wire/handshake.ts';

/** Which of a peer's connections: each has its own socket, so that a long log cannot delay a heartbeat. */
export type Lane = 'control' | 'log' | 'bulk' | 'client';

/** Frames in both directions over one connection whose two ends know who they are. */
export interface Channel {
  /** How the other side introduced itself. */
  readonly remote: Hello;
  /** For logs and messages. */
  readonly remoteAddress: string;
  /** Bytes accepted by `send` that the system has not taken yet. */
  readonly queuedBytes: number;
  /**
   * Queues one frame. False = the queue is over its bound (or the channel is closed) and nothing was queued; the caller
   * drops, waits for `onDrain`, or closes. Frames of one turn of the loop leave together. The parts are not copied, so
   * they must never change afterwards.
   */
  send(type: FrameType, group: GroupId, id: number, body: readonly Uint8Array[]): boolean;
  /** Hands over at once what `send` has queued, for whoever has more to do in this turn and must not let it wait. */
  flush(): void;
  /**
   * Called for each whole frame, in order; never from within a call to this channel, never after `close`. `body` is
   * the callee's to keep. Until it is set nothing is read, so no frame is lost. PING is answered here and not passed
   * on; PONG is passed on. What it throws ends the process as an uncaught exception.
   */
  onFrame: (type: FrameType, group: GroupId, id: number, body: Uint8Array) => void;
  /** Called when a queue that refused a frame, or had to wait for the system, has been handed over. */
  onDrain: () => void;
  /**
   * Called once, when the connection is let go, also after `close` on this side; never from within a call to this
   * channel. `reason` is undefined after an orderly close by either side (a process that was killed looks like that
   * too); what either side gave to `close`, if it gave one; else CONNECTION_LOST.
   */
  onClose: (reason: Error | undefined) => void;
  /** Stops reading until `resume`, so that the other side waits. No frame, PING included, is taken in meanwhile. */
  pause(): void;
  resume(): void;
  /**
   * Closes. What is queued still goes out if it can within CLOSE_MS_MAX, and `reason` last, when it is a TocsinError.
   */
  close(reason?: Error): void;
}

export interface Listener {
  /** With the port that was really taken. */
  readonly address: string;
  /** Stops listening and closes every connection that was let in; resolves when all are let go. */
  close(): Promise<void>;
}

/** How connections are made. Production: @libp2p/tcp. Simulator: memory. */
export interface Transport {
  /**
   * Listens until closed. Connections over CONNECTIONS_MAX are refused with OVERLOADED, and clients before that: the rest is
   * for peers (CONNECTIONS_PEERS_SHARE).
   * @throws TocsinError BAD_ADDRESS, ADDRESS_IN_USE
   */
  listen(address: string, self: Hello, accept: Accept): Promise<Listener>;
  /**
   * Connects and introduces itself.
   * @throws TocsinError BAD_ADDRESS; CONNECTION_LOST; HANDSHAKE_TIMEOUT; WRONG_CLUSTER or WRONG_REPLICA when the other
   * side is not what `expect` says; FRAME_MALFORMED and the like when it speaks something else; CANCELLED when `signal`
   * was aborted (or its reason, if that is a TocsinError); and the code of whatever the other side refused with
   */
  dial(address: string, self: Hello, signal: AbortSignal, expect?: Expected): Promise<Channel>;
}

/** Whom the caller means to reach; an absent field accepts anyone. */
export interface Expected {
  readonly clusterId?: string;
  readonly replicaId?: ReplicaId;
}

/**
 * Decides on an introduction: `judge` throws a TocsinError to refuse; `open` receives the channel of one it let in. Both
 * are called in one turn, `open` just after the answer was queued.
 */
export interface Accept {
  judge(remote: Hello): void;
  open(channel: Channel): void;
}
