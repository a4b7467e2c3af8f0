import { must } from '../../base/assert.ts';
import { hashToHex } from '../../base/hash.ts';
import { AlertMachine } from '../../statemachine/machine.ts';
import type { AppliedEvent, Reply } from '../../statemachine/types.ts';
import { decodeSubmissions } from '../../wire/commands/commands.ts';
import { type EntryRecord, genesisChain } from '../../wire/log/record.ts';
import type { SeenEvent } from '../checkers/history.ts';
import { seenEvent } from '../workload/recorder.ts';

/** Every record that any disk was ever given, by its chain hash; so that the log that survived can be read whole. */
export class Ledger {
  readonly #records: Map<number, EntryRecord> = new Map();
  readonly #genesis: number;

  constructor(clusterId: string) {
    this.#genesis = genesisChain(clusterId);
  }

  add(record: EntryRecord): void {
    this.#records.set(record.chain, record);
  }

  /** Carries out the log that ends with the record of this chain hash, on a machine that knows no snapshots. */
  replay(last: number): { readonly events: readonly SeenEvent[]; readonly digest: string } {
    const records: EntryRecord[] = [];
    for (let chain = last; chain !== this.#genesis; ) {
      const record = must(this.#records.get(chain), `no disk was ever given chain ${chain}`);
      records.push(record);
      chain = record.previousChain;
    }
    const machine = new AlertMachine();
    const events: AppliedEvent[] = [];
    const replies: Reply[] = [];
    for (const { kind, index, time, body } of records.reverse()) {
      const submissions = kind === 'commands' ? decodeSubmissions(body) : [];
      machine.apply({ index, time, submissions }, { replies, events });
    }
    return { events: events.map(seenEvent), digest: hashToHex(machine.digest) };
  }
}
