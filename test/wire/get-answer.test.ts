import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { revision, unixMillis } from '../../src/base/ids.ts';
import {
  FRAME_BYTES_MAX,
  GETS_PER_FRAME_MAX,
  PAGE_BYTES_MAX,
  TEXT_CHARS_MAX,
} from '../../src/base/limits.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { encodeBody } from '../../src/wire/body.ts';
import { alertBody } from '../../src/wire/clients/alert-body.ts';
import { decodeGetAnswer, encodeGetAnswer } from '../../src/wire/clients/answers.ts';
import { encodePlain } from '../../src/wire/clients/items.ts';
import { alert, aRevision } from './arbitraries.ts';
import { change, survives } from './damage.ts';
import { codeOf, join, messageOf } from './helpers.ts';

const someAlert = fc.sample(alert, { numRuns: 1, seed: 1 })[0] as Alert;

describe('the answer to GET', () => {
  const found = fc.array(fc.option(alert, { nil: undefined }), { maxLength: 5 });

  test('comes back as it was', () => {
    fc.assert(
      fc.property(found, aRevision, (value, at) => {
        const answer = { value, revision: at };
        expect(decodeGetAnswer(encodeGetAnswer(answer))).toEqual(answer);
      }),
    );
  });

  test('that is damaged is malformed', () => {
    fc.assert(
      fc.property(found, fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
        survives(encodeGetAnswer({ value, revision: revision(1) }), decodeGetAnswer, changes);
      }),
    );
  });

  test('of more alerts than can be asked after is malformed', () => {
    const most = new Uint8Array(12 + GETS_PER_FRAME_MAX * 4);
    expect(decodeGetAnswer(most).value).toHaveLength(GETS_PER_FRAME_MAX);
    expect(codeOf(() => decodeGetAnswer(join([most, new Uint8Array(4)])))).toBe('BODY_MALFORMED');
  });

  test('that would not fit a frame ends with the alert that passes the limit of a page', () => {
    const text = 'x'.repeat(TEXT_CHARS_MAX);
    const long = { note: text, by: 'm', at: unixMillis(1) };
    const large = {
      ...someAlert,
      text,
      labels: Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`l${n}`, 'y'.repeat(128)])),
      acknowledgements: [long],
    } as unknown as Alert;
    const value = Array.from({ length: GETS_PER_FRAME_MAX * 2 }, () => large);
    const body = encodeGetAnswer({ value, revision: revision(1) });
    const each = encodeGetAnswer({ value: [large], revision: revision(1) }).byteLength - 12;
    expect((body.byteLength - 12) / each).toBe(Math.ceil(PAGE_BYTES_MAX / each));
    expect(body.byteLength).toBeLessThan(FRAME_BYTES_MAX);
  });

  test('with fields of a later version is read without them', () => {
    const later = {
      ...alertBody(someAlert),
      later: true,
      subject: { ...someAlert.subject, ward: 'x' },
    };
    const body = join([new Uint8Array(12), encodePlain(encodeBody(later))]);
    expect(decodeGetAnswer(body).value).toEqual([someAlert]);
  });

  test('that lacks any field, or has one of another type, names it', () => {
    const whole = alertBody(someAlert);
    for (const field of Object.keys(whole).filter((name) => !OPTIONAL.has(name))) {
      const { [field]: _left, ...rest } = whole;
      for (const value of [rest, { ...whole, [field]: [[]] }]) {
        const body = join([new Uint8Array(12), encodePlain(encodeBody(value))]);
        expect(codeOf(() => decodeGetAnswer(body))).toBe('BODY_MALFORMED');
        expect(messageOf(() => decodeGetAnswer(body))).toMatch(new RegExp(`^${field}`));
      }
    }
  });
});

const OPTIONAL = new Set([
  'previous',
  'cause',
  'resolution',
  'clearedAt',
  'acknowledgementSeconds',
  'acknowledgedUntil',
  'escalation',
  'responsibility',
  'pausedUntil',
  'staleSince',
]);
