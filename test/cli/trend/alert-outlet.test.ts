import { describe, expect, it } from 'vitest';
import { AlertOutlet } from '../../../cli/trend/alert-outlet.ts';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { unixMillis } from '../../../src/base/ids.ts';

const clear = (dedupKey: string, at: number): AlertRequest => ({
  type: 'clear',
  input: { target: { dedupKey }, observedAt: unixMillis(at) },
});

/** Holds what it is given until it is told that so many have ended. */
class SlowSender {
  readonly sent: string[] = [];
  held = 0;
  readonly #wake: (() => void)[] = [];

  get counts() {
    return { held: this.held, done: 0, failed: 0, unknown: 0 };
  }

  send({ input }: AlertRequest): Promise<void> {
    this.held += 1;
    this.sent.push(
      `${'target' in input && 'dedupKey' in input.target ? input.target.dedupKey : ''}@${input.observedAt}`,
    );
    return this.held < 2 ? Promise.resolve() : new Promise((resolve) => this.#wake.push(resolve));
  }

  async end(): Promise<void> {
    this.held = 0;
    for (const wake of this.#wake.splice(0)) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the outlet of alerts', () => {
  it('passes on at once while there is room', () => {
    const sender = new SlowSender();
    new AlertOutlet(sender, 2).send(clear('a', 1));
    expect(sender.sent).toEqual(['a@1']);
  });

  it('keeps the newest of each condition while there is none, and sends it as soon as there is', async () => {
    const sender = new SlowSender();
    const outlet = new AlertOutlet(sender, 2);
    for (const [key, at] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['c', 4],
      ['a', 5],
      ['d', 6],
    ] as const)
      outlet.send(clear(key, at));
    expect(sender.sent).toEqual(['a@1', 'b@2']);
    expect(outlet.waiting).toBe(3);
    await sender.end();
    expect(sender.sent).toEqual(['a@1', 'b@2', 'c@4', 'a@5']);
    await sender.end();
    expect(sender.sent).toEqual(['a@1', 'b@2', 'c@4', 'a@5', 'd@6']);
    expect(outlet.waiting).toBe(0);
  });

  it('sends again what may not have been written, but not what has been overtaken or refused', () => {
    const sender = new SlowSender();
    const outlet = new AlertOutlet(sender, 100);
    const [first, second, other] = [clear('a', 1), clear('a', 2), clear('b', 3)];
    for (const request of [first, second, other]) outlet.send(request);
    outlet.settled(first, new TocsinError('UNAVAILABLE', 'away'));
    outlet.settled(second, new TocsinError('OUTCOME_UNKNOWN', 'away'));
    outlet.settled(other, new TocsinError('ALERT_NOT_FOUND', 'nothing is open'));
    expect(sender.sent).toEqual(['a@1', 'a@2', 'b@3', 'a@2']);
  });
});
