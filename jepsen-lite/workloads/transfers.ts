import { TocsinError } from '../../src/base/errors.ts';
import { revision, unixMillis } from '../../src/base/ids.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { Client } from '../../src/client/client.ts';
import type { RaiseInput, RecordInput } from '../../src/statemachine/alert-api.ts';
import { clearFrom, raiseFrom } from '../../src/statemachine/inputs.ts';
import type { Alert, AlertEvent } from '../../src/statemachine/types.ts';
import {
  type BedEvent,
  type Census,
  checkTransfers,
  type Transfer,
} from '../../src/testing/checkers/transfers.ts';
import type { Account, Work, Workload, WorkParts } from './workload.ts';

const PATIENTS = 12;
const BEDS = 24;
const LOOKS = 0.35;
/** Beds on a page. */
const PAGES = [5, 1_000];

/** Transactions that move patients from bed to bed, and callers who count them. */
export const transferWorkload: Workload = {
  name: 'transfers',
  watchers: 1,
  open: (parts) => {
    const account = new TransferAccount(parts);
    return {
      workload: transferWorkload,
      account,
      work: (client, process, prng) => new TransferWork(account, client, process, prng),
    };
  },
};

/** Who is in which bed, and since which revision. */
type Beds = Map<string, { readonly patient: string; readonly revision: number }>;
type Move = Pick<Transfer, 'id' | 'patient' | 'from' | 'to'> & { readonly expected: number };

class TransferAccount implements Account {
  readonly #parts: WorkParts;
  readonly #transfers: Transfer[] = [];
  readonly #censuses: Census[] = [];
  readonly #events: BedEvent[] = [];

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** All patients are there, each in a bed, before anybody is moved. */
  async prepare(client: Client): Promise<void> {
    for (let number = 1; number <= PATIENTS; number += 1) {
      const patient = `patient ${number}`;
      const move = { id: `admit.${number}`, patient, from: undefined, to: this.bed(number) };
      await this.transfer(client, { ...move, expected: 0 });
    }
  }

  bed(number: number): string {
    return `${this.#parts.namespace}bed${number}`;
  }

  async transfer(client: Client, move: Move): Promise<Transfer['outcome']> {
    const { recorder, now } = this.#parts;
    const { expected: _, ...told } = move;
    const call = now();
    const outcome = await this.#outcomeOf(client, move);
    const end = outcome.type === 'unknown' ? Number.POSITIVE_INFINITY : now();
    this.#transfers.push({ ...told, call, end, outcome });
    recorder.counts[outcome.type] += 1;
    return outcome;
  }

  async #outcomeOf(client: Client, move: Move): Promise<Transfer['outcome']> {
    const { recorder, timeoutMs } = this.#parts;
    try {
      const { id } = await client.keep(this.#transaction(move), { timeoutMs });
      return { type: 'done', revision: Number(id.slice(1)) };
    } catch (error) {
      if (!TocsinError.is(error) || error.code === 'BAD_REQUEST') throw error;
      recorder.told(error.code);
      if (error.code === 'GUARD_FAILED' || error.code === 'REVISION_MISMATCH')
        return { type: 'refused' };
      return { type: error.outcome === 'none' ? 'none' : 'unknown' };
    }
  }

  /** The bed that is left is as it was seen, the other one is free, and both change, or nothing does. */
  #transaction({ id: actor, patient, from, to, expected }: Move): RecordInput {
    const origin = { actor, observedAt: unixMillis(Date.now()) };
    const taken: RaiseInput = {
      dedupKey: to,
      condition: 'BED',
      text: patient,
      kind: 'advisory',
      priority: 'low',
      subject: { unit: this.#parts.namespace },
      expectedRevision: revision(0),
    };
    const raise = raiseFrom(taken, origin);
    if (from === undefined)
      return { type: 'transaction', guards: [], commands: [raise], ...origin };
    const target = { dedupKey: from };
    const clear = clearFrom({ target }, origin);
    const guards = [{ target, revision: revision(expected) }];
    return { type: 'transaction', guards, commands: [clear, raise], ...origin };
  }

