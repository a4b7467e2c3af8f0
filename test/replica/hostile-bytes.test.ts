import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { groupId, replicaId } from '../../src/base/ids.ts';
import { FRAME_BYTES_MAX } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { connect } from '../../src/client/client.ts';
import { startReplica } from '../../src/replica/start.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId } from '../../src/storage/identity.ts';
import { decodeFail } from '../../src/wire/clients/client-messages.ts';
import { FrameReader, FrameType, frameHeader, isFrameType } from '../../src/wire/frame.ts';
import { encodeHello, type Hello } from '../../src/wire/handshake.ts';
import { FOLDER } from '../wire/pinned.ts';
import { CLIENT } from './scripted.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const CONNECTIONS = 60;
const FRAMES_MAX = 40;
const INCARNATION = 7;

/** What is sent begins as frames that are right; a client sends these. Orders of an operator might be obeyed. */
const OF_CLIENTS: readonly number[] = [
  FrameType.PING,
  FrameType.PONG,
  FrameType.SUBMIT,
  FrameType.GET,
  FrameType.LIST,
  FrameType.RECORDS,
  FrameType.HISTORY,
  FrameType.WATCH,
  FrameType.CANCEL,
  FrameType.STATUS,
];
/** And peers these. A peer that lies about terms and entries is another matter: see raft/hostile.test.ts. */
const OF_PEERS: readonly number[] = [
  FrameType.CLOCK_ASK,
  FrameType.CLOCK_TELL,
  FrameType.ROOM,
  FrameType.DIGESTS,
  FrameType.REPAIR_FETCH,
  FrameType.SNAPSHOT_FETCH,
  FrameType.READ_INDEX,
  FrameType.READ_INDEX_REPLY,
];

interface Pattern {
  readonly type: number;
  readonly body: Buffer;
}

const PATTERNS: readonly Pattern[] = readdirSync(FOLDER)
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8').replace(/\s/g, ''))
  .map((hex) => Buffer.from(hex, 'hex'))
  .filter((bytes) => bytes.toString('latin1', 0, 4) === 'TOCS')
  .map((bytes) => ({ type: bytes[5] as number, body: bytes.subarray(32) }));

const frameOf = (type: number, group: number, id: number, body: Buffer): Buffer =>
  Buffer.concat([frameHeader(type as FrameType, groupId(group), id, [body]), body]);

/** Something near a body that is right. */
function bent(prng: Prng, body: Buffer): Buffer {
  const at = prng.between(0, body.length);
  const [head, tail] = [body.subarray(0, at), body.subarray(at)];
  switch (prng.between(0, 4)) {
    case 0:
      return body;
    case 1:
      return head;
    case 2:
      return Buffer.concat([head, Buffer.alloc(prng.between(1, 300), prng.between(0, 255)), tail]);
    case 3:
      return Buffer.concat([head, prng.pick(PATTERNS).body]);
    default:
      return Buffer.from(body.map((byte) => (prng.chance(0.05) ? prng.between(0, 255) : byte)));
  }
}

/** Bytes of one connection: mostly whole frames with odd contents, some torn, damaged or said again and again. */
function speech(prng: Prng, types: readonly number[]): Buffer {
  const patterns = PATTERNS.filter(({ type }) => types.includes(type));
  const parts = Array.from({ length: prng.between(1, FRAMES_MAX) }, () => {
    const { type, body } = prng.pick(patterns);
    const group = prng.chance(0.97) ? 0 : 5;
    const other = prng.between(1, 60);
    const kind = prng.chance(0.98) || !isFrameType(other) ? type : other;
    const bytes = frameOf(kind, group, prng.between(0, 200), bent(prng, body));
    if (prng.chance(0.01)) bytes[prng.between(0, bytes.length - 1)] = prng.between(0, 255);
    if (prng.chance(0.01)) return bytes.subarray(0, prng.between(0, bytes.length));
    return prng.chance(0.1) ? Buffer.concat([bytes, bytes, bytes]) : bytes;
  });
  return Buffer.concat(parts);
}

/** Says all of it, in pieces, and leaves. What it is told meanwhile must be frames, and reasons that can be read. */
async function harangue(address: string, hello: Hello, prng: Prng): Promise<void> {
  const socket: Socket = dial({ port: Number(address.split('/').at(-1)), host: '127.0.0.1' });
  const reader = new FrameReader(FRAME_BYTES_MAX);
  let illegible: unknown;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    try {
      reader.push(chunk);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next())
        if (frame.type === FrameType.FAIL || frame.type === FrameType.REFUSE)
          decodeFail(frame.body);
    } catch (error) {
      illegible = error;
    }
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const types = hello.role === 'client' ? OF_CLIENTS : OF_PEERS;
  const introduction = frameOf(FrameType.HELLO, 0, 0, Buffer.from(encodeHello(hello)));
  const bytes = Buffer.concat([introduction, speech(prng, types)]);
  for (let at = 0; at < bytes.length && socket.writable; ) {
    const length = prng.between(1, 2_000);
    socket.write(bytes.subarray(at, at + length));
    at += length;
    if (prng.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  }
  if (prng.chance(0.3)) socket.destroy();
  else socket.end();
  await closed;
  if (illegible !== undefined) throw illegible;
}

test(`whatever bytes clients and peers send, in whatever pieces, replicas live and serve the next one (seed ${SEED})`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  const clusterId = newClusterId();
  const endpoints = (await freePorts(3)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const members = endpoints.map((address, at) => ({ id: replicaId(at + 1), address }));
  const start = async (id: number) => {
    const own = join(folder, `${id}`);
    const identity = { clusterId, replicaId: replicaId(id), incarnation: INCARNATION, members };
    await formatFolder(own, identity);
    return startReplica({ folder: own });
  };
  const running = await Promise.all([1, 2, 3].map(start));
  try {
    const prng = new Prng(SEED);
    const client: Hello = { ...CLIENT, agent: 'a mad client' };
    const peer = (id: number): Hello => ({
      role: 'peer',
      lane: prng.pick(['control', 'log', 'bulk'] as const),
      clusterId,
      replicaId: replicaId(id),
      incarnation: INCARNATION,
      agent: 'a mad peer',
    });
    const all = Array.from({ length: CONNECTIONS }, async (_, n) => {
      const to = n % 3;
      const hello = n % 4 === 0 ? peer(((to + 1) % 3) + 1) : client;
      await harangue(endpoints[to] as string, hello, prng.fork(n));
    });
    await Promise.all(all);
    const sane = await connect({ endpoints, name: 'sane' });
    try {
      const told = await sane.raise({ dedupKey: 'after', condition: 'HR:HI', priority: 'high' });
      const { value } = await sane.get({ dedupKey: 'after' });
      expect(value?.revision).toBe(told.revision);
    } finally {
      await sane.close();
    }
  } finally {
    await Promise.all(running.map((replica) => replica.close()));
    await rm(folder, { recursive: true, force: true });
  }
});
