import { TocsinError } from '../../src/base/errors.ts';
import type { KeptSchedule } from '../../src/statemachine/beside/schedule.ts';
import type { OperatorClient } from './io.ts';

/** @throws TocsinError RECORD_NOT_FOUND */
export async function findSchedule(
  client: OperatorClient,
  id: string,
  options: Parameters<OperatorClient['records']>[1],
): Promise<KeptSchedule> {
  const { value } = await client.records('schedule', { ...options, limit: 1_000 });
  const found = value.records.find((one) => one.id === id);
  if (found !== undefined) return found;
  const known = value.records.map((one) => one.id).join(', ');
  const message = `there is no schedule ${id}${known === '' ? '' : `; there are ${known}`}`;
  throw new TocsinError('RECORD_NOT_FOUND', message);
}
