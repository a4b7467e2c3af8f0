/** A replicated store under measurement: three members on this machine, each with its own folder. */
export interface Store {
  readonly name: string;
  readonly version: string;
  /** What `put` means when it resolves, and what the client is. */
  readonly promises: string;
  put(n: number): Promise<unknown>;
  /** A linearizable read of one value; undefined where the store has none. */
  readonly get: ((n: number) => Promise<unknown>) | undefined;
  readonly pids: readonly number[];
  close(): Promise<void>;
}

/** Starts a store with values of so many bytes, or says why it cannot be measured here. */
export type Opener = (valueBytes: number) => Promise<Store | string>;

export const KEYS = 10_000;
