import type {
  ConnectOptions,
  Files,
  Input,
  Io,
  OperatorClient,
  Output,
  ParsedAddress,
  ServedReplica,
  Services,
  TrendApi,
} from '../../../cli/commands/io.ts';
import { run } from '../../../cli/commands/run.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { replicaId, revision } from '../../../src/base/ids.ts';
import { TrendsFeed } from '../../../src/replica/peers/trends-feed.ts';
import { RulesFeed } from '../../../src/replica/pipeline/rules-feed.ts';
import type { ServeOptions } from '../../../src/replica/start.ts';
import type {
  AlertHistory,
  AlertPage,
  Answer,
  CallOptions,
  ListedAlert,
  WatchMessage,
  WatchOptions,
} from '../../../src/statemachine/alert-api.ts';
import type { Alert, Done } from '../../../src/statemachine/types.ts';
import type { Identity } from '../../../src/storage/types.ts';
import type { ReplicaStatus } from '../../../src/wire/clients/status.ts';
import { fakeTrendServices } from '../trend/fake-trends.ts';
import { fakeFolderServices, fakeOperator, type OperatorAnswers } from './operator-world.ts';
import { aStatus, CLUSTER, NOW } from './records.ts';
import { KEPT, recordsNoted } from './world-records.ts';

export { anAlert, anEvent, aStatus, CLUSTER, NOW } from './records.ts';

/** A world for one command: its streams are texts, its replicas answer what a test tells them to. */

/** Of somebody who has set things up: two contexts, of which icu is in use, ed was before it. */
export const SETTLED: Pick<WorldOptions, 'env' | 'disk'> = {
  env: { HOME: '/u/nurse' },
  disk: {
    '/u/nurse/.config/tocsin/config.yaml':
      'context: icu\nprevious: ed\ncontexts:\n  icu: {endpoints: /ip4/10.0.0.1/tcp/7400}\n' +
      '  ed: {endpoints: /ip4/10.0.0.2/tcp/7400}\n',
  },
};

export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What a test may decide; the rest answers as a healthy cluster. */
export interface Answers {
  readonly done?: Done | Error;
  readonly kept?: Error;
  /** There are no records beside the alerts. */
  readonly isBare?: boolean;
  readonly alert?: ListedAlert | undefined;
  readonly pages?: readonly Answer<AlertPage>[];
  readonly history?: AlertHistory;
  readonly watch?: (options: WatchOptions) => AsyncIterable<WatchMessage>;
  readonly status?: (endpoint: string) => ReplicaStatus | Error;
  readonly connect?: Error;
  readonly replica?: ServedReplica | Error;
  readonly format?: Error;
  readonly operator?: OperatorAnswers;
  readonly trends?: TrendApi | Error;
  /** Stands in for a call that never ends until its signal is aborted. */
  readonly hang?: 'until-aborted' | 'for-ever';
  /** Why nobody can answer reads that must be sure; local ones are answered. */
  readonly doubt?: Error;
}

export interface WorldOptions {
  readonly answers?: Answers;
  readonly env?: Readonly<Record<string, string>>;
  readonly isJournaled?: boolean;
  readonly columns?: number;
  readonly isTTY?: boolean;
  /** Lines that somebody types; asked for once more, nothing comes. */
  readonly typed?: readonly string[];
  /** Somebody sits there and types nothing. */
  readonly isSilent?: boolean;
  readonly disk?: Readonly<Record<string, string>>;
}

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly Call[];
}

class Text implements Output {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  text = '';
  onWrite: () => void = () => {};

  constructor(isTTY: boolean, columns: number | undefined) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
    this.onWrite();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

export class World implements Io {
  readonly stdout: Text;
  readonly stderr: Text;
  readonly stdin: Input;
  readonly env: Readonly<Record<string, string>>;
  readonly isJournaled: boolean;
  readonly services: Services;
  /** Files of the user, by path. */
  readonly disk: Map<string, string>;
  readonly files: Files;
  readonly calls: Call[] = [];
  readonly #gone: AbortController = new AbortController();
  readonly #listeners: Set<() => void> = new Set();
  readonly #keys: Set<(key: string) => void> = new Set();

