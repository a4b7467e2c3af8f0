import { must } from '../../base/assert.ts';
import { hashToHex } from '../../base/hash.ts';
import type { AlertLimits } from '../../statemachine/alert-limits.ts';
import { AlertMachine } from '../../statemachine/machine.ts';
import type { AppliedEvent, Reply } from '../../statemachine/types.ts';
import { decodeSubmissions } from '../../wire/commands/commands.ts';
import { type EntryRecord, genesisChain } from '../../wire/log/record.ts';

/** Every record that any disk was ever given, by its chain hash; so that the log that survived can be read whole. */
export class Ledger {
  readonly #records: Map<number, EntryRecord> = new Map();
  readonly #genesis: number;
  readonly #limits: Partial<AlertLimits>;
  /** Records that say whose disks the members have. */
  readonly #naming: EntryRecord[] = [];

  /** `limits`: of the machines that carried the records out. */
  constructor(clusterId: string, limits: Partial<AlertLimits>) {
    this.#limits = limits;
    this.#genesis = genesisChain(clusterId);
  }

  add(record: EntryRecord): void {
    if (this.#records.has(record.chain)) return;
    this.#records.set(record.chain, record);
    if (record.members !== undefined) this.#naming.push(record);
  }

  /** Records, whether they survive or not, by which the disk of a member is known from others. */
  naming(id: number): readonly EntryRecord[] {
    return this.#naming.filter(({ members = [] }) =>
      members.some((member) => member.id === id && member.incarnation > 0),
    );
  }

  /** Carries out the log that ends with the record of this chain hash, on a machine that knows no snapshots. */
  replay(last: number): { readonly events: readonly AppliedEvent[]; readonly digest: string } {
    const records: EntryRecord[] = [];
    for (let chain = last; chain !== this.#genesis; ) {
      const record = must(this.#records.get(chain), `no disk was ever given chain ${chain}`);
      records.push(record);
      chain = record.previousChain;
    }
    const machine = new AlertMachine(this.#limits);
    const events: AppliedEvent[] = [];
    const replies: Reply[] = [];
    for (const { kind, index, time, body } of records.reverse()) {
      const submissions = kind === 'commands' ? decodeSubmissions(body) : [];
      machine.apply({ index, time, submissions }, { replies, events });
    }
    return { events, digest: hashToHex(machine.digest) };
  }
}
