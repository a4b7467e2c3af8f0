import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NamespacedNetwork } from '../../jepsen-lite/network/namespaced-network.ts';
import { CALLERS, type NetworkPlace } from '../../jepsen-lite/network/network.ts';
import { system } from '../../jepsen-lite/system.ts';
import { must } from '../../src/base/assert.ts';

const canMake = await NamespacedNetwork.open().then(
  () => true,
  () => false,
);
const inNamespaces = test.skipIf(!canMake);

/** Prints what it is sent, and says so to whoever sent it. */
const LISTENER = `
const [, host, port] = process.argv;
require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    process.stdout.write(bytes);
    socket.write(bytes);
  });
}).listen(Number(port), host, () => process.stdout.write('!'));
`;

let network: NamespacedNetwork | undefined;
let children: ChildProcess[];
let sockets: Socket[];

/** What it was sent so far. */
async function listening({ command, listen }: NetworkPlace): Promise<() => string> {
  const [, , host = '', , port = ''] = listen.split('/');
  const words = [...command, process.execPath, '-e', LISTENER, host, port];
  const [first = '', ...args] = words;
  const child = spawn(first, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += String(chunk);
  });
  await vi.waitFor(() => expect(printed).toBe('!'), 20_000);
  return () => printed.slice(1);
}

async function dialled({ address }: NetworkPlace): Promise<Socket> {
  const [, , host = '', , port = ''] = address.split('/');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  sockets.push(socket);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return socket;
}

beforeEach(() => {
  children = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const child of children) {
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }
  await network?.close();
  network = undefined;
});

inNamespaces(
  'a cut between namespaces loses one direction, and TCP sends again when it ends (needs root)',
  { timeout: 60_000 },
  async () => {
    network = await NamespacedNetwork.open();
    const place = await network.join(1);
    const received = await listening(place);
    const socket = await dialled(place);
    let answered = '';
    socket.on('data', (chunk) => {
      answered += String(chunk);
    });
    socket.write('a');
    await vi.waitFor(() => expect(answered).toBe('a'), 20_000);
    const back = await network.disturb(1, CALLERS, { kind: 'cut' });
    socket.write('b');
    await vi.waitFor(() => expect(received()).toBe('ab'), 20_000);
    expect(answered, 'one way alone is cut').toBe('a');
    await back();
    await vi.waitFor(() => expect(answered).toBe('ab'), 20_000);
    const first = await network.disturb(CALLERS, 1, { kind: 'cut' });
    const second = await network.disturb(CALLERS, 1, { kind: 'cut' });
    await first();
    await new Promise<void>((resolve) => socket.write('c', () => resolve()));
    expect(received(), 'one of two cuts is left').toBe('ab');
    await second();
    await vi.waitFor(() => expect(received()).toBe('abc'), 20_000);
  },
);

inNamespaces(
  'two replicas reach each other, and a reset breaks what is connected (needs root)',
  { timeout: 60_000 },
  async () => {
    network = await NamespacedNetwork.open();
    const [one, two] = [await network.join(1), await network.join(2)];
    const received = await listening(two);
    const [, , host = '', , port = ''] = two.address.split('/');
    const dial = `const s = require('node:net').connect(${port}, '${host}', () => s.end('from one'))`;
    const [first = '', ...args] = [...one.command, process.execPath, '-e', dial];
    expect(spawnSync(first, args, { encoding: 'utf8' }).stderr).toBe('');
    await vi.waitFor(() => expect(received()).toBe('from one'), 20_000);
    const socket = await dialled(two);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await network.reset(2);
    await closed;
  },
);

inNamespaces('what a killed run left behind is removed by the next one (needs root)', async () => {
  const gone = must(spawnSync('true').pid, 'a process that is over');
  const name = `tj${gone}-1`;
  await system(['ip', 'netns', 'add', name]);
  network = await NamespacedNetwork.open();
  expect(await system(['ip', 'netns', 'list'])).not.toContain(name);
});
