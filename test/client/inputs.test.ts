import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { careTypeOf, recordTypeOf } from '../../src/client/inputs.ts';
import {
  acknowledgeFrom,
  clearFrom,
  commandFrom,
  raiseFrom,
} from '../../src/statemachine/inputs.ts';
import { RARE_TYPES } from '../../src/wire/commands/command-shapes.ts';
import { parseCommand } from '../../src/wire/commands/parse.ts';

const origin = { actor: 'gateway', observedAt: unixMillis(5) };
const minimal = { dedupKey: 'k', priority: 'low', condition: 'HR:HI' } as const;

describe('a command from what a caller gives', () => {
  test('has the defaults of AlertApi, and the condition for a text', () => {
    expect(raiseFrom(minimal, origin)).toEqual({
      type: 'raise',
      dedupKey: 'k',
      kind: 'physiological',
      priority: 'low',
      condition: 'HR:HI',
      text: 'HR:HI',
      subject: {},
      latching: false,
      acknowledgementRequired: false,
      actor: 'gateway',
      observedAt: 5,
    });
    const target = { dedupKey: 'k' };
    expect(clearFrom({ target }, origin)).toEqual({ type: 'clear', target, ...origin });
    expect(acknowledgeFrom({ target, note: 'on my way' }, origin)).toEqual({
      type: 'acknowledge',
      target,
      note: 'on my way',
      ...origin,
    });
  });

  test('keeps whatever the caller says', () => {
    const said = fc.record(
      {
        kind: fc.constantFrom('physiological', 'technical', 'advisory'),
        text: fc.constantFrom('', 'text'),
        subject: fc.constant({ bed: '3' }),
        latching: fc.boolean(),
        acknowledgementRequired: fc.boolean(),
        actor: fc.constant('nurse'),
        observedAt: fc.nat().map(unixMillis),
        labels: fc.constant({ a: 'b' }),
        cause: fc.constant({ metric: 'HR', value: null }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(said, (input) => {
        expect(raiseFrom({ ...minimal, ...input }, origin)).toMatchObject(input);
      }),
    );
  });

  test('of any other kind says who and when, unless the caller does', () => {
    const input = { type: 'remove-policy', id: 'p' } as const;
    expect(commandFrom(input, origin)).toEqual({ ...input, ...origin });
    const said = { ...input, actor: 'nurse', observedAt: unixMillis(9) };
    expect(commandFrom(said, origin)).toEqual(said);
  });

  test('takes a field that is there but undefined for one that is not there', () => {
    const holes = { kind: undefined, text: undefined, actor: undefined, labels: undefined };
    const command = raiseFrom({ ...minimal, ...holes } as typeof minimal, origin);
    expect(parseCommand('raise', command)).toEqual(raiseFrom(minimal, origin));
  });

  test('leaves what is wrong in it to be refused by name', () => {
    const wrong = { ...minimal, colour: 'red' } as typeof minimal;
    expect(() => parseCommand('raise', raiseFrom(wrong, origin))).toThrow('colour');
  });
});

test('a command has one place: with those about alerts, or with those about what stands beside them', () => {
  const takes = (typeOf: (input: { readonly type: string }) => string, type: string): boolean => {
    try {
      return typeOf({ type }) === type;
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_REQUEST' });
      return false;
    }
  };
  const places = (type: string) => [takes(careTypeOf, type), takes(recordTypeOf, type)];
  for (const type of RARE_TYPES) expect(places(type).filter(Boolean), type).toHaveLength(1);
  expect(places('pause')).toEqual([true, false]);
  expect(places('set-policy')).toEqual([false, true]);
  expect(places('transaction')).toEqual([false, true]);
  expect(places('raise')).toEqual([false, false]);
});
