import { TocsinError } from '../../src/base/errors.ts';
import { revision, unixMillis } from '../../src/base/ids.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { Client } from '../../src/client/client.ts';
import type { RaiseInput, RecordInput } from '../../src/statemachine/alert-api.ts';
import type { Bed, Device, Patient, Place } from '../../src/statemachine/beside/ward.ts';
import { clearFrom, raiseFrom } from '../../src/statemachine/inputs.ts';
import type { PartCommand } from '../../src/statemachine/transaction.ts';
import type { Alert, AlertEvent, Asked } from '../../src/statemachine/types.ts';
import type { Kept, RegistryKind, RegistryLook } from '../../src/testing/checkers/registry.ts';
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
/** Of looks: how many are into the registry. */
const REGISTRY_LOOKS = 0.4;
const KINDS: readonly RegistryKind[] = ['bed', 'patient', 'device'];
const RECORDS_MAX = 1_000;
/** Beds on a page. */
const PAGES = [5, 1_000];

/** Transactions that move patients and their monitors from bed to bed, and callers who count them. */
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
type Move = Omit<Transfer, 'call' | 'end' | 'outcome'> & { readonly expected: number };

class TransferAccount implements Account {
  readonly #parts: WorkParts;
  readonly #transfers: Transfer[] = [];
  readonly #censuses: Census[] = [];
  readonly #looks: RegistryLook[] = [];
  readonly #events: BedEvent[] = [];

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** All patients are there, each in a bed with a monitor, before anybody is moved. */
  async prepare(client: Client): Promise<void> {
    for (const bed of this.beds) await client.keep({ type: 'set-bed', ...this.#placeOf(bed) });
    for (const [at, to] of this.beds.slice(0, PATIENTS).entries()) {
      const id = `admit.${at + 1}`;
      const patient = `${this.#parts.namespace}patient${at + 1}`;
      const stay = { patient, device: monitorOf(patient), from: undefined, to };
      await this.transfer(client, { id, ...stay, isAttachedAnew: true, expected: 0 });
    }
  }

  get beds(): readonly string[] {
    return Array.from({ length: BEDS }, (_, at) => `${this.#parts.namespace}bed${at + 1}`);
  }

  /** Of a bed by the key of its alert. */
  #placeOf(bed: string): Place {
    const unit = this.#parts.namespace;
    return { unit, bed: bed.slice(unit.length) };
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

  /** The bed that is left is as it was seen, the other one is free, and all changes, or nothing does. */
  #transaction(move: Move): RecordInput {
    const { id: actor, patient, from, to, expected } = move;
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
    const ward = this.#wardCommands(move, origin);
    if (from === undefined)
      return { type: 'transaction', guards: [], commands: [raise, ...ward], ...origin };
    const target = { dedupKey: from };
    const clear = clearFrom({ target }, origin);
    const guards = [{ target, revision: revision(expected) }];
    return { type: 'transaction', guards, commands: [clear, raise, ...ward], ...origin };
  }

  /** The same for the registry. What it is asked can never be refused while it says what the alerts say. */
  #wardCommands(move: Move, origin: Asked): readonly PartCommand[] {
    const { patient, device, from, isAttachedAnew } = move;
    const place = this.#placeOf(move.to);
    const attach = { type: 'attach-device', device, ...place, ...origin } as const;
    if (from === undefined)
      return [{ type: 'admit-patient', patient, ...place, ...origin }, attach];
    const devices = isAttachedAnew ? [] : [device];
    const walk = { type: 'move-patient', patient, devices, ...place, ...origin } as const;
    return isAttachedAnew ? [{ type: 'detach-device', device, ...origin }, walk, attach] : [walk];
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

  /** Looks into the registry; what does not fit one page is not one state. */
  async lookUp(client: Client, kind: RegistryKind): Promise<void> {
    const { recorder, now, timeoutMs } = this.#parts;
    const call = now();
    try {
      const { value, revision: at } = await client.records(kind, { limit: RECORDS_MAX, timeoutMs });
      recorder.counts.reads += 1;
      if (value.next !== undefined) return;
      const records = value.records.flatMap((record) => this.#kept(record) ?? []);
      this.#looks.push({ call, end: now(), revision: at, kind, records });
    } catch (error) {
      if (!TocsinError.is(error) || error.code === 'BAD_REQUEST') throw error;
      recorder.told(error.code);
      recorder.counts.readsFailed += 1;
    }
  }

  /** Undefined = it is somebody else's. */
  #kept(record: Bed | Patient | Device): Kept | undefined {
    const { namespace } = this.#parts;
    const { version } = record;
    if ('bed' in record) {
      const id = `${record.unit}${record.bed}`;
      return record.unit === namespace ? { id, with: record.patient, version } : undefined;
    }
    const { id, place } = record;
    const where = place === undefined ? undefined : `${place.unit}${place.bed}`;
    return id.startsWith(namespace) ? { id, with: where, version } : undefined;
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
      beds: this.beds,
      looks: this.#looks,
    });
    const done = this.#transfers.filter(({ outcome }) => outcome.type === 'done').length;
    const timings = [
      ...this.#transfers.map(({ call, end, outcome: { type } }) => {
        return { call, end, kind: type === 'done' ? ('write' as const) : type };
      }),
      ...[...this.#censuses, ...this.#looks].map(({ call, end }) => {
        return { call, end, kind: 'read' as const };
      }),
    ];
    const counts = {
      censuses: this.#censuses.length,
      'looks into the registry': this.#looks.length,
    };
    return { findings, timings, figures: { transfers: done, ...counts } };
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

  /** One look at all beds, or into the registry, or one transfer by what is known of them. */
  async next(): Promise<void> {
    const [...taken] = this.#known.keys();
    if (taken.length === 0 || this.#prng.chance(LOOKS)) return this.#look(taken.length > 0);
    this.#count += 1;
    const from = this.#prng.pick(taken);
    const to = this.#prng.pick(this.#account.beds.filter((bed) => !this.#known.has(bed)));
    const { patient = '', revision: expected = 0 } = this.#known.get(from) ?? {};
    const id = `c${this.#process}.t${this.#count}`;
    const stay = { patient, device: monitorOf(patient), isAttachedAnew: this.#prng.chance(0.5) };
    const outcome = await this.#account.transfer(this.#client, { id, ...stay, from, to, expected });
    // Whoever was refused, or does not know, has to look again.
    if (outcome.type !== 'done') this.#known.clear();
    else {
      this.#known.delete(from);
      this.#known.set(to, { patient, revision: outcome.revision });
    }
  }

  async #look(mayLookUp: boolean): Promise<void> {
    if (mayLookUp && this.#prng.chance(REGISTRY_LOOKS))
      return this.#account.lookUp(this.#client, this.#prng.pick(KINDS));
    this.#known = (await this.#account.look(this.#client, this.#prng.pick(PAGES))) ?? this.#known;
  }
}

/** Every patient has one. */
const monitorOf = (patient: string): string => patient.replace('patient', 'monitor');
