import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BugError } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { FRAME_BYTES_MAX } from '../../src/base/limits.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { closeContract, pressureContract } from './contract-ends.ts';
import {
  CLUSTER,
  catchingUncaught,
  Ear,
  GROUP,
  Host,
  idsOf,
  never,
  peerHello,
  post,
  type Rig,
  replica,
  until,
  withHost,
  withPair,
} from './helpers.ts';

const _MiB = 1024 * 1024;
const OTHER_CLUSTER = 'f'.repeat(32);

/** What every transport promises, whatever it runs over. `limited` lets in two connections and closes fast. */
export function transportContract(name: string, makeRig: (limited?: boolean) => Rig): void {
  describe(`${name} carries frames`, () => framesContract(makeRig));
  describe(`${name} introduces both sides`, () => introductionContract(makeRig));
  describe(`${name} holds back`, () => pressureContract(makeRig));
  describe(`${name} closes`, () => closeContract(makeRig));
}

function framesContract(makeRig: () => Rig): void {
  test('whole, in order and in both directions, however they are cut into parts', async () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 16_000, max: 70_000 }).map((size) => new Uint8Array(size).fill(size)),
    );
    const frame = fc.record({
      id: fc.maxSafeNat(),
      parts: fc.array(part, { maxLength: 4 }),
      yields: fc.boolean(),
    });
    await withPair(makeRig(), async ({ near, far }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(frame, { maxLength: 12 }), fc.boolean(), async (frames, flip) => {
          const [from, to] = flip ? [near, far] : [far, near];
          const ear = new Ear(to);
          for (const { id, parts, yields } of frames) {
            expect(post(from, id, ...parts)).toBe(true);
            if (yields) await new Promise((resolve) => setImmediate(resolve));
          }
          await until(() => ear.frames.length >= frames.length);
          expect(idsOf(ear)).toEqual(frames.map(({ id }) => id));
          for (const [i, { parts }] of frames.entries())
            expect(Buffer.concat(parts).equals(ear.frames[i]?.body ?? Buffer.from('x'))).toBe(true);
          expect(ear.frames.every(({ group }) => group === GROUP)).toBe(true);
        }),
        { numRuns: 40 },
      );
    });
  });

  test.each([
    ['no bytes', 0],
    ['one byte', 1],
    ['the most bytes there may be', FRAME_BYTES_MAX],
  ])('of %s', async (_what, size) => {
    await withPair(makeRig(), async ({ near, far }) => {
      const ear = new Ear(far);
      expect(post(near, 1, new Uint8Array(size).fill(9))).toBe(true);
      await until(() => ear.frames.length === 1);
      expect(ear.frames[0]?.body.byteLength).toBe(size);
    });
  });

  test('but an assertion stops a frame over the limit before anything is queued', async () => {
    await withPair(makeRig(), async ({ near }) => {
      expect(() => post(near, 1, new Uint8Array(FRAME_BYTES_MAX + 1))).toThrow(BugError);
      expect(near.queuedBytes).toBe(0);
    });
  });

  test('that came before anybody listened', async () => {
    const rig = makeRig();
    await withHost(rig, async (host, address) => {
      host.open = (channel) => {
        for (let id = 1; id <= 100; id += 1) post(channel, id, new Uint8Array(2_000));
        channel.close();
      };
      const near = await rig.dialling.dial(address, peerHello(2), never());
      for (let turn = 0; turn < 20; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      const ear = new Ear(near);
      expect(await ear.closed()).toBeUndefined();
      expect(idsOf(ear)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    });
  });

  test('and answers PING with PONG by itself', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const [ours, theirs] = [new Ear(near), new Ear(far)];
      near.send(FrameType.PING, GROUP, 77, [Buffer.from('how long?')]);
      await until(() => ours.frames.length === 1);
      expect(ours.frames[0]).toMatchObject({ type: FrameType.PONG, group: GROUP, id: 77 });
      expect(Buffer.from(ours.frames[0]?.body ?? []).toString()).toBe('how long?');
      expect(theirs.frames).toEqual([]);
    });
  });

  test('and lets what a frame handler throws reach the process', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      await catchingUncaught(async (caught) => {
        far.onFrame = () => {
          throw new BugError('on purpose');
        };
        post(near, 1);
        await until(() => caught.length > 0);
        expect(caught).toEqual([new BugError('on purpose')]);
      });
    });
  });
}

