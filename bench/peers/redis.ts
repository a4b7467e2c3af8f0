import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../../cli/local/free-ports.ts';
import { must } from '../../src/base/assert.ts';
import { Processes, until, versionOf } from './processes.ts';
import { KEYS, type Store } from './store.ts';

const MEMBERS = 3;
const CONNECTIONS = 64;
const WAIT_MS = 1_000;

/** Redis with `appendfsync always`, and WAIT for one replica after each SET: about a majority of three. */
export async function openRedis(valueBytes: number): Promise<Store | string> {
  const program = process.env['REDIS_BIN'] ?? 'redis-server';
  const version = versionOf(program, ['--version']);
  if (version === undefined) return `${program} is not installed (Debian: redis-server)`;
  const ports = await freePorts(MEMBERS);
  const primary = must(ports[0], 'a port is missing');
  const processes = await Processes.open('redis');
  for (const port of ports)
    processes.start(program, [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'always'],
      ...['--dir', processes.folder, '--appenddirname', `aof-${port}`],
      ...['--dbfilename', `${port}.rdb`, '--logfile', join(processes.folder, `${port}.log`)],
      ...(port === primary ? [] : ['--replicaof', '127.0.0.1', String(primary)]),
    ]);
  const lines = await until(() =>
    Promise.all(Array.from({ length: CONNECTIONS }, () => RedisLine.open(primary))),
  );
  const lineFor = (n: number): RedisLine => must(lines[n % CONNECTIONS], 'no connection');
  await until(async () => {
    if ((await lineFor(0).ask(['WAIT', '2', '500'], 1)) !== ':2') throw new Error('no replicas');
  });
  const value = 'x'.repeat(valueBytes);
  return {
    name: 'redis',
    version,
    promises:
      'synced on the primary, received by one replica (WAIT 1), not synced there; no agreement: a failover may lose it',
    put: async (n) => {
      const told = await lineFor(n).ask(
        ['SET', `bench:${n % KEYS}`, value, '\n', 'WAIT', '1', String(WAIT_MS)],
        2,
      );
      if (told !== ':1' && told !== ':2') throw new Error(`redis answered ${told}`);
    },
    get: undefined,
    pids: processes.pids,
    close: async () => {
      for (const line of lines) line.close();
      await processes.close();
    },
  };
}

interface Waiting {
  replies: number;
  readonly resolve: (last: string) => void;
  readonly reject: (error: Error) => void;
}

/** One connection, pipelined. Understands the replies that one line holds, which is all that SET and WAIT give. */
class RedisLine {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #rest = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#take(bytes.toString('latin1')));
    socket.on('error', (error) => {
      for (const one of this.#waiting.splice(0)) one.reject(error);
    });
  }

  static async open(port: number): Promise<RedisLine> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RedisLine(socket);
  }

  /** Sends words, a line feed between two commands; resolves with the last of `replies` replies. */
  ask(words: readonly string[], replies: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ replies, resolve, reject });
      this.#socket.write(encode(words));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const first = must(this.#waiting[0], `redis said ${line} to nobody`);
      first.replies -= 1;
      if (first.replies > 0 && !line.startsWith('-')) continue;
      this.#waiting.shift();
      if (line.startsWith('-')) first.reject(new Error(line));
      else first.resolve(line);
    }
  }
}

/** RESP 2: each command an array of bulk strings. */
function encode(words: readonly string[]): string {
  const commands: string[][] = [[]];
  for (const word of words)
    if (word === '\n') commands.push([]);
    else commands.at(-1)?.push(word);
  return commands
    .map((command) =>
      [`*${command.length}`, ...command.flatMap((word) => [`$${word.length}`, word]), ''].join(
        '\r\n',
      ),
    )
    .join('');
}
