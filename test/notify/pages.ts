import { logIndex, unixMillis } from '../../src/base/ids.ts';
import type { Page } from '../../src/notify/types.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';

/** A page about an alert as the machine makes them. */
export function pageOf(text = 'Heart rate high'): Page {
  const machine = new AlertMachine();
  const out: Applied = { replies: [], events: [] };
  const command = {
    type: 'raise',
    dedupKey: 'phys:pt-1:HR:HI',
    kind: 'physiological',
    priority: 'high',
    condition: 'HR:HI',
    text,
    subject: { bed: 'B12' },
    latching: false,
    acknowledgementRequired: false,
    actor: 'ward',
    observedAt: unixMillis(1),
  } as const;
  const submissions = [{ key: '1', fingerprint: 1, command }];
  machine.apply({ index: logIndex(1), time: unixMillis(1), submissions }, out);
  const alert = machine.get({ id: 'A1' });
  if (alert === undefined) throw new Error('the machine refused to raise');
  return { id: 'N7', target: 'webhook:pager', activation: 1, loop: 0, step: 2, alert };
}
