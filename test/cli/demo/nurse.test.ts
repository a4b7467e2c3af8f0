import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Nurse } from '../../../cli/demo/nurse.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { DEMO_ACKNOWLEDGEMENTS_WAITING_MAX } from '../../../src/base/limits.ts';
import { Prng } from '../../../src/base/prng.ts';
import type { AcknowledgeInput } from '../../../src/statemachine/alert-api.ts';
import type { Alert, Done } from '../../../src/statemachine/types.ts';
import { DONE } from '../commands/world.ts';
import { eventOf } from './scenes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function onDuty(answer: () => Promise<Done> = () => Promise.resolve(DONE)) {
  const sent: AcknowledgeInput[] = [];
  const open = new Map<string, Alert>();
  const acknowledge = (input: AcknowledgeInput): Promise<Done> => {
    sent.push(input);
    return answer();
  };
  const nurse = new Nurse({
    commands: { acknowledge },
    prng: new Prng(1),
    names: ['nurse-1', 'nurse-2'],
    look: (id) => open.get(id),
  });
  const see = (event: ReturnType<typeof eventOf>): void => {
    open.set(event.alert.id, event.alert);
    nurse.see(event);
  };
  return { nurse, sent, open, see };
}

describe('Nurse', () => {
  test('acknowledges most of what is urgent, some of what is not, after a while, each once', async () => {
    const { nurse, sent, see } = onDuty();
    for (let at = 1; at <= 100; at += 1) {
      see(eventOf(at, 'raised', { priority: 'high' }));
      see(eventOf(1_000 + at, 'raised', { priority: 'low' }));
      see(eventOf(2_000 + at, 'raised', { priority: 'none' }));
      see(eventOf(at, 'continued', { priority: 'high' }));
    }
    await vi.advanceTimersByTimeAsync(400);
    expect(sent).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(5_000);
    const ids = sent.map(({ target }) => ('id' in target ? Number(target.id.slice(1)) : 0));
    expect(ids.filter((id) => id <= 100).length).toBeGreaterThan(80);
    const low = ids.filter((id) => id > 1_000 && id <= 2_000).length;
    expect(low).toBeGreaterThan(20);
    expect(low).toBeLessThan(60);
    expect(ids.filter((id) => id > 2_000)).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    await nurse.close();
  });

  test('does not go to an alert that is over, acknowledged or new again by then', async () => {
    const { nurse, sent, open, see } = onDuty();
    for (let at = 1; at <= 30; at += 1) see(eventOf(at, 'raised'));
    for (const [id, alert] of [...open]) {
      const number = Number(id.slice(1)) % 3;
      if (number === 0) open.delete(id);
      if (number === 1) open.set(id, { ...alert, acknowledged: true });
      if (number === 2) open.set(id, { ...alert, activation: 2 });
    }
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
    await nurse.close();
  });

  test('goes on when what she did came too late', async () => {
    const { nurse, sent, see } = onDuty(() =>
      Promise.reject(new TocsinError('ALREADY_RESOLVED', 'over')),
    );
    for (let at = 1; at <= 20; at += 1) see(eventOf(at, 'raised'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent.length).toBeGreaterThan(10);
    await nurse.close();
  });

  test('has a bounded number in mind, and none after the shift', async () => {
    const { nurse, sent, see } = onDuty();
    for (let at = 1; at <= DEMO_ACKNOWLEDGEMENTS_WAITING_MAX * 2; at += 1)
      see(eventOf(at, 'raised'));
    expect(vi.getTimerCount()).toBe(DEMO_ACKNOWLEDGEMENTS_WAITING_MAX);
    await nurse.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(sent).toEqual([]);
  });
});
