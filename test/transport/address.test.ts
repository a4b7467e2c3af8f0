import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { parseTcpAddress } from '../../src/transport/address.ts';

describe('A TCP address', () => {
  test.each([
    ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1', 0],
    ['/ip4/10.0.0.1/tcp/65535', '/ip4/10.0.0.1', 65_535],
    ['/ip6/::1/tcp/7400', '/ip6/::1', 7_400],
    ['/dns4/r1.tocsin.internal/tcp/7400', '/dns4/r1.tocsin.internal', 7_400],
    ['/dns/my_service-1/tcp/7400', '/dns/my_service-1', 7_400],
  ])('%s is accepted', (text, host, port) => {
    expect(parseTcpAddress(text)).toMatchObject({ host, port });
  });

  test.each([
    '',
    '/',
    'localhost:7400',
    '/ip4/127.0.0.1',
    '/ip4/1.2.3.999/tcp/1',
    '/ip4/1.2.3.4/tcp',
    '/ip4/1.2.3.4/tcp/65536',
    '/ip4/1.2.3.4/tcp/-1',
    '/ip4/1.2.3.4/tcp/1.5',
    '/ip4/1.2.3.4/udp/1',
    '/ip4/1.2.3.4/tcp/1/ws',
    '/ip4/1.2.3.4/tcp/1/tcp/2',
    '/tcp/1/ip4/1.2.3.4',
    '/unix/%2Ftmp%2Fsocket',
    '/dnsaddr/example.org/tcp/1',
    '/dns4/a b/tcp/1',
    '/dns4/-x/tcp/1',
    `/dns4/${'a'.repeat(254)}/tcp/1`,
    '/ip6zone/eth0/ip6/fe80::1/tcp/1',
  ])('%j is refused by name', (text) => {
    expect(() => parseTcpAddress(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_ADDRESS',
        message: expect.stringContaining(JSON.stringify(text)),
      }),
    );
  });

  test('is offered for a host and a port, in a spelling that is accepted', () => {
    const host = fc.oneof(fc.ipV4(), fc.domain(), fc.constant('localhost'));
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65_535 }), (name, port) => {
        const kind = /^[\d.]+$/.test(name) ? 'ip4' : 'dns4';
        const meant = `/${kind}/${name}/tcp/${port}`;
        expect(() => parseTcpAddress(`${name}:${port}`)).toThrow(`did you mean ${meant}?`);
        expect(parseTcpAddress(meant)).toMatchObject({ port });
      }),
    );
    for (const text of ['1.2.3.999:1', '1.2.3.4:65536', ':7400', 'a b:1', 'http://a:1'])
      expect(() => parseTcpAddress(text)).not.toThrow('did you mean');
  });

  test('is read or refused with BAD_ADDRESS, whatever the text', () => {
    const piece = fc.oneof(
      fc.constantFrom('ip4', 'ip6', 'dns', 'tcp', '127.0.0.1', '::1', '7400', 'p2p', 'unix', ''),
      fc.string({ maxLength: 8 }),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join('/')}`),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        try {
          const { port } = parseTcpAddress(candidate);
          expect(Number.isInteger(port) && port >= 0 && port <= 65_535).toBe(true);
        } catch (error) {
          expect(TocsinError.is(error) && error.code).toBe('BAD_ADDRESS');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
