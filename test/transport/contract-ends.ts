import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { CONNECTION_SEND_BYTES_MAX } from '../../src/base/limits.ts';
import {
  Ear,
  idsOf,
  never,
  peerHello,
  post,
  type Rig,
  until,
  withHost,
  withPair,
} from './helpers.ts';

const MiB = 1024 * 1024;

/** The part of the contract about slow readers and ends. */
export function pressureContract(makeRig: () => Rig): void {
  test('while paused, and loses nothing', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const ear = new Ear(far);
      for (let id = 1; id <= 50; id += 1) post(near, id, new Uint8Array(5_000));
      far.onFrame = (type, group, id, body) => {
        ear.frames.push({ type, group, id, body });
        if (id === 20) far.pause();
      };
      await until(() => ear.frames.length >= 20);
      for (let turn = 0; turn < 20; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      expect(idsOf(ear).at(-1)).toBe(20);
      far.resume();
      await until(() => ear.frames.length === 50);
      expect(idsOf(ear)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    });
  });

  test('a sender whose peer never reads, within the bound, and tells it when there is room', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const [ours, theirs] = [new Ear(near), new Ear(far)];
      far.pause();
      const body = new Uint8Array(MiB);
      let sent = 0;
      while (post(near, sent + 1, body)) {
        sent += 1;
        expect(near.queuedBytes).toBeLessThanOrEqual(CONNECTION_SEND_BYTES_MAX);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(sent).toBeGreaterThanOrEqual(15);
      expect(post(near, 0, body)).toBe(false);
      const drains = ours.drains;
      far.resume();
      await until(() => theirs.frames.length === sent && ours.drains > drains);
      expect(idsOf(theirs)).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
      expect(near.queuedBytes).toBe(0);
      expect(post(near, sent + 1, body)).toBe(true);
    });
  });

  test('many small frames within the same bound', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const ears = [new Ear(near), new Ear(far)];
      far.pause();
      const body = new Uint8Array(1_000);
      while (post(near, 1, body));
      expect(ears[0]?.closes).toEqual([]);
      expect(near.queuedBytes).toBeLessThanOrEqual(CONNECTION_SEND_BYTES_MAX);
      expect(near.queuedBytes).toBeGreaterThan(CONNECTION_SEND_BYTES_MAX - 2_000);
    });
  });
}

export function closeContract(makeRig: (limited?: boolean) => Rig): void {
  test('in good order, once on each side', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const [ours, theirs] = [new Ear(near), new Ear(far)];
      near.close();
      near.close(new Error('too late'));
      expect(ours.closes).toEqual([]);
      expect(await ours.closed()).toBeUndefined();
      expect(await theirs.closed()).toBeUndefined();
      expect(post(near, 1)).toBe(false);
      expect(post(far, 1)).toBe(false);
      near.pause();
      near.resume();
      far.resume();
      for (let turn = 0; turn < 10; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      expect([ours.closes.length, theirs.closes.length]).toEqual([1, 1]);
    });
  });

  test('and tells the other side why', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const [ours, theirs] = [new Ear(near), new Ear(far)];
      const why = new TocsinError('OVERLOADED', 'too slow');
      near.close(why);
      expect(await ours.closed()).toBe(why);
      expect(await theirs.closed()).toMatchObject({ code: 'OVERLOADED', message: 'too slow' });
    });
  });

  test('after what was queued has arrived', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const ear = new Ear(far);
      for (let id = 1; id <= 100; id += 1) post(near, id, new Uint8Array(20_000));
      near.close(new TocsinError('CLOSED', 'bye'));
      expect(await ear.closed()).toMatchObject({ code: 'CLOSED' });
      expect(idsOf(ear)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    });
  });

  test('and hears nothing after its own close', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const ear = new Ear(far);
      new Ear(near);
      far.onFrame = (type, group, id, body) => {
        ear.frames.push({ type, group, id, body });
        if (id === 3) far.close();
      };
      for (let id = 1; id <= 10; id += 1) post(near, id);
      await ear.closed();
      expect(idsOf(ear)).toEqual([1, 2, 3]);
    });
  });

  test('both sides at the same moment', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      const [ours, theirs] = [new Ear(near), new Ear(far)];
      near.close(new TocsinError('CLOSED', 'near'));
      far.close(new TocsinError('CLOSED', 'far'));
      expect(await ours.closed()).toMatchObject({ message: 'near' });
      expect(await theirs.closed()).toMatchObject({ message: 'far' });
    });
  });

  test('although the peer never reads, in bounded time', async () => {
    await withPair(makeRig(true), async ({ near, far }) => {
      const ours = new Ear(near);
      new Ear(far);
      far.pause();
      for (let id = 1; id <= 15; id += 1) post(near, id, new Uint8Array(MiB));
      near.close();
      expect(await ours.closed()).toBeUndefined();
      far.resume();
    });
  });

  test('every connection with the listener', async () => {
    const rig = makeRig();
    await withHost(rig, async (host, address) => {
      const near = await rig.dialling.dial(address, peerHello(2), never());
      const ear = new Ear(near);
      await host.stop();
      expect(await ear.closed()).toBeUndefined();
      await expect(rig.dialling.dial(address, peerHello(2), never())).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
      });
    });
  });

  test('and hears of it though it listens late', async () => {
    await withPair(makeRig(), async ({ near, far }) => {
      new Ear(far);
      near.onFrame = () => {};
      far.close();
      let reasons = 0;
      for (let turn = 0; turn < 30; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      near.onClose = () => {
        reasons += 1;
      };
      await until(() => reasons === 1);
    });
  });
}
