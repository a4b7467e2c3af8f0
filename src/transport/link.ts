/**
 * One connection as bytes: what a channel needs of a socket, or of what stands in for one.
 *
 *  1. Bytes arrive in the order in which they were written, or the link ends with a reason.
 *  2. Nothing reaches the events before `attach`, and nothing after `destroy`.
 *  3. `ended` comes at most once, and is the last event.
 */
export interface Link {
  /** Multiaddr of the other side. */
  readonly remoteAddress: string;
  /** Bytes written that the system has not taken yet. */
  readonly unsentBytes: number;
  /** True from a write that filled the link until `drained`; nothing may be written meanwhile. */
  readonly full: boolean;
  attach(events: LinkEvents): void;
  /** `bytes` must not change any more. */
  write(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Tells the other side that nothing follows what was written. Reading goes on, until it answers with the same. */
  end(): void;
  /** Lets go of everything at once, written bytes included. Harmless when repeated. */
  destroy(): void;
}

/** What happens on a link. What these throw must reach the process as an uncaught exception. */
export interface LinkEvents {
  received(chunk: Uint8Array): void;
  drained(): void;
  /** The other side is gone: in good order (undefined), or not. Nothing can be sent any more. */
  ended(reason: Error | undefined): void;
}
