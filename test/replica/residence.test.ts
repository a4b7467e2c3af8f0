import { expect, test } from 'vitest';
import type { Timer } from '../../src/base/clock.ts';
import { millis, replicaId } from '../../src/base/ids.ts';
import { TURN_MS_MAX } from '../../src/base/limits.ts';
import { Residence } from '../../src/replica/residence.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import { BusyClock } from '../client/virtual-clock.ts';
import { CLUSTER } from '../storage/entries.ts';
import { CLIENT } from './scripted.ts';

/** What is to run soon runs when told so, one at a time. */
class SteppedClock extends BusyClock {
  readonly #held: (() => void)[] = [];

  override soon(run: () => void): Timer {
    this.#held.push(run);
    return {
      cancel: () => {
        const at = this.#held.indexOf(run);
        if (at >= 0) this.#held.splice(at, 1);
      },
    };
  }

  async step(): Promise<void> {
    await this.run(0);
    this.#held.shift()?.();
  }
}

const ADDRESS = '/memory/1';

test.each(['its owner leaves', 'its signal gives up'])(
  'whenever %s during a start, nothing of it is left: no listener, no timer, and nobody starts later',
  async (why) => {
    for (let steps = 0; steps < 12; steps += 1) {
      const clock = new SteppedClock();
      // Each step of a start has a turn of its own.
      clock.stepMs = TURN_MS_MAX * 2;
      const network = new MemoryNetwork({ clock, delay: () => millis(0) });
      const transport = network.transport('r1');
      const disk = new MemoryDisk(CLUSTER);
      let ups = 0;
      const id = replicaId(1);
      const residence = new Residence({
        identity: {
          clusterId: CLUSTER,
          replicaId: id,
          incarnation: 1,
          members: [{ id, address: ADDRESS }],
        },
        address: ADDRESS,
        open: () => Promise.resolve(disk.open()),
        freeBytes: () => Promise.resolve(disk.freeBytes),
        transport,
        clock,
        seed: 1,
        agent: 'test',
        log: () => {},
        onUp: () => {
          ups += 1;
        },
        onFault: (error) => expect.unreachable(String(error)),
      });
      const given = new AbortController();
      const entering = residence.enter(disk.open(), given.signal).then(
        () => 'entered',
        () => 'given up',
      );
      for (let n = 0; n < steps; n += 1) await clock.step();
      const before = ups;
      const leaving = why === 'its signal gives up' ? given.abort() : residence.leave();
      for (let n = 0; n < 40; n += 1) await clock.step();
      await leaving;
      expect(await entering).toMatch(before === 1 ? /./ : 'given up');
      // Whoever hears that it is given up lets go of it.
      if (why === 'its signal gives up') await clock.settle(residence.leave());
      await clock.run(1_000);
      expect([ups, clock.pending], `after ${steps} steps`).toEqual([before, 0]);
      const listener = await transport.listen(ADDRESS, CLIENT, { judge: () => {}, open: () => {} });
      await listener.close();
    }
  },
);
