import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import {
  NAME_CHARS_MAX,
  NOTIFY_ATTEMPTS_MAX,
  NOTIFY_RETRY_MS,
  NOTIFY_UNDER_WAY_MAX,
  REQUEST_MS_MAX,
  TEXT_CHARS_MAX,
  TICK_MS,
} from '../base/limits.ts';
import type { Delivery, Page, Sender } from '../notify/types.ts';
import {
  addressOf,
  type Notification,
  type ReportCommand,
} from '../statemachine/beside/notifications.ts';
import type { AlertMachine } from '../statemachine/machine.ts';
import { takesRoom, urgencyOf } from '../wire/commands/admission.ts';
import { encodeCommand, keyFromText } from '../wire/commands/commands.ts';
import type { Proposal } from './pipeline/proposals.ts';

/** What a notifier needs of the replica beside which it runs. */
export interface NotifiedReplica {
  readonly machine: AlertMachine;
  readonly standing: { readonly role: string; readonly term: number };
  /** Why the state is in doubt; undefined = it is not. */
  readonly problem: TocsinError | undefined;
  propose(proposal: Proposal): void;
}

export interface NotifierParts {
  readonly clock: Clock;
  readonly replica: NotifiedReplica;
  /** By the kind of target: `webhook` sends to `webhook:pager`. */
  readonly senders: ReadonlyMap<string, Sender>;
  readonly log: (line: string) => void;
}

const ACTOR = 'tocsin';

/**
 * Sends what is queued while its replica leads and its state is not in doubt, and reports what became of it. Whoever is deposed
 * stops: the next leader finds what is still queued and sends it under the same id, so each notification leaves at least once.
 * A report of a deposed leader is not committed.
 */
export class Notifier {
  readonly #parts: NotifierParts;
  readonly #underWay = new Map<string, AbortController>();
  /** The term in which pages may leave; undefined = none may. */
  #reign: number | undefined;
  #timer: Timer | undefined;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.every(millis(TICK_MS), () => this.#turn());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#giveUp();
  }

  #giveUp(): void {
    for (const controller of this.#underWay.values()) controller.abort();
    this.#underWay.clear();
  }

  /** Looks whether pages may leave now. Drops what was begun under another reign, or under one that is over. */
  #mayAct(): boolean {
    const { standing, problem } = this.#parts.replica;
    const isTrusted = standing.role === 'leader' && problem === undefined;
    const reign = isTrusted ? standing.term : undefined;
    if (reign !== this.#reign) this.#giveUp();
    this.#reign = reign;
    return isTrusted;
  }

  #turn(): void {
    const { replica } = this.#parts;
    if (!this.#mayAct()) return;
    for (const one of replica.machine.queuedNotifications(NOTIFY_UNDER_WAY_MAX)) {
      if (this.#underWay.size >= NOTIFY_UNDER_WAY_MAX) return;
      if (!this.#underWay.has(one.id)) void this.#see(one);
    }
  }

  /** Never rejects: a sender does not, and neither does what comes after it. */
  async #see(notification: Notification): Promise<void> {
    const { id, dueAt } = notification;
    const { clock, replica } = this.#parts;
    const controller = new AbortController();
    this.#underWay.set(id, controller);
    const left = Math.min(REQUEST_MS_MAX, Math.max(0, (dueAt ?? 0) - replica.machine.time));
    const late = clock.after(millis(left), () => controller.abort());
    const delivery = await this.#deliver(notification, controller.signal);
    late.cancel();
    if (!this.#mayAct() || this.#underWay.get(id) !== controller) return; // another leader sees to it
    this.#report(notification, delivery);
  }

  /** Tries again what surely did not arrive, while there is time. */
  async #deliver(notification: Notification, signal: AbortSignal): Promise<Delivery> {
    const page = this.#pageOf(notification);
    const kind = addressOf(notification).split(':', 1)[0] ?? '';
    const sender = this.#parts.senders.get(kind);
    if (sender === undefined) return { outcome: 'failed', detail: `nothing sends to ${kind}` };
    if (page === undefined) return { outcome: 'failed', detail: 'the alert is gone' };
    for (let attempt = 1; ; attempt += 1) {
      const delivery = await sender.send(page, signal);
      if (delivery.outcome !== 'failed' || attempt === NOTIFY_ATTEMPTS_MAX) return delivery;
      await this.#pause(signal);
      if (!this.#mayAct() || signal.aborted) return delivery;
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(millis(NOTIFY_RETRY_MS), resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }

  #pageOf(notification: Notification): Page | undefined {
    const { id, activation, loop, step, alert: about } = notification;
    const alert = this.#parts.replica.machine.get({ id: about });
    return alert && { id, target: addressOf(notification), activation, loop, step, alert };
  }

  #report({ id, target }: Notification, { outcome, detail, to }: Delivery): void {
    const { clock, replica, log } = this.#parts;
    const command: ReportCommand = {
      type: 'report',
      actor: ACTOR,
      observedAt: clock.wall(),
      notification: id,
      outcome,
      detail: plain(detail),
      ...(to === undefined ? {} : { to: plain(to, NAME_CHARS_MAX) }),
    };
    const key = keyFromText(`${ACTOR} report ${id} ${outcome} ${this.#reign}`);
    replica.propose({
      commands: encodeCommand(command, key),
      count: 1,
      urgency: urgencyOf(command),
      takesRoom: takesRoom(command),
      deadline: millis(clock.monotonic() + NOTIFY_RETRY_MS),
      settle: (result) => {
        this.#underWay.delete(id); // if it is still queued, it is seen to again
        if (result instanceof TocsinError) log(`${id} to ${target}: ${result.message}`);
      },
    });
  }
}

/** What a program or a server said, as a command may carry it whatever it was. */
const plain = (text: string, charsMax = TEXT_CHARS_MAX): string =>
  text.slice(0, charsMax).replace(/[^ -~]/g, '?');
