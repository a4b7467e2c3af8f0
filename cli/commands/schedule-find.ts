import { TocsinError } from '../../src/base/errors.ts';
import { LIST_PAGE_MAX } from '../../src/base/limits.ts';
import type { EscalationStep } from '../../src/statemachine/beside/policies.ts';
import type { KeptSchedule } from '../../src/statemachine/beside/schedule.ts';
import type { Io, OperatorClient } from './io.ts';

type Asked = Parameters<OperatorClient['records']>[1];

/** @throws TocsinError RECORD_NOT_FOUND */
export async function findSchedule(
  client: OperatorClient,
  id: string,
  options: Asked,
): Promise<KeptSchedule> {
  const known = await allSchedules(client, options);
  const found = known.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new TocsinError('RECORD_NOT_FOUND', `there is no schedule ${id}${others(known)}`);
}

/**
 * Says of which schedules these steps tell whoever is on call although there are none. They may be made later, so it is no
 * error; but whoever mistypes a name would learn it from the first alert that reaches nobody.
 */
export async function warnOfUnknown(
  io: Io,
  client: OperatorClient,
  steps: readonly EscalationStep[],
  options: Asked,
): Promise<void> {
  const { scheduleOf } = await import('../../src/statemachine/beside/notifications.ts');
  const { printable } = await import('../output/escape.ts');
  const named = new Set(steps.flatMap(({ targets }) => targets.map(scheduleOf)));
  named.delete(undefined);
  if (named.size === 0) return;
  const known = await allSchedules(client, options).catch((error: unknown) => {
    if (!TocsinError.is(error)) throw error;
    return undefined; // What was asked for is done.
  });
  for (const id of named)
    if (known?.every((one) => one.id !== id))
      io.stderr.write(
        `tocsin: ${printable(`there is no schedule ${id}: until there is, schedule:${id} tells nobody${others(known)}`)}\n`,
      );
}

export const allSchedules = async (
  client: OperatorClient,
  options: Asked,
): Promise<readonly KeptSchedule[]> =>
  (await client.records('schedule', { ...options, limit: LIST_PAGE_MAX })).value.records;

const others = (known: readonly KeptSchedule[]): string =>
  known.length === 0 ? '' : `; there are ${known.map(({ id }) => id).join(', ')}`;
