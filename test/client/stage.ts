import type { Client, RaiseInput } from '../../src/client/index.ts';
import { type ClientOptions, connect } from '../../src/client/index.ts';
import { addressOf, FakeCluster } from './fake-cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A fake cluster, a clock that obeys, and clients of it; all of it closed in the end, and nothing left over. */
export class Stage {
  readonly clock: VirtualClock = new VirtualClock();
  readonly cluster: FakeCluster;
  readonly #clients: Client[] = [];

  constructor(size = 3) {
    this.cluster = new FakeCluster(size, this.clock);
  }

  async client(options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = await this.clock.settle(this.connecting(options));
    this.#clients.push(client);
    return client;
  }

  connecting(options: Partial<ClientOptions> = {}): Promise<Client> {
    return connect({
      endpoints: [addressOf(1), addressOf(2), addressOf(3)],
      name: 'monitor',
      transport: this.cluster.network.transport('client'),
      clock: this.clock,
      seed: 1 + this.#clients.length,
      ...options,
    });
  }

  async close(): Promise<void> {
    this.cluster.thaw();
    for (const client of this.#clients) await this.clock.settle(client.close());
    await this.clock.settle(this.cluster.stop());
  }
}

/** Runs a scene; afterwards no connection and no timer may be left. */
export async function onStage(play: (stage: Stage) => Promise<void>, size?: number): Promise<void> {
  const stage = new Stage(size);
  await stage.clock.settle(stage.cluster.start());
  try {
    await play(stage);
  } finally {
    await stage.close();
  }
  await stage.clock.run(0);
  if (stage.cluster.network.connectionCount > 0) throw new Error('connections left open');
  if (stage.clock.pending > 0) throw new Error(`${stage.clock.pending} timers left`);
}

export const alarm = (dedupKey: string): RaiseInput => ({
  dedupKey,
  priority: 'high',
  condition: 'HR:HI',
});