  constructor({
    answers = {},
    env = {},
    isJournaled = false,
    disk = {},
    columns,
    isTTY = false,
    typed = [],
    isSilent = false,
  }: WorldOptions = {}) {
    this.stdout = new Text(isTTY, columns);
    this.stderr = new Text(isTTY, columns);
    const lines = [...typed];
    this.stdin = {
      isTTY,
      readLine: () => (isSilent ? new Promise(() => {}) : Promise.resolve(lines.shift())),
      onKeys: isTTY ? (listener) => this.#listenTo(this.#keys, listener) : undefined,
    };
    this.env = env;
    this.isJournaled = isJournaled;
    this.disk = new Map(Object.entries(disk));
    this.files = {
      read: (path) => Promise.resolve(this.disk.get(path)),
      write: (path, text) => {
        this.disk.set(path, text);
        return Promise.resolve();
      },
    };
    this.services = fakeServices(answers, this.calls, () => lines.shift());
  }

  get outputGone(): AbortSignal {
    return this.#gone.signal;
  }

  /** How many still listen for Ctrl-C, or for keys. */
  get listeners(): number {
    return this.#listeners.size + this.#keys.size;
  }

  #listenTo<T>(listeners: Set<T>, listener: T): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  wall(): number {
    return NOW;
  }

  loginName(): string {
    return 'nurse';
  }

  onInterrupt(listener: () => void): () => void {
    return this.#listenTo(this.#listeners, listener);
  }

