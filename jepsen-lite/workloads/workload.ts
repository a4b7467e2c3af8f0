import type { Prng } from '../../src/base/prng.ts';
import type { Client } from '../../src/client/client.ts';
import type { SessionOptions } from '../../src/client/write-session.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import type { Finding } from '../../src/testing/checkers/history.ts';
import type { Recorder } from '../../src/testing/workload/recorder.ts';
import type { Span } from '../nemeses/nemesis.ts';

/** What one caller does, one thing after the other. */
export interface Work {
  /** Goes on over another connection. */
  use(client: Client): void;
  next(): Promise<void>;
}

/** What every kind of work is given. */
export interface WorkParts {
  readonly recorder: Recorder;
  /** Milliseconds since the run began. */
  readonly now: () => number;
  readonly timeoutMs: number;
  /** Goes before the names of everything that this kind of work makes. */
  readonly namespace: string;
}

/** One call of a caller, for plots. */
export interface Timing {
  readonly call: number;
  /** Infinity when no answer came. */
  readonly end: number;
  readonly kind: 'write' | 'read' | 'refused' | 'none' | 'unknown';
}

/** What was seen of the replicas while work went on. */
export interface Seen {
  /** The lines that they wrote. */
  readonly printed: readonly string[];
  /** When something was broken, in milliseconds since the run began. */
  readonly spans: readonly Pick<Span, 'from' | 'to'>[];
}

/** What a kind of work knows beside the recorded operations, for a checker of its own. */
export interface Account {
  /** Makes what has to be there before anybody begins. */
  prepare(client: Client): Promise<void>;
  /** Notes a change that is its own; true = no other checker can account for it. */
  take(event: AlertEvent, seenAt: number): boolean;
  /** What has yet to happen by itself; undefined = nothing. */
  unfinished(): string | undefined;
  judge(seen: Seen): {
    readonly findings: readonly Finding[];
    /** For people, by name. */
    readonly figures: Readonly<Record<string, string | number>>;
    /** Calls that are not among the recorded operations. */
    readonly timings: readonly Timing[];
  };
}

/** A kind of work that goes on in one run. */
export interface Opened {
  readonly workload: Workload;
  readonly account: Account | undefined;
  /** The work of one caller, which begins with this connection. */
  work(client: Client, process: number, prng: Prng): Work;
}

/** A kind of work. */
export interface Workload {
  readonly name: string;
  readonly watchers: number;
  /** Operations after which a caller connects anew; undefined = never. */
  readonly reconnectAfter?: number;
  /** Commands have places in a session of the cluster. */
  readonly session?: SessionOptions;
  /** Replicas have to page to where the harness can read it: a cluster of its own alone does. */
  readonly needsPages?: boolean;
  open(parts: WorkParts): Opened;
}
