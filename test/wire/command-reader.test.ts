import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { ConditionCommand } from '../../src/statemachine/types.ts';
import { decodeBody, encodeBody } from '../../src/wire/body.ts';
import { bodyOf } from '../../src/wire/commands/command-body.ts';
import { CommandReader } from '../../src/wire/commands/command-reader.ts';
import { parseCommandBody } from '../../src/wire/commands/parse-command-body.ts';
import { conditionCommand as command } from './arbitraries.ts';
import { bytesOf, codeOf, copyOf, join } from './helpers.ts';

const TIME = unixMillis(1);

const short = (
  type: ConditionCommand['type'],
  body: Uint8Array,
  observedAt = TIME,
): Command | undefined => new CommandReader(body).read(type, observedAt, 0, body.byteLength);

const long = (type: ConditionCommand['type'], body: Uint8Array, observedAt = TIME): Command =>
  parseCommandBody(type, observedAt, decodeBody(body));

/** What the short way takes the long way takes too, and to the same command. */
function agree(type: ConditionCommand['type'], body: Uint8Array): boolean {
  const read = short(type, body);
  if (read === undefined) return false;
  expect(long(type, body)).toEqual(read);
  return true;
}

const types = fc.constantFrom('raise' as const, 'clear' as const, 'acknowledge' as const);
const isAscii = (one: Command): boolean => /^[ -~]*$/.test(JSON.stringify(one));

describe('the short way to a command', () => {
  test('is taken by every command of printable ASCII, and comes to the same', () => {
    fc.assert(
      fc.property(command.filter(isAscii), (one) => {
        fc.pre(!JSON.stringify(one).includes('\\n') && !JSON.stringify(one).includes('\\t'));
        const body = encodeBody(bodyOf(one));
        expect(short(one.type, body, one.observedAt)).toEqual(one);
        expect(long(one.type, body, one.observedAt)).toEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  test('comes to the same as the long way for every command it takes', () => {
    fc.assert(
      fc.property(command, (one) => {
        agree(one.type, encodeBody(bodyOf(one)));
        expect(long(one.type, encodeBody(bodyOf(one)), one.observedAt)).toEqual(one);
      }),
    );
  });

  test('never takes changed bytes that the long way refuses or reads otherwise', () => {
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(
        fc.nat({ max: 255 }),
        fc.constantFrom(0x80, 0xa0, 0xc0, 0xc3, 0xca, 0xcb, 0xd9, 0xde),
      ),
    );
    fc.assert(
      fc.property(
        command,
        types,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (one, other, changes) => {
          const bytes = copyOf(encodeBody(bodyOf(one)));
          agree(other, bytes);
          for (const [at, byte] of changes) bytes[at % bytes.byteLength] = byte;
          agree(one.type, bytes);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('never takes bytes cut short, whatever lies behind them', () => {
    fc.assert(
      fc.property(command, (one) => {
        const body = encodeBody(bodyOf(one));
        const reader = new CommandReader(join([body, body]));
        for (let length = 0; length < body.byteLength; length += 1)
          expect(reader.read(one.type, TIME, 0, length)).toBeUndefined();
        expect(reader.read(one.type, TIME, 0, body.byteLength + 1)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test('does not remember a failure when it reads the next', () => {
    const good = encodeBody(
      bodyOf({ type: 'clear', actor: 'a', observedAt: TIME, target: { id: 'A1' } }),
    );
    const reader = new CommandReader(join([good, good]));
    expect(reader.read('raise', TIME, 0, good.byteLength)).toBeUndefined();
    expect(reader.read('clear', TIME, good.byteLength, 2 * good.byteLength)).toBeDefined();
  });

  const takesTheLongWay = (name: string, hex: string, code: string): void =>
    test(`is not taken by ${name}`, () => {
      const body = bytesOf(hex);
      expect(short('clear', body)).toBeUndefined();
      expect(codeOf(() => long('clear', body))).toBe(code);
    });
  // { by: 'a', rev: 1, id: 'A1' } and what can become of it.
  takesTheLongWay('another order', '83 a3726576 01 a26279 a161 a26964 a24131', 'no error');
  takesTheLongWay(
    'a key in a longer spelling',
    '83 d9026279 a161 a3726576 01 a26964 a24131',
    'no error',
  );
  takesTheLongWay(
    'a 64-bit integer',
    '83 a26279 a161 a3726576 cf0000000000000001 a26964 a24131',
    'no error',
  );
  takesTheLongWay(
    'a text that is not ASCII',
    '83 a26279 a2c3a9 a3726576 01 a26964 a24131',
    'no error',
  );
  takesTheLongWay('a field too few', '82 a26279 a161 a3726576 01 a26964 a24131', 'BODY_MALFORMED');
  takesTheLongWay('a field too many', '84 a26279 a161 a3726576 01 a26964 a24131', 'BODY_MALFORMED');
  takesTheLongWay(
    'a field twice',
    '84 a26279 a161 a26279 a161 a3726576 01 a26964 a24131',
    'BODY_MALFORMED',
  );
  takesTheLongWay(
    'an unknown field',
    '84 a26279 a161 a3726576 01 a26964 a24131 a178 01',
    'BAD_REQUEST',
  );
  takesTheLongWay('a time in the body', '83 a26279 a161 a26174 01 a26964 a24131', 'BAD_REQUEST');
  takesTheLongWay(
    'both targets',
    '84 a26279 a161 a3726576 01 a26964 a24131 a36b6579 a16b',
    'BAD_REQUEST',
  );
  takesTheLongWay('a negative revision', '83 a26279 a161 a3726576 ff a26964 a24131', 'BAD_REQUEST');
  takesTheLongWay(
    'a NaN revision',
    '83 a26279 a161 a3726576 cb7ff8000000000000 a26964 a24131',
    'BODY_MALFORMED',
  );
  takesTheLongWay('a wrong id', '83 a26279 a161 a3726576 01 a26964 a24130', 'BAD_REQUEST');
});
