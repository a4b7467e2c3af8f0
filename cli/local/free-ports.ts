import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { TocsinError } from '../../src/base/errors.ts';

/**
 * Below every range from which systems draw ports for outgoing connections (32,768 up on Linux, 49,152 up elsewhere):
 * there a dead replica's port could be taken by whoever tries to reach it.
 */
const PORT_MIN = 10_240;
const PORT_MAX = 32_767;
const TRIES_PER_PORT = 200;

/**
 * Ports of the loopback that nobody listens on right now. Somebody may take one before the caller does.
 * @throws TocsinError ADDRESS_IN_USE when none can be found
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries += 1) {
    if (tries >= count * TRIES_PER_PORT)
      throw new TocsinError('ADDRESS_IN_USE', `no ${count} free ports on 127.0.0.1`);
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
