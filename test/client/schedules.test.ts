import { expect, test, vi } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { type ScheduleInput, setSchedule } from '../../src/client/schedules.ts';
import type { CareApi } from '../../src/statemachine/alert-api.ts';

const GOOD: ScheduleInput = {
  id: 'icu',
  now: unixMillis(1_772_334_245_000),
  timeZone: 'Europe/Berlin',
  layers: [
    {
      name: 'weeks',
      users: ['anna', 'ben'],
      rotation: { start: '2026-02-23T07:00', every: 1, unit: 'week' },
      restrictions: [],
    },
  ],
  overrides: [],
};
const [LAYER] = GOOD.layers;

const set = async (input: unknown) => {
  const keep = vi.fn<CareApi['keep']>(() =>
    Promise.resolve({ ok: true, effect: 'kept', id: 'icu', version: 1 }),
  );
  const outcome = await setSchedule({ keep }, input as ScheduleInput).catch((error) => error);
  return { outcome, calls: keep.mock.calls.length };
};

test('a schedule is sent with its shifts', async () => {
  expect(await set(GOOD)).toMatchObject({ outcome: { ok: true }, calls: 1 });
});

test.each([
  ['timeZone', { timeZone: undefined }],
  ['layers', { layers: null }],
  ['layers[0]', { layers: [null] }],
  ['layers[0]: rotation', { layers: [{ ...LAYER, rotation: undefined }] }],
  ['layers[0]: users', { layers: [{ ...LAYER, users: 'anna' }] }],
  ['overrides', { overrides: undefined }],
  ['overrides[0]: until', { overrides: [{ user: 'cara', from: 1 }] }],
])('without a proper %s it is refused, and not sent', async (field, wrong) => {
  const { outcome, calls } = await set({ ...GOOD, ...wrong });
  expect(outcome).toMatchObject({ name: 'TocsinError', code: 'BAD_REQUEST' });
  expect(outcome.message).toContain(`${field}: `);
  expect(calls).toBe(0);
});
