import type { UnixMillis } from '../../src/base/ids.ts';
import type { Client } from '../../src/client/client.ts';
import type { BatchedCommand } from '../../src/client/command-batch.ts';
import type { AlertApi, RaiseInput } from '../../src/statemachine/alert-api.ts';
import type { RaiseCommand } from '../../src/statemachine/types.ts';
import type { Operation } from '../measure/load.ts';

/** Bytes of a raise as a record, about what the other stores are given as a value. */
export const PAYLOAD_BYTES = 256;

/** Of the record of a raise, everything but its text. */
const RECORD_WITHOUT_TEXT_BYTES = 170;

const raiseOf = (key: string, text: string): RaiseInput => ({
  dedupKey: key,
  priority: 'medium',
  condition: 'HR:HI',
  text,
  subject: { unit: 'ED', bed: 'B12' },
  cause: { metric: 'HR', value: 141, limit: 131 },
});

/** A raise as a monitor makes it, with all that it says of whom and why. */
export const raiseOfMonitor = (
  dedupKey: string,
  patient: string,
  bed: string,
  observedAt: UnixMillis,
): RaiseCommand => ({
  type: 'raise',
  dedupKey,
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { unit: 'ED', bed, patient, device: 'mon-01' },
  cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
  latching: false,
  acknowledgementRequired: false,
  actor: 'ward',
  observedAt,
});

/** Text that pads a raise to `bytes`. */
export const paddingOf = (bytes: number): string =>
  'x'.repeat(Math.max(0, bytes - RECORD_WITHOUT_TEXT_BYTES));

/**
 * Raises and clears by turns, a key after another: each is a change that every replica logs and applies, and the number of
 * open alerts stays small. `prefix` keeps runs apart.
 */
export function raiseAndClear(
  api: AlertApi,
  prefix: string,
  payloadBytes: number = PAYLOAD_BYTES,
): Operation {
  const text = paddingOf(payloadBytes);
  return (n) => {
    const key = `${prefix}:${n >> 1}`;
    return n % 2 === 0 ? api.raise(raiseOf(key, text)) : api.clear({ target: { dedupKey: key } });
  };
}

/** Raises that stay open. */
export const raiseOnly = (api: AlertApi, prefix: string): Operation => {
  const text = paddingOf(PAYLOAD_BYTES);
  return (n) => api.raise(raiseOf(`${prefix}:${n}`, text));
};

/** Raises and clears by turns, as `raiseAndClear`, `size` in one batch; one operation. */
export function inBatches(client: Client, prefix: string, size: number): Operation {
  const text = paddingOf(PAYLOAD_BYTES);
  const commandAt = (n: number): BatchedCommand => {
    const key = `${prefix}:${n >> 1}`;
    return n % 2 === 0
      ? { type: 'raise', ...raiseOf(key, text) }
      : { type: 'clear', target: { dedupKey: key } };
  };
  return async (n) => {
    const replies = await client.batch(
      Array.from({ length: size }, (_, at) => commandAt(n * size + at)),
    );
    for (const reply of replies) if (!reply.ok) throw new Error(reply.message);
  };
}
