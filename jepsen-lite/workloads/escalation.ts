import type { Prng } from '../../src/base/prng.ts';
import type { Client } from '../../src/client/client.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import {
  checkEscalations,
  type EscalationEvent,
  type Ladder,
  type SeenPage,
} from '../../src/testing/checkers/escalation-once.ts';
import { Caller, NO_MIX } from '../../src/testing/workload/caller.ts';
import { latenessOf } from './lateness.ts';
import type { Account, Seen, Work, Workload, WorkParts } from './workload.ts';

/** Two steps, gone through twice: long enough for leaders to be lost in between, short enough for many in one run. */
const STEP_SECONDS = 1;
const STEPS = 2;
const LADDER: Ladder = {
  waitsMs: Array.from({ length: STEPS }, () => STEP_SECONDS * 1_000),
  repeat: 1,
};
/** Nobody has to confirm within a run: a page that expires would make the next step come early. */
const CONFIRM_SECONDS = 3_600;
/** From the raise to when nothing more can come. */
const LADDER_MS = STEP_SECONDS * 1_000 * STEPS * (LADDER.repeat + 1);
const OPEN_MAX = 12;
/** What a policy does to an alert. */
const BY_ITSELF: readonly string[] = ['notified', 'unanswered', 'exhausted'];
/** Of the machine's own alerts, before the id of the alert that nobody answered. */
const UNANSWERED = 'tocsin:unanswered:';
/** Whom every page is for; replicas are told to print such pages. */
const TARGET = 'role:jepsen';

/** Alerts under a policy: some are acknowledged at some step, the others go all the way. */
export const escalationWorkload: Workload = {
  name: 'escalation',
  watchers: 1,
  needsPages: true,
  open: (parts) => {
    const account = new EscalationAccount(parts);
    return {
      workload: escalationWorkload,
      account,
      work: (client, process, prng) => new EscalationWork(parts, account, client, process, prng),
    };
  },
};

class EscalationAccount implements Account {
  readonly #parts: WorkParts;
  readonly #raisedAt: Map<string, number> = new Map();
  readonly #events: EscalationEvent[] = [];
  readonly #unanswered: Map<string, number> = new Map();
  /** Alerts for which more is to come by itself. */
  readonly #climbing: Set<string> = new Set();
  readonly #ids: Set<string> = new Set();

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  get policy(): string {
    return this.#parts.namespace.replaceAll(':', '-');
  }

  async prepare(client: Client): Promise<void> {
    const step = { targets: [TARGET], delaySeconds: STEP_SECONDS };
    await client.keep({
      type: 'set-policy',
      id: this.policy,
      steps: LADDER.waitsMs.map(() => step),
      repeat: LADDER.repeat,
      minPriority: 'none',
      confirmSeconds: CONFIRM_SECONDS,
    });
  }

  raises(key: string): void {
    this.#raisedAt.set(key, this.#parts.now());
  }

  take({ alert, revision, effect, time, actor }: AlertEvent, seenAt: number): boolean {
    const { dedupKey: key, id: alertId, escalation } = alert;
    if (key.startsWith(UNANSWERED)) {
      const about = key.slice(UNANSWERED.length);
      if (effect === 'raised') this.#unanswered.set(about, (this.#unanswered.get(about) ?? 0) + 1);
      return this.#ids.has(about);
    }
    if (!key.startsWith(this.#parts.namespace)) return false;
    const { loop = 0, step = 0 } = escalation ?? {};
    this.#ids.add(alertId);
    this.#events.push({ key, alertId, revision, effect, time, seenAt, loop, step });
    if (escalation?.dueAt === undefined) this.#climbing.delete(alertId);
    else this.#climbing.add(alertId);
    // What else the cluster does of its own accord, nobody asked for.
    return actor === 'tocsin' && BY_ITSELF.includes(effect);
  }

  unfinished(): string | undefined {
    const { size } = this.#climbing;
    return size === 0 ? undefined : `${size} alerts wait for their next step`;
  }

  judge({ printed, spans }: Seen): ReturnType<Account['judge']> {
    const { findings, delays, alerts, steps, exhausted, repeatedPages } = checkEscalations({
      ladder: LADDER,
      raisedAt: this.#raisedAt,
      events: this.#events,
      unanswered: this.#unanswered,
      pages: printed.flatMap((line) => pageOf(line) ?? []),
    });
    const counts = { alerts, steps, 'all the way': exhausted, 'pages sent again': repeatedPages };
    return { findings, timings: [], figures: { ...counts, ...latenessOf(delays, spans) } };
  }
}

/** A page as a replica prints it; undefined = it is another line. */
function pageOf(line: string): SeenPage | undefined {
  if (!line.startsWith('{"notification":')) return undefined;
  // A replica that was killed may have written a part of the line.
  if (!line.endsWith('}')) return undefined;
  const { notification, loop, step, alert } = JSON.parse(line) as SeenPage & {
    readonly alert: { readonly id: string };
  };
  return { notification, alertId: alert.id, loop, step };
}

interface Open {
  readonly key: string;
  /** When it is acknowledged or cleared. */
  readonly at: number;
  readonly kind: 'acknowledge' | 'clear';
}

class EscalationWork implements Work {
  readonly #parts: WorkParts;
  readonly #account: EscalationAccount;
  readonly #caller: Caller;
  readonly #prng: Prng;
  readonly #process: number;
  #open: readonly Open[] = [];
  #count = 0;

  constructor(
    parts: WorkParts,
    account: EscalationAccount,
    client: Client,
    process: number,
    prng: Prng,
  ) {
    this.#parts = parts;
    this.#account = account;
    this.#prng = prng;
    this.#process = process;
    this.#caller = new Caller({
      ...{ ...parts, namespace: () => '' },
      ...{ api: client, process, prng, mix: NO_MIX },
    });
  }

  use(client: Client): void {
    this.#caller.use(client);
  }

  /** What is due, or one alert more. */
  async next(): Promise<void> {
    const { now } = this.#parts;
    const due = this.#open.find(({ at }) => at <= now());
    if (due === undefined) return this.#raise();
    this.#open = this.#open.filter((each) => each !== due);
    await this.#caller.write(due.kind, due.key, this.#unit);
    // What was acknowledged stays open, and nothing more may come of it, for as long as all steps would have taken.
    if (due.kind === 'acknowledge') this.#plan('clear', due.key, LADDER_MS);
  }

  async #raise(): Promise<void> {
    if (this.#open.length >= OPEN_MAX) return;
    this.#count += 1;
    const key = `${this.#parts.namespace}${this.#process}.${this.#count}`;
    this.#account.raises(key);
    await this.#caller.write('raise', key, this.#unit, {
      latching: false,
      acknowledgementRequired: false,
      policy: this.#account.policy,
    });
    const isAnswered = this.#prng.chance(0.5);
    const delay = isAnswered ? this.#prng.between(0, LADDER_MS) : 2 * LADDER_MS;
    this.#plan(isAnswered ? 'acknowledge' : 'clear', key, delay);
  }

  #plan(kind: Open['kind'], key: string, delayMs: number): void {
    this.#open = [...this.#open, { kind, key, at: this.#parts.now() + delayMs }];
  }

  get #unit(): string {
    return `${this.#parts.namespace}u`;
  }
}