  /** Looks at all beds, some at a time; undefined = there was no answer. */
  async look(client: Client, limit: number): Promise<Beds | undefined> {
    const { recorder, now } = this.#parts;
    const call = now();
    try {
      const { alerts, revision: at } = await this.#pages(client, limit);
      const beds = alerts.map(({ dedupKey, text }) => [dedupKey, text] as const);
      this.#censuses.push({ call, end: now(), revision: at, beds });
      recorder.counts.reads += 1;
      return new Map(
        alerts.map(({ dedupKey, text, revision: seen }) => [
          dedupKey,
          { patient: text, revision: seen },
        ]),
      );
    } catch (error) {
      if (!TocsinError.is(error) || error.code === 'BAD_REQUEST') throw error;
      recorder.told(error.code);
      recorder.counts.readsFailed += 1;
      return undefined;
    }
  }

  /** All pages of the list: of one state, however much happens in between. */
  async #pages(client: Client, limit: number): Promise<{ alerts: Alert[]; revision: number }> {
    const { timeoutMs, namespace: unit } = this.#parts;
    const filter = { unit, open: true };
    const first = await client.list(filter, { limit, timeoutMs });
    const alerts = [...first.value.alerts];
    for (let { next } = first.value; next !== undefined; ) {
      const { value } = await client.list(filter, { limit, timeoutMs, after: next });
      alerts.push(...value.alerts);
      next = value.next;
    }
    return { alerts, revision: first.revision };
  }

  take({ alert, revision: at, actor }: AlertEvent): boolean {
    const { dedupKey: bed, text: patient, resolution } = alert;
    if (!bed.startsWith(this.#parts.namespace)) return false;
    this.#events.push({ revision: at, actor, bed, patient, isOpen: resolution === undefined });
    return true;
  }

  unfinished(): undefined {
    return undefined;
  }

  judge(): ReturnType<Account['judge']> {
    const findings = checkTransfers({
      transfers: this.#transfers.toSorted((a, b) => a.call - b.call),
      censuses: this.#censuses,
      events: this.#events,
    });
    const done = this.#transfers.filter(({ outcome }) => outcome.type === 'done').length;
    const timings = [
      ...this.#transfers.map(({ call, end, outcome: { type } }) => {
        return { call, end, kind: type === 'done' ? ('write' as const) : type };
      }),
      ...this.#censuses.map(({ call, end }) => ({ call, end, kind: 'read' as const })),
    ];
    return { findings, timings, figures: { transfers: done, censuses: this.#censuses.length } };
  }
}

class TransferWork implements Work {
  readonly #account: TransferAccount;
  readonly #prng: Prng;
  readonly #process: number;
  #client: Client;
  #known: Beds = new Map();
  #count = 0;

  constructor(account: TransferAccount, client: Client, process: number, prng: Prng) {
    this.#account = account;
    this.#client = client;
    this.#process = process;
    this.#prng = prng;
  }

  use(client: Client): void {
    this.#client = client;
  }

  /** One look at all beds, or one transfer by what is known of them. */
  async next(): Promise<void> {
    const [...taken] = this.#known.keys();
    if (taken.length === 0 || this.#prng.chance(LOOKS)) {
      this.#known = (await this.#account.look(this.#client, this.#prng.pick(PAGES))) ?? this.#known;
      return;
    }
    this.#count += 1;
    const from = this.#prng.pick(taken);
    const free = Array.from({ length: BEDS }, (_, at) => this.#account.bed(at + 1));
    const to = this.#prng.pick(free.filter((bed) => !this.#known.has(bed)));
    const { patient = '', revision: expected = 0 } = this.#known.get(from) ?? {};
    const id = `c${this.#process}.t${this.#count}`;
    const move = { id, patient, from, to, expected };
    const outcome = await this.#account.transfer(this.#client, move);
    // Whoever was refused, or does not know, has to look again.
    if (outcome.type !== 'done') this.#known.clear();
    else {
      this.#known.delete(from);
      this.#known.set(to, { patient, revision: outcome.revision });
    }
  }
}
