import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { AbortListeners } from '../../src/client/abort-listeners.ts';

describe('calls that share a signal', () => {
  test('share one listener, which is gone with the last of them', () => {
    const listeners = new AbortListeners();
    const { signal } = new AbortController();
    const tasks = Array.from({ length: 100 }, (_, at) => () => at);
    for (const task of tasks) listeners.add(signal, task);
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    for (const task of tasks) listeners.remove(signal, task);
    expect(getEventListeners(signal, 'abort').length).toBe(0);
  });

  test('are all told, each once, also when they go while it happens', () => {
    const listeners = new AbortListeners();
    const controller = new AbortController();
    const { signal } = controller;
    const told: number[] = [];
    for (let at = 0; at < 10; at += 1) {
      const task = (): void => {
        told.push(at);
        listeners.remove(signal, task);
      };
      listeners.add(signal, task);
    }
    const other = new AbortController();
    listeners.add(other.signal, () => told.push(99));
    controller.abort();
    expect(told).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

test('a signal that is not of this realm, or of a library, ends a call all the same', () => {
  class Foreign extends EventTarget {
    readonly aborted = false;
  }
  const listeners = new AbortListeners();
  const signal = new Foreign();
  let told = 0;
  const task = (): void => {
    told += 1;
  };
  listeners.add(signal as unknown as AbortSignal, task);
  signal.dispatchEvent(new Event('abort'));
  expect(told).toBe(1);
  listeners.remove(signal as unknown as AbortSignal, task);
  expect(getEventListeners(signal, 'abort').length).toBe(0);
});
