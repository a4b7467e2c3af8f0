import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { Worker } from 'node:worker_threads';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  onTestFinished,
  test,
  vi,
} from 'vitest';

/** Tests that leave something open, and tests that do not. test/leaks.test.ts knows which must fail: by their names. */

const IDLE = 'setInterval(() => {}, 1000)';

async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('leaks', () => {
  test('a server', async () => {
    await listen();
  });
  test('a connection', async () => {
    const server = await listen();
    await once(connect((server.address() as AddressInfo).port, '127.0.0.1'), 'connect');
    server.close();
  });
  test('an interval', () => {
    setInterval(() => {}, 60_000);
  });
  test('a timeout, behind fake timers', () => {
    setTimeout(() => {}, 60_000);
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
  });
  test('a process', () => {
    // Ends with this process, however that ends: nothing may outlive the tests.
    const script = "process.stdin.resume().once('end', () => process.exit())";
    spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  });
  test('a thread', async () => {
    await once(new Worker(IDLE, { eval: true }), 'online');
  });
  test.runIf(process.platform === 'linux')('a file', () => {
    openSync(import.meta.filename, 'r');
  });
});

describe('closes', () => {
  test('a server', async () => {
    (await listen()).close();
  });
  test('a server when the test is over', async () => {
    const server = await listen();
    onTestFinished(() => void server.close());
  });
  test('a connection', async () => {
    const server = await listen();
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    server.close();
  });
  test('timers', () => {
    clearInterval(setInterval(() => {}, 60_000));
    clearTimeout(setTimeout(() => {}, 60_000));
    setTimeout(() => {}, 60_000).unref();
    setTimeout(() => {}, 20);
  });
  test('a process, by a kill nobody waits for', () => {
    spawn(process.execPath, ['-e', IDLE]).kill('SIGKILL');
  });
  test('a thread', async () => {
    const thread = new Worker(IDLE, { eval: true });
    await once(thread, 'online');
    await thread.terminate();
  });
});

describe('closes, by hooks', () => {
  let ofAll: Server;
  let ofEach: Server;
  beforeAll(async () => {
    ofAll = await listen();
  });
  afterAll(() => void ofAll.close());
  beforeEach(async () => {
    ofEach = await listen();
    const timer = setInterval(() => {}, 60_000);
    return () => clearInterval(timer);
  });
  afterEach(() => void ofEach.close());
  test('once', () => {});
  test('and again', () => {});
});
