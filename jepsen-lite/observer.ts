import { setTimeout as pause } from 'node:timers/promises';
import { TocsinError } from '../src/base/errors.ts';
import type { Client } from '../src/client/client.ts';
import type { ReplicaStatus } from '../src/wire/clients/status.ts';

/** What one replica said of itself for a while; silent = it did not answer, for whatever reason. */
export interface Stretch {
  readonly site: number;
  readonly role: ReplicaStatus['role'] | 'silent';
  readonly term: number;
  /** Milliseconds since the run began. */
  readonly from: number;
  to: number;
}

/** Somebody who can be asked. */
interface Observed {
  readonly id: number;
  readonly address: string;
}

const ANSWER_MS = 250;
const LOOK_MS = 100;

/** Asks every replica again and again who it is, as any client may, for the report. */
export class Observer {
  readonly stretches: Stretch[] = [];
  readonly #newest: Map<number, Stretch> = new Map();
  readonly #client: Client;
  readonly #now: () => number;

  constructor(client: Client, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /** Resolves soon after `stop` was raised. */
  async run(observed: () => readonly Observed[], stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await Promise.all(observed().map((each) => this.#look(each)));
      await pause(LOOK_MS);
    }
  }

  async #look({ id, address }: Observed): Promise<void> {
    try {
      const { role, term } = await this.#client.status(address, { timeoutMs: ANSWER_MS });
      this.#note(id, role, term);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.#note(id, 'silent', 0);
    }
  }

  #note(site: number, role: Stretch['role'], term: number): void {
    const newest = this.#newest.get(site);
    const now = this.#now();
    if (newest?.role === role && newest.term === term) {
      newest.to = now;
      return;
    }
    const from = newest?.to ?? now;
    const stretch = { site, role, term, from, to: now };
    this.stretches.push(stretch);
    this.#newest.set(site, stretch);
  }
}
