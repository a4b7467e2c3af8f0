import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { Batch } from '../../src/client/batch.ts';
import type { BatchReply } from '../../src/statemachine/types.ts';

const EXPIRED: BatchReply = {
  ok: false,
  code: 'SESSION_EXPIRED',
  message: 'there is no session X1',
};

/** What a caller is told when the last attempt of its command finds the session gone. */
function toldAfter(
  ...earlier: readonly ('no' | 'unknown' | 'under way')[]
): TocsinError | undefined {
  let told: TocsinError | undefined;
  const batch = new Batch(0, 1_000, 0, () => {});
  const call = {
    records: [new Uint8Array(0)],
    byteLength: 0,
    replied: ([reply]: readonly BatchReply[]): void => {
      if (reply?.ok === false) told = new TocsinError(reply.code, reply.message);
    },
    reject: (error: TocsinError): void => {
      told = error;
    },
    signal: undefined,
    onAbort: undefined,
    settled: false,
  };
  batch.add(call);
  for (const how of earlier) {
    batch.attemptStarted();
    if (how !== 'under way') batch.attemptEnded(how);
  }
  batch.attemptStarted();
  batch.attemptEnded('replied');
  batch.settle([call], [EXPIRED]);
  return told;
}

test('an expired session is a certain no for a command that was sent once, or surely not taken before', () => {
  expect(toldAfter()).toMatchObject({ code: 'SESSION_EXPIRED', outcome: 'none' });
  expect(toldAfter('no', 'no')).toMatchObject({ code: 'SESSION_EXPIRED', outcome: 'none' });
});

test('and no answer at all for one that may have been carried out while the session lived', () => {
  expect(toldAfter('unknown')).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
  expect(toldAfter('under way')).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
});
