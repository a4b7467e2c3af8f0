import { logIndex, unixMillis } from '../../src/base/ids.ts';
import type { AlertLimits } from '../../src/statemachine/alert-limits.ts';
import type { AlertCommand } from '../../src/statemachine/care-commands.ts';
import type { Command, Submission } from '../../src/statemachine/commands.ts';
import type { Layout } from '../../src/statemachine/layout.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import {
  type AcknowledgeCommand,
  type Alert,
  type AlertRef,
  type ClearCommand,
  type Done,
  isDone,
  type RaiseCommand,
  type Reply,
} from '../../src/statemachine/types.ts';
import { packed } from './packing.ts';
import { deepFreeze, submit } from './stories.ts';

/** Commands as examples need them: everything that does not matter is filled in. */

export const raise = (changes: Partial<RaiseCommand> = {}): RaiseCommand => ({
  type: 'raise',
  dedupKey: 'phys:p7:mon42:HR:HI',
  kind: 'physiological',
  priority: 'medium',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { unit: 'icu-2', bed: '12', patient: 'p7', device: 'mon42' },
  latching: false,
  acknowledgementRequired: false,
  actor: 'mon42',
  observedAt: unixMillis(1),
  ...changes,
});

const KEY: AlertRef = { dedupKey: 'phys:p7:mon42:HR:HI' };

export const clear = (changes: Partial<ClearCommand> = {}): ClearCommand => ({
  type: 'clear',
  target: KEY,
  actor: 'mon42',
  observedAt: unixMillis(2),
  ...changes,
});

export const acknowledge = (changes: Partial<AcknowledgeCommand> = {}): AcknowledgeCommand => ({
  type: 'acknowledge',
  target: KEY,
  actor: 'nurse-1',
  observedAt: unixMillis(3),
  ...changes,
});

/** A machine that takes one command at a time, each in an entry of its own, a second apart. */
export class Bench {
  readonly machine: AlertMachine;
  readonly out: Applied = { replies: [], events: [] };
  #sent = 0;

  constructor(limits: Partial<AlertLimits> = {}, layout: Layout = packed()) {
    this.machine = new AlertMachine(limits, layout);
  }

  do(command: Command): Reply {
    this.#sent += 1;
    return this.submit(submit(`${this.#sent}`.padStart(32, '0'), command));
  }

  submit(submission: Submission): Reply {
    const index = logIndex(this.machine.applied + 1);
    const submissions = [deepFreeze(submission)];
    this.machine.apply({ index, time: unixMillis(index * 1_000), submissions }, this.out);
    deepFreeze(this.out.events.at(-1));
    return this.out.replies.at(-1) as Reply;
  }

  /** Time goes on, and nothing else happens. */
  at(time: number): void {
    const index = logIndex(this.machine.applied + 1);
    this.machine.apply({ index, time: unixMillis(time), submissions: [] }, this.out);
  }

  /** Does a command that must be done. */
  done(command: AlertCommand): Done {
    const reply = this.do(command);
    if (!reply.ok) throw new Error(`${reply.code}: ${reply.message}`);
    if (!isDone(reply)) throw new Error(`a reply of ${reply.id} to ${command.type}`);
    return reply;
  }

  /** The alert that a reply was about. */
  alert(reply: Done): Alert {
    const alert = this.machine.get({ id: reply.alertId });
    if (alert === undefined) throw new Error(`${reply.alertId} is not kept`);
    return alert;
  }
}
