import { describe, expect, test } from 'vitest';
import { type Millis, millis } from '../../src/base/ids.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';
import { transportContract } from './contract.ts';
import { Ear, Host, idsOf, never, peerHello, post, type Rig, until } from './helpers.ts';

const rigOf = (network: MemoryNetwork): Rig => ({
  listening: network.transport('server'),
  dialling: network.transport('client'),
  address: '/memory/0',
  clean: () => network.connectionCount === 0,
});

const LIMITED = { connectionsMax: 2, closeMsMax: 30 };

transportContract('A network in memory', (limited) =>
  rigOf(new MemoryNetwork(limited === true ? LIMITED : {})),
);

transportContract('A network in memory that runs on a clock', (limited) => {
  let calls = 0;
  const delay = (): Millis => {
    calls += 1;
    return millis(calls % 7 === 0 ? 0.3 : 0);
  };
  const clock = new SystemClock();
  return rigOf(new MemoryNetwork({ clock, delay, ...(limited === true ? LIMITED : {}) }));
});

async function withPartition(
  body: (network: MemoryNetwork, near: Ear, far: Ear, address: string) => Promise<void>,
): Promise<void> {
  const network = new MemoryNetwork({ closeMsMax: 30 });
  const host = new Host();
  const address = await host.start(rigOf(network));
  try {
    const near = await network.transport('client').dial(address, peerHello(2), never());
    await until(() => host.channels.length === 1);
    const [far] = host.channels;
    if (far !== undefined) await body(network, new Ear(near), new Ear(far), address);
    near.close();
  } finally {
    await host.stop();
  }
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('A partition in memory', () => {
  test('holds one direction only, and gives everything back in order', async () => {
    await withPartition(async (network, near, far) => {
      network.cut('client', 'server');
      post(near.channel, 1);
      post(far.channel, 2);
      await until(() => near.frames.length === 1);
      await turns();
      expect(far.frames).toEqual([]);
      post(near.channel, 3);
      network.heal('client', 'server');
      await until(() => far.frames.length === 2);
      expect(idsOf(far)).toEqual([1, 3]);
    });
  });

  test('loses what was on its way when the connection is reset, and tells both ends', async () => {
    await withPartition(async (network, near, far) => {
      network.cut('client', 'server');
      post(near.channel, 1);
      await turns();
      network.reset('server', 'client');
      expect(await near.closed()).toMatchObject({ code: 'CONNECTION_LOST' });
      expect(await far.closed()).toMatchObject({ code: 'CONNECTION_LOST' });
      network.heal('client', 'server');
      await turns();
      expect(far.frames).toEqual([]);
      expect(network.connectionCount).toBe(0);
    });
  });

  test('leaves the far end in the dark about a close until it is healed', async () => {
    await withPartition(async (network, near, far) => {
      network.cut('client', 'server');
      near.channel.close();
      await near.closed();
      expect(far.closes).toEqual([]);
      network.heal('client', 'server');
      await far.closed();
    });
  });

  test.each([
    ['there', 'client', 'server'],
    ['back', 'server', 'client'],
  ])('keeps a dial waiting while the way %s is cut', async (_which, from, to) => {
    await withPartition(async (network, _near, _far, address) => {
      network.cut(from, to);
      const controller = new AbortController();
      const dial = (signal: AbortSignal): Promise<unknown> =>
        network.transport('client').dial(address, peerHello(3), signal);
      const given = dial(controller.signal);
      let connected = 0;
      const waiting = network
        .transport('client')
        .dial(address, peerHello(3), never())
        .then((channel) => {
          connected += 1;
          channel.close();
        });
      await turns();
      expect(connected).toBe(0);
      controller.abort();
      await expect(given).rejects.toMatchObject({ code: 'CANCELLED' });
      network.heal(from, to);
      await waiting;
    });
  });

  test('ends a dial in time', async () => {
    const network = new MemoryNetwork({ handshakeMsMax: 10 });
    const host = new Host();
    const address = await host.start(rigOf(network));
    try {
      network.cut('server', 'client');
      const dial = network.transport('client').dial(address, peerHello(3), never());
      await expect(dial).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    } finally {
      await host.stop();
    }
  });

  test('does not touch other hosts', async () => {
    await withPartition(async (network, _near, _far, address) => {
      network.cut('client', 'server');
      network.reset('client', 'server');
      const other = await network.transport('third').dial(address, peerHello(3), never());
      expect(other.remote.agent).toBe('replica 1');
      other.close();
    });
  });
});
