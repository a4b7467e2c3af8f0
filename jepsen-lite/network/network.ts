import type { End } from '../end.ts';

/** Everybody who calls from outside, as a place beside the replicas' numbers. */
export const CALLERS = 0;

/** What one direction between two places does to what passes. */
export type Disturbance =
  /** Nothing passes; connections are not told. */
  | { readonly kind: 'cut' }
  /** Everything is late by so much, and up to as much again. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Chances for a frame of agreement, or for a packet. */
  | { readonly kind: 'loss' | 'duplicate' | 'reorder'; readonly chance: number };

export type NetworkFault = Disturbance['kind'] | 'reset';

/** Where one replica lives. */
export interface NetworkPlace {
  /** Where everybody dials it. */
  readonly address: string;
  /** Where it listens. */
  readonly listen: string;
  /** Goes before the command that runs it. */
  readonly command: readonly string[];
}

/**
 * What carries bytes between the replicas of a test, and from callers to them; every direction of every link can be
 * disturbed by itself, by several faults at once.
 */
export interface Network {
  /** What it is made of, for people. */
  readonly says: string;
  readonly breaks: ReadonlySet<NetworkFault>;
  /** Makes a place for a replica, once. */
  join(id: number): Promise<NetworkPlace>;
  /** Until the end that it returns; what others do to the same direction stays. */
  disturb(from: number, to: number, what: Disturbance): Promise<End>;
  /** Breaks every connection of a replica. */
  reset(id: number): Promise<void>;
  /** Ends every disturbance. */
  heal(): Promise<void>;
  close(): Promise<void>;
}
