import { describe, expect, test } from 'vitest';
import { openLibrary, type RawConnection, upgrader } from '../../src/transport/tcp-library.ts';

/** As the standard types it; the library of Node 20 does not know it. */
interface Resolvers {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}
const withResolvers = (): Resolvers => Reflect.get(Promise, 'withResolvers').call(Promise);

describe('Promise.withResolvers', () => {
  test('is there on every version of Node once the transport is loaded', async () => {
    const kept = withResolvers();
    kept.resolve(1);
    await expect(kept.promise).resolves.toBe(1);
    const broken = withResolvers();
    broken.reject(new Error('no'));
    await expect(broken.promise).rejects.toThrow('no');
  });

  test('stays invisible to loops over the properties of Promise', () => {
    expect(Object.keys(Promise)).not.toContain('withResolvers');
  });

  /** The library waits for a drain with it; without it, this throws on Node 20. */
  test('carries a connection of the library through a full socket', async () => {
    const library = openLibrary(2);
    const inbound: RawConnection[] = [];
    const read = (connection: RawConnection): void => {
      inbound.push(connection);
      connection.addEventListener('message', () => {});
    };
    const server = library.createListener({ upgrader: upgrader(read) });
    const { multiaddr } = (await import('../../src/transport/address.ts')).parseTcpAddress(
      '/ip4/127.0.0.1/tcp/0',
    );
    await server.listen(multiaddr);
    try {
      const outbound: RawConnection[] = [];
      const [address] = server.getAddrs();
      if (address === undefined) throw new Error('no address');
      await library.dial(address, {
        upgrader: upgrader((c) => outbound.push(c)),
        signal: new AbortController().signal,
      });
      const [connection] = outbound;
      expect(connection?.send(new Uint8Array(32_000_000))).toBe(false);
      await connection?.onDrain();
      expect(connection?.writableNeedsDrain).toBe(false);
      connection?.abort(new Error('done'));
    } finally {
      for (const connection of inbound) connection.abort(new Error('done'));
      await server.close();
    }
  });
});
