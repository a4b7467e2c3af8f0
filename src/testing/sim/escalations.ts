import { TocsinError } from '../../base/errors.ts';
import type { Prng } from '../../base/prng.ts';
import type { Client } from '../../client/client.ts';
import type { Sender } from '../../notify/types.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import type { AppliedEvent } from '../../statemachine/types.ts';
import {
  checkEscalations,
  type EscalationEvent,
  type Ladder,
  type SeenPage,
} from '../checkers/escalation-once.ts';
import type { Finding } from '../checkers/history.ts';
import type { Caller } from '../workload/caller.ts';

/** Two steps, gone through twice: long enough for leaders to be lost in between. */
const LADDER: Ladder = { waitsMs: [1_000, 1_000], repeat: 1 };
const LADDER_MS = 4_000;
const POLICY = 'ladder';
const UNIT = 'ladder';
const TARGET = 'sim:anybody';
/** Nobody has to confirm within a run: a page that expires would make the next step come early. */
const CONFIRM_SECONDS = 3_600;
/** Of the machine's own alerts, before the id of the alert that nobody answered. */
const UNANSWERED = 'tocsin:unanswered:';

/** Alerts under a policy: some are acknowledged or cleared on the way, the others go all the way. */
export class Escalations {
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #pages: SeenPage[] = [];
  #count = 0;

  constructor(sleep: (ms: number) => Promise<void>) {
    this.#sleep = sleep;
  }

  /** How replicas reach somebody. */
  readonly senders: ReadonlyMap<string, Sender> = new Map([
    [
      'sim',
      {
        send: async ({ id, alert, loop, step }) => {
          this.#pages.push({ notification: id, alertId: alert.id, loop, step });
          return { outcome: 'sent', detail: '' };
        },
      },
    ],
  ]);

  /** Makes the policy, as often as it takes. */
  async prepare(client: Client, isOver: () => boolean): Promise<void> {
    const step = { targets: [TARGET], delaySeconds: 1 };
    const policy = {
      type: 'set-policy',
      id: POLICY,
      steps: LADDER.waitsMs.map(() => step),
      repeat: LADDER.repeat,
      minPriority: 'none',
      confirmSeconds: CONFIRM_SECONDS,
    } as const;
    while (!isOver())
      try {
        await client.keep(policy);
        return;
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        await this.#sleep(100);
      }
  }

  /** One alert, and whatever is done about it. */
  async next(caller: Caller, prng: Prng): Promise<void> {
    this.#count += 1;
    const key = `ladder${this.#count}`;
    const how = { latching: false, acknowledgementRequired: false, policy: POLICY };
    await caller.write('raise', key, UNIT, how);
    await this.#sleep(prng.unit() * LADDER_MS);
    const answer = prng.pick(['acknowledge', 'clear', undefined] as const);
    if (answer !== undefined) await caller.write(answer, key, UNIT);
  }

  /** Nothing more comes by itself. */
  isAtRest(machine: AlertMachine): boolean {
    if (machine.queuedNotifications(1).length > 0) return false;
    const { alerts } = machine.list({ unit: UNIT, open: true }, { limit: 1_000 });
    return alerts.every(({ escalation }) => escalation?.dueAt === undefined);
  }

  judge(all: readonly AppliedEvent[]): readonly Finding[] {
    const events = all.filter(({ alert }) => alert.escalation?.policy === POLICY);
    const unanswered = new Map<string, number>();
    for (const { effect, alert } of all) {
      if (effect !== 'raised' || !alert.dedupKey.startsWith(UNANSWERED)) continue;
      const about = alert.dedupKey.slice(UNANSWERED.length);
      unanswered.set(about, (unanswered.get(about) ?? 0) + 1);
    }
    const { findings } = checkEscalations({
      ladder: LADDER,
      // The invariants hold log time against the true time.
      raisedAt: new Map(),
      events: events.map(climbOf),
      unanswered,
      pages: this.#pages,
    });
    return findings;
  }
}

const climbOf = ({ alert, revision, effect, time }: AppliedEvent): EscalationEvent => {
  const { dedupKey: key, id: alertId, escalation } = alert;
  const { loop = 0, step = 0 } = escalation ?? {};
  return { key, alertId, revision, effect, time, seenAt: time, loop, step };
};
