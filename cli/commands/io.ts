import type { Operator } from '../../src/client/operator.ts';
import type { TrendClient } from '../../src/client/trend/trend-client.ts';
import type { BackupReport } from '../../src/replica/restore.ts';
import type { RunningReplica, ServeOptions } from '../../src/replica/start.ts';
import type { AlertApi, CallOptions, CareApi } from '../../src/statemachine/alert-api.ts';
import type { EntryLine, FolderReport } from '../../src/storage/inspect.ts';
import type { Recovery } from '../../src/storage/recover.ts';
import type { Identity } from '../../src/storage/types.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import type { Lines, LinesOptions } from '../shell/lines.ts';
import type { RunningTrends, TrendThreadOptions } from '../trend/trend-thread.ts';

/** All that a command touches outside itself, so that a test can hand it a world of its own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether whoever takes in standard error notes the time of each line: the journal of systemd does. */
  readonly isJournaled: boolean;
  /** Milliseconds since 1970, for ages. */
  wall(): number;
  loginName(): string;
  /** Calls `listener` at each Ctrl-C or request to end, until the function it returns is called. */
  onInterrupt(listener: () => void): () => void;
  /** Aborted when nobody reads standard output any more; with a TocsinError as reason where it cannot take any more. */
  readonly outputGone: AbortSignal;
  readonly files: Files;
  readonly services: Services;
}

/** The few files of the user that commands read and write as a whole. */
export interface Files {
  /** Undefined = there is no such file. @throws TocsinError USAGE when it cannot be read */
  read(path: string): Promise<string | undefined>;
  /** Makes the folders above it; all of it or nothing. @throws TocsinError USAGE */
  write(path: string, text: string): Promise<void>;
}

/** Runs one command line in a world; resolves with its exit status, never rejects. */
export type RunLine = (argv: readonly string[], io: Io) => Promise<number>;

export interface Output {
  readonly isTTY: boolean;
  /** Width of the terminal; undefined when there is none. */
  readonly columns: number | undefined;
  write(text: string): void;
  /** Resolves when what was written is out, or can never be. */
  flush(): Promise<void>;
}

export interface Input {
  readonly isTTY: boolean;
  /** One line without its end; undefined = there is none any more. */
  readLine(): Promise<string | undefined>;
  /**
   * Calls `listener` with each key at once, until the function it returns is called. Undefined = keys cannot be had one at
   * a time.
   */
  readonly onKeys?: ((listener: (key: string) => void) => () => void) | undefined;
}

/** The parts that do the work, each loaded when first called: help must not wait for them. */
export interface Services {
  connect(options: ConnectOptions): Promise<OperatorClient>;
  startReplica(options: ServeOptions): Promise<ServedReplica>;
  /** Runs the trend tier beside it, in a thread of its own. */
  startTrends(options: TrendThreadOptions): Promise<RunningTrends>;
  connectTrends(options: ConnectOptions): Promise<TrendApi>;
  formatFolder(path: string, identity: Identity): Promise<void>;
  /** What a data folder holds, all of it verified. @throws TocsinError DATA_*, DISK_FAILED */
  inspectFolder(path: string): Promise<FolderReport>;
  /** The entries of a log, one after another. @throws the same */
  dumpLog(path: string, from: number, to: number): AsyncIterable<EntryLine>;
  /** Writes a snapshot into one file. @throws TocsinError DATA_CORRUPT, DISK_FAILED, DISK_FULL */
  writeBackup(path: string, clusterId: string, source: BackupSource): Promise<void>;
  /** What such a file holds, all of it verified. @throws TocsinError DATA_MISSING, DATA_CORRUPT, DISK_FAILED */
  examineBackup(path: string): Promise<BackupReport>;
  /** Formats a folder so that it begins with what such a file holds. @throws TocsinError DATA_*, DISK_FAILED, DISK_FULL */
  restoreFolder(folder: string, path: string, identity: Identity): Promise<BackupReport>;
  /** Makes the replica of a folder a cluster of its own. @throws the same */
  recoverFolder(path: string, clusterId: string): Promise<Recovery>;
  /** The address in its one spelling. @throws TocsinError BAD_ADDRESS */
  parseAddress(text: string): Promise<ParsedAddress>;
  /**
   * Runs a program with a text on its standard input and our own output; its exit status, 128 and the signal's number
   * more where a signal ended it. @throws TocsinError USAGE when it cannot be started
   */
  runProgram(argv: readonly string[], input: string, signal: AbortSignal): Promise<number>;
  /** The lines that somebody types, or that stand on standard input. */
  readLines(options: LinesOptions): Promise<Lines>;
  /** A name for a new cluster, and the number of a new data folder. */
  draw(): Promise<{ readonly clusterId: string; readonly incarnation: number }>;
}

/** All that `serve` may do with a replica. */
export type ServedReplica = Omit<RunningReplica, 'replica'>;

export interface ParsedAddress {
  readonly text: string;
  readonly port: number;
}

/** As `ClientOptions` of src/client. */
export interface ConnectOptions {
  readonly endpoints: readonly string[];
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What the command line needs of a client. */
/** Where the parts of a snapshot come from; without a number, what it says of itself. */
export type BackupSource = (chunk: number | undefined) => Promise<Uint8Array>;

export interface OperatorClient extends AlertApi, CareApi {
  status(endpoint?: string, options?: CallOptions): Promise<ReplicaStatus>;
  readonly operator: Pick<Operator, 'change' | 'transfer' | 'drain' | 'snapshot' | 'snapshotPart'>;
  close(): Promise<void>;
}

/** What the command line needs of a client of the trend tier. */
export type TrendApi = Pick<TrendClient, 'query' | 'queryAll' | 'writer' | 'close'>;
