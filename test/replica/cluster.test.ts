import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { replicaId, unixMillis } from '../../src/base/ids.ts';
import { connect } from '../../src/client/client.ts';
import { type RunningReplica, startReplica } from '../../src/replica/start.ts';
import { raiseFrom } from '../../src/statemachine/inputs.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId, newIncarnation } from '../../src/storage/identity.ts';
import { decodeFail } from '../../src/wire/clients/client-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { RawClient } from './raw-client.ts';

let folder = '';
let running: (RunningReplica | undefined)[] = [];
let endpoints: string[] = [];

async function start(at: number): Promise<RunningReplica> {
  const replica = await startReplica({ folder: join(folder, `${at}`) });
  running[at] = replica;
  return replica;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  endpoints = (await freePorts(3)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const clusterId = newClusterId();
  const members = endpoints.map((address, at) => ({ id: replicaId(at + 1), address }));
  running = [];
  for (const [at, member] of members.entries())
    await formatFolder(join(folder, `${at}`), {
      clusterId,
      replicaId: member.id,
      incarnation: newIncarnation(),
      members,
    });
});

afterEach(async () => {
  await Promise.all(running.map((replica) => replica?.close()));
  await rm(folder, { recursive: true, force: true });
});

test('what one client raises, every replica holds alike, also after a restart of all', async () => {
  await Promise.all([start(0), start(1), start(2)]);
  const client = await connect({ endpoints, name: 'test' });
  const done = await client.raise({ dedupKey: 'k1', condition: 'HR:HI', priority: 'high' });
  expect(done).toMatchObject({ effect: 'raised', alertId: 'A1' });
  expect((await client.get({ id: 'A1' })).value).toMatchObject({ dedupKey: 'k1' });
  await client.acknowledge({ target: { id: 'A1' } });
  await client.clear({ target: { dedupKey: 'k1' } });
  await client.close();
  await Promise.all(running.map((replica) => replica?.close()));
  await Promise.all([start(0), start(1), start(2)]);
  const again = await connect({ endpoints, name: 'test' });
  const { value, revision } = await again.get({ id: 'A1' });
  expect(value).toMatchObject({ presence: 'cleared', acknowledged: true });
  expect(revision).toBe(3);
  // A follower hears of the newest commit a moment after the leader has answered.
  const all = await vi.waitUntil(
    async () => {
      const found = await Promise.all(endpoints.map((endpoint) => again.status(endpoint)));
      return new Set(found.map(({ applied }) => applied)).size === 1 && found;
    },
    { timeout: 10_000 },
  );
  expect(new Set(all.map(({ digest }) => digest)).size).toBe(1);
  await again.close();
});

/** The client connected to the replica that leads, and one to a replica that does not. */
async function leaderAndFollower(clients: readonly RawClient[]): Promise<[RawClient, RawClient]> {
  const leads = async (client: RawClient): Promise<boolean> =>
    (await client.status()).role === 'leader';
  for (;;) {
    const roles = await Promise.all(clients.map(leads));
    const leader = clients[roles.indexOf(true)];
    const follower = clients[roles.indexOf(false)];
    if (leader !== undefined && follower !== undefined) return [leader, follower];
  }
}

test('bad requests over a real socket get a code each, write nothing, and stop nobody', async () => {
  await Promise.all([start(0), start(1), start(2)]);
  const clients = await Promise.all(endpoints.map((address) => RawClient.dial(address)));
  try {
    const [leader, follower] = await leaderAndFollower(clients);
    const refused = async (client: RawClient, type: FrameType, body: Uint8Array) => {
      const answer = await client.request(type, [body]);
      expect(answer.type).toBe(FrameType.FAIL);
      return decodeFail(answer.body);
    };
    const garbage = new Uint8Array(64).fill(0xc1);
    for (const type of [FrameType.SUBMIT, FrameType.GET, FrameType.LIST, FrameType.WATCH])
      expect((await refused(leader, type, garbage)).code).toMatch(/^(BODY_MALFORMED|BAD_REQUEST)$/);
    const origin = { actor: 'test', observedAt: unixMillis(1) };
    const command = raiseFrom({ dedupKey: 'k', condition: 'HR:HI', priority: 'high' }, origin);
    const { leaderAddress } = await follower.status();
    await expect(follower.submit([{ command, key: 'a' }])).rejects.toMatchObject({
      code: 'NOT_LEADER',
      leader: leaderAddress,
    });
    expect((await leader.status()).revision).toBe(0);
    const first = await leader.submit([{ command, key: 'a' }]);
    expect(await leader.submit([{ command, key: 'a' }]), 'a repetition').toEqual(first);
    expect((await leader.status()).revision).toBe(1);
  } finally {
    for (const client of clients) client.close();
  }
});
