import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { HANDSHAKE_FRAME_BYTES_MAX } from '../../src/base/limits.ts';
import { encodeBody } from '../../src/wire/body.ts';
import { FRAME_HEADER_BYTES } from '../../src/wire/frame.ts';
import {
  decodeHello,
  encodeHello,
  type Hello,
  negotiate,
  WIRE_VERSIONS,
} from '../../src/wire/handshake.ts';
import { aReplica } from './arbitraries.ts';
import { codeOf, copyOf, join, messageOf } from './helpers.ts';

const CLUSTER = '0123456789abcdef0123456789abcdef';
const peer: Hello = {
  role: 'peer',
  lane: 'log',
  clusterId: CLUSTER,
  replicaId: replicaId(3),
  incarnation: 77,
  agent: 'tocsin/0.1.0',
  versions: WIRE_VERSIONS,
};
const client: Hello = {
  ...peer,
  role: 'client',
  lane: 'client',
  clusterId: '',
  replicaId: undefined,
  incarnation: 0,
};

describe('an introduction', () => {
  test('comes back as it was', () => {
    const hello: fc.Arbitrary<Hello> = fc.record({
      role: fc.constant('peer' as const),
      lane: fc.constantFrom('control', 'log', 'bulk', 'client'),
      clusterId: fc.constant(CLUSTER),
      replicaId: aReplica,
      incarnation: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      joined: fc.constantFrom(true, undefined),
      agent: fc.constantFrom('', 'tocsin/0.1.0', '心'.repeat(128)),
      versions: fc.constantFrom(WIRE_VERSIONS, { min: 1, max: 255 }),
    });
    const withTrend = fc.tuple(hello, fc.constantFrom('/ip4/127.0.0.1/tcp/7511', '/'.repeat(512)));
    const trends = withTrend.map(([one, trend]): Hello => ({ ...one, trend }));
    fc.assert(
      fc.property(fc.oneof(hello, trends, fc.constant(client)), (one) => {
        const body = encodeHello(one);
        expect(decodeHello(body)).toEqual(one);
        expect(body.byteLength + FRAME_HEADER_BYTES).toBeLessThanOrEqual(HANDSHAKE_FRAME_BYTES_MAX);
      }),
    );
  });

  test('that says nothing of versions speaks those of this build', () => {
    const { versions, ...silent } = peer;
    expect(decodeHello(encodeHello(silent)).versions).toEqual(versions);
  });

  test('of later versions only is refused before the rest of it is looked at', () => {
    const body = join([Buffer.from([2, 9]), Buffer.from('of a later form')]);
    expect(codeOf(() => decodeHello(body))).toBe('VERSION_UNSUPPORTED');
    expect(messageOf(() => decodeHello(body))).toMatch(/2 to 9 there, 1 to 1 here/);
  });

  test('with fields of a later version is read without them', () => {
    const { versions, ...fields } = peer;
    const body = join([Buffer.from([1, 2]), encodeBody({ ...fields, features: ['x'] })]);
    expect(versions).toEqual({ min: 1, max: 1 });
    expect(decodeHello(body)).toEqual({ ...peer, versions: { min: 1, max: 2 } });
  });

  test.each([
    ['no versions', new Uint8Array(0)],
    ['half a range', Buffer.from([1])],
    ['version 0', Buffer.from([0, 1, 0x80])],
    ['an empty range', Buffer.from([2, 1, 0x80])],
    ['no fields', Buffer.from([1, 1])],
    ['an empty map', Buffer.from([1, 1, 0x80])],
    ['another role', hello({ role: 'leader' })],
    ['another lane', hello({ lane: 'fast' })],
    ['a cluster in capitals', hello({ clusterId: CLUSTER.toUpperCase() })],
    ['a short cluster', hello({ clusterId: '00' })],
    ['a peer of no cluster', hello({ clusterId: '' })],
    ['a peer without an id', hello({ replicaId: undefined })],
    ['replica 0', hello({ replicaId: 0 })],
    ['replica 65,536', hello({ replicaId: 65_536 })],
    ['a negative incarnation', hello({ incarnation: -1 })],
    ['a long agent', hello({ agent: 'x'.repeat(129) })],
    ['an agent of two lines', hello({ agent: 'a\nb' })],
  ])('with %s is malformed', (_what, body) => {
    expect(codeOf(() => decodeHello(body))).toBe('BODY_MALFORMED');
  });

  test('changed in any byte is refused or read, never anything else', () => {
    const good = encodeHello(peer);
    const codes = ['no error', 'BODY_MALFORMED', 'VERSION_UNSUPPORTED'];
    for (let at = 0; at < good.byteLength; at += 1)
      for (const byte of [0, 0x7f, 0x80, 0xc1, 0xdf, 0xff]) {
        const bytes = copyOf(good);
        bytes[at] = byte;
        expect(codes).toContain(codeOf(() => decodeHello(bytes)));
      }
  });
});

describe('negotiation', () => {
  const check = (theirs: [number, number], ours: [number, number], expected: number | string) =>
    test(`${theirs.join('–')} with ${ours.join('–')} gives ${expected}`, () => {
      const range = ([min, max]: [number, number]) => ({ min, max });
      const run = () => negotiate(range(theirs), range(ours));
      if (typeof expected === 'number') expect(run()).toBe(expected);
      else expect(codeOf(run)).toBe(expected);
    });
  check([1, 1], [1, 1], 1);
  check([1, 3], [2, 4], 3);
  check([2, 4], [1, 3], 3);
  check([1, 9], [3, 3], 3);
  check([3, 3], [1, 9], 3);
  check([1, 2], [3, 4], 'VERSION_UNSUPPORTED');
  check([3, 4], [1, 2], 'VERSION_UNSUPPORTED');
});

function hello(wrong: Readonly<Record<string, unknown>>): Uint8Array {
  const { versions: _versions, ...fields } = peer;
  const merged = Object.entries({ ...fields, ...wrong }).filter(([, value]) => value !== undefined);
  return join([Buffer.from([1, 1]), encodeBody(Object.fromEntries(merged))]);
}