function introductionContract(makeRig: (limited?: boolean) => Rig): void {
  test('to each other', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      expect(near.remote).toMatchObject(peerHello(1));
      expect(far.remote).toMatchObject(peerHello(2));
      expect(near.remoteAddress).toMatch(/^\/(ip4|memory)\//);
    });
  });

  test('and passes on why the judge refused', async () => {
    const rig = makeRig();
    await withHost(rig, async (host, address) => {
      host.judge = (remote) => {
        throw new TocsinError('WRONG_REPLICA', `${remote.agent} is no member`);
      };
      await expect(rig.dialling.dial(address, peerHello(9), never())).rejects.toMatchObject({
        code: 'WRONG_REPLICA',
        message: 'replica 9 is no member',
      });
      expect(host.channels).toEqual([]);
    });
  });

  test('and lets a bug of the judge reach the process, and the connection go', async () => {
    const rig = makeRig();
    await withHost(rig, async (host, address) => {
      host.judge = () => {
        throw new BugError('judge');
      };
      await catchingUncaught(async (caught) => {
        await expect(rig.dialling.dial(address, peerHello(9), never())).rejects.toMatchObject({
          code: 'CONNECTION_LOST',
        });
        await until(() => caught.length > 0);
        expect(caught).toEqual([new BugError('judge')]);
      });
      await until(() => rig.clean());
    });
  });

  test.each([
    ['WRONG_CLUSTER', { clusterId: OTHER_CLUSTER }],
    ['WRONG_REPLICA', { replicaId: replica(3) }],
    ['WRONG_REPLICA', { clusterId: CLUSTER, replicaId: replica(3) }],
  ] as const)('and refuses with %s whoever was not meant', async (code, expected) => {
    const rig = makeRig();
    await withHost(rig, async (host, address) => {
      const dial = rig.dialling.dial(address, peerHello(2), never(), expected);
      await expect(dial).rejects.toMatchObject({ code });
      await until(() => host.ears.length === 1);
      expect(await host.ears[0]?.closed()).toMatchObject({ code });
    });
  });

  test('and accepts whoever was', async () => {
    const rig = makeRig();
    const expected = { clusterId: CLUSTER, replicaId: replica(1) };
    await withHost(rig, async (_host, address) => {
      const near = await rig.dialling.dial(address, peerHello(2), never(), expected);
      near.close();
    });
  });

  test('unless the caller has given up', async () => {
    const rig = makeRig();
    await withHost(rig, async (host, address) => {
      const why = new TocsinError('CLOSED', 'shutting down');
      const aborted = (reason?: unknown): AbortSignal => AbortSignal.abort(reason);
      const dial = (signal: AbortSignal): Promise<unknown> =>
        rig.dialling.dial(address, peerHello(2), signal);
      await expect(dial(aborted())).rejects.toMatchObject({ code: 'CANCELLED' });
      await expect(dial(aborted(why))).rejects.toBe(why);
      expect(host.channels).toEqual([]);
    });
  });

  test('until the caller gives up, at whatever moment', async () => {
    const rig = makeRig();
    await withHost(rig, async (_host, address) => {
      for (let turns = 0; turns < 12; turns += 1) {
        const controller = new AbortController();
        const dial = rig.dialling.dial(address, peerHello(2), controller.signal);
        const outcome = dial.then(
          (channel) => channel.close(),
          (error: unknown) => expect(error).toMatchObject({ code: 'CANCELLED' }),
        );
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        if (turns > 6) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        await outcome;
      }
      await until(() => rig.clean());
    });
  });

  test('up to a number of connections, and again when one has gone', async () => {
    const rig = makeRig(true);
    await withHost(rig, async (_host, address) => {
      const dial = () => rig.dialling.dial(address, peerHello(2), never());
      const first = await dial();
      const second = await dial();
      await expect(dial()).rejects.toMatchObject({ code: 'OVERLOADED' });
      first.close();
      await new Ear(first).closed();
      await until(() => second.queuedBytes === 0);
      let third = await dial().catch(() => undefined);
      while (third === undefined) {
        await new Promise((resolve) => setImmediate(resolve));
        third = await dial().catch(() => undefined);
      }
      second.close();
      third.close();
    });
  });

  test('but not to a second introduction', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const [ours, theirs] = [new Ear(near), new Ear(far)];
      near.send(FrameType.HELLO, GROUP, 0, []);
      expect(await ours.closed()).toMatchObject({ code: 'FRAME_MALFORMED' });
      expect(await theirs.closed()).toMatchObject({ code: 'FRAME_MALFORMED' });
    });
  });

  test.each(['', 'nonsense', '/ip4/127.0.0.1', '/ip4/127.0.0.1/udp/1', '/memory/', '/memory/x'])(
    'and refuses the address %j',
    async (address) => {
      const rig = makeRig();
      const code = { code: 'BAD_ADDRESS', message: expect.stringContaining(address) };
      const accept = { judge: () => {}, open: () => {} };
      await expect(rig.dialling.dial(address, peerHello(2), never())).rejects.toMatchObject(code);
      await expect(rig.listening.listen(address, peerHello(1), accept)).rejects.toMatchObject(code);
    },
  );

  test('and names an address that is taken', async () => {
    const rig = makeRig();
    await withHost(rig, async (_host, address) => {
      await expect(new Host().start({ ...rig, address })).rejects.toMatchObject({
        code: 'ADDRESS_IN_USE',
        message: expect.stringContaining(address),
      });
    });
  });
}