  press(key: string): void {
    for (const listener of [...this.#keys]) listener(key);
  }

  /** Ctrl-C. */
  interrupt(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** The reader of standard output goes away. */
  breakPipe(reason?: TocsinError): void {
    this.#gone.abort(reason);
  }

  /** Ctrl-C as soon as something was said. */
  interruptAfterOutput(): this {
    this.stdout.onWrite = () => queueMicrotask(() => this.interrupt());
    return this;
  }

  async run(...argv: readonly string[]): Promise<Result> {
    const status = await run(argv, this);
    return { status, stdout: this.stdout.text, stderr: this.stderr.text, calls: this.calls };
  }
}

/** Runs one command line in a world of its own. */
export const runIn = (options: WorldOptions, ...argv: readonly string[]): Promise<Result> =>
  new World(options).run(...argv);

export const DONE: Done = {
  ok: true,
  effect: 'raised',
  alertId: 'A1042',
  activation: 1,
  revision: revision(1042),
  state: 'ACTIVE_UNACK',
};

function fakeServices(answers: Answers, calls: Call[], typed: () => string | undefined): Services {
  const note = (method: string, ...args: readonly unknown[]): void => {
    calls.push({ method, args });
  };
  return {
    connect: (options: ConnectOptions) => {
      note('connect', options);
      return orThrow(answers.connect ?? fakeClient(answers, note));
    },
    startReplica: (options: ServeOptions) => {
      note('startReplica', options);
      return orThrow(answers.replica ?? fakeReplica());
    },
    ...fakeTrendServices(note, answers.trends),
    formatFolder: async (path: string, identity: Identity) => {
      note('formatFolder', path, identity);
      await orThrow(answers.format);
    },
    ...fakeFolderServices(note, answers.operator ?? {}),
    parseAddress: (text: string) => {
      const [, port] = /^\/ip4\/[\d.]+\/tcp\/(\d+)$/.exec(text) ?? [];
      return orThrow<ParsedAddress>(
        port === undefined ? new TocsinError('BAD_ADDRESS', text) : { text, port: Number(port) },
      );
    },
    readLines: ({ history }) =>
      Promise.resolve({
        next: () => Promise.resolve(typed()),
        onInterrupt: () => () => {},
        history: ['alert list', ...history],
        close: () => note('closeLines'),
      }),
    runProgram: (argv, input) => {
      note('runProgram', argv, input);
      return Promise.resolve(argv[0] === 'false' ? 1 : 0);
    },
    draw: () => Promise.resolve({ clusterId: CLUSTER, incarnation: 7 }),
  };
}

const orThrow = <T>(value: T | Error): Promise<T> =>
  value instanceof Error ? Promise.reject(value) : Promise.resolve(value);

function fakeClient(
  answers: Answers,
  note: (method: string, ...args: readonly unknown[]) => void,
): OperatorClient {
  const pages = [...(answers.pages ?? [pageOf([])])];
  const write =
    (method: string) =>
    (input: unknown, options?: CallOptions): Promise<Done> => {
      note(method, input, options);
      if (answers.hang === undefined) return orThrow(answers.done ?? DONE);
      return hang(answers.hang, options?.signal);
    };
  return {
    operator: fakeOperator(note, answers.operator ?? {}),
    raise: write('raise'),
    clear: write('clear'),
    acknowledge: write('acknowledge'),
    care: write('care'),
    records: recordsNoted(note, answers.isBare),
    keep: (input, options) => {
      note('keep', input, options);
      return orThrow(answers.kept ?? KEPT);
    },
    get: (ref, options) => {
      note('get', ref, options);
      const doubt = options?.consistency === 'local' ? undefined : answers.doubt;
      return orThrow(doubt ?? { value: answers.alert, revision: revision(1042) });
    },
    list: (filter, options) => {
      note('list', filter, options);
      const doubt = options?.consistency === 'local' ? undefined : answers.doubt;
      return orThrow(doubt ?? pages.shift() ?? pageOf([]));
    },
    history: (id, options) => {
      note('history', id, options);
      return Promise.resolve({ value: answers.history, revision: revision(1042) });
    },
    watch: (options = {}) => {
      note('watch', options);
      const told: WatchMessage = { type: 'progress', revision: revision(1042) };
      return (answers.watch ?? messages([told]))(options);
    },
    status: (endpoint = '', options) => {
      note('status', endpoint, options);
      return orThrow(answers.status?.(endpoint) ?? aStatus(idAt(endpoint)));
    },
    close: () => {
      note('close');
      return Promise.resolve();
    },
  };
}

/** The members of the healthy cluster have their ids as the last number of their addresses. */
const idAt = (endpoint: string): number => Number(/\.([123])\/tcp/.exec(endpoint)?.[1] ?? 1);

const hang = (how: 'until-aborted' | 'for-ever', signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (how === 'for-ever') return;
    signal?.addEventListener('abort', () =>
      reject(new TocsinError('OUTCOME_UNKNOWN', 'the caller gave up waiting')),
    );
  });

export const pageOf = (alerts: readonly Alert[], next?: Alert['id']): Answer<AlertPage> => ({
  value: { alerts, next: next && `${next}@1042` },
  revision: revision(1042),
});

/** Tells these and waits until it is ended. */
export const messages = (all: readonly WatchMessage[]) =>
  async function* (options: WatchOptions): AsyncGenerator<WatchMessage, void, undefined> {
    yield* all;
    const { signal } = options;
    if (signal === undefined || signal.aborted) return;
    await new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
  };

export function fakeReplica(fault?: Promise<TocsinError | undefined>): ServedReplica {
  let end: (fault: TocsinError | undefined) => void = () => {};
  const closed = new Promise<TocsinError | undefined>((resolve) => {
    end = resolve;
  });
  void fault?.then(end);
  return {
    identity: {
      clusterId: CLUSTER,
      replicaId: replicaId(1),
      incarnation: 7,
      members: [{ id: replicaId(1), address: '/ip4/10.0.0.1/tcp/7400' }],
    },
    rules: new RulesFeed(),
    trends: new TrendsFeed(),
    address: '/ip4/10.0.0.1/tcp/7400',
    closed,
    close: async () => {
      end(undefined);
      await closed;
    },
  };
}
