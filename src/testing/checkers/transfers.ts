import { FINDINGS_MAX, type Finding } from './history.ts';
import { type RegistryLook, RegistryModel, type Stay } from './registry.ts';
import type { Rule } from './rules.ts';

/**
 * Transactions that move patients between beds, and keep their number: whoever looks sees each patient in one bed. A bed that
 * holds somebody is an open alert whose text names the patient; a transfer clears one and raises another, and does the same to the
 * registry of beds, patients and devices, which tells nobody of what happens: whoever looks into it finds what the alerts say.
 */

/** One transaction. Its `id` is the actor of its commands, so that events name it. */
export interface Transfer extends Stay {
  readonly id: string;
  readonly call: number;
  /** Infinity when no answer came. */
  readonly end: number;
  readonly outcome:
    | { readonly type: 'done'; readonly revision: number }
    | { readonly type: 'refused' | 'none' | 'unknown' };
}

/** What somebody saw who looked at all beds: who is in which. */
export interface Census {
  readonly call: number;
  readonly end: number;
  readonly revision: number;
  readonly beds: readonly (readonly [bed: string, patient: string])[];
}

/** One change of one bed, in the order of the alert history. */
export interface BedEvent {
  readonly revision: number;
  readonly actor: string;
  readonly bed: string;
  readonly patient: string;
  readonly isOpen: boolean;
}

export interface TransferHistory {
  /** In order of their calls. */
  readonly transfers: readonly Transfer[];
  readonly censuses: readonly Census[];
  readonly events: readonly BedEvent[];
  /** All beds, which were there before the first transfer. */
  readonly beds: readonly string[];
  readonly looks: readonly RegistryLook[];
}

export function checkTransfers(history: TransferHistory): readonly Finding[] {
  const check = new TransferCheck(history);
  check.matchEvents();
  check.matchOutcomes();
  check.compareCensuses();
  check.holdRealTime();
  return check.findings;
}

class TransferCheck {
  readonly findings: Finding[] = [];
  readonly #history: TransferHistory;
  readonly #transfers: Map<string, Transfer>;
  /** Last revision of each transfer that happened. */
  readonly #placeOf: Map<string, number> = new Map();
  readonly #beds: Map<string, string> = new Map();
  readonly #registry: RegistryModel;
  /** Of both kinds, in order of their revisions. */
  readonly #looks: readonly (Census | RegistryLook)[];
  #compared = 0;

  constructor(history: TransferHistory) {
    this.#history = history;
    this.#transfers = new Map(history.transfers.map((transfer) => [transfer.id, transfer]));
    this.#registry = new RegistryModel(history.beds);
    this.#looks = [...history.censuses, ...history.looks].sort((a, b) => a.revision - b.revision);
  }

  /** Each transfer stands in the history whole, with nothing in between, and once. */
  matchEvents(): void {
    const { events } = this.#history;
    for (let at = 0; at < events.length; ) {
      const first = events[at] as BedEvent;
      const transfer = this.#transfers.get(first.actor);
      this.#compareUpTo(first.revision - 1);
      const parts = partsOf(events, at);
      at += parts.length;
      for (const { bed, patient, isOpen } of parts)
        if (isOpen) this.#beds.set(bed, patient);
        else this.#beds.delete(bed);
      if (transfer === undefined) {
        this.#find('phantom', `nobody asked for event ${first.revision} by ${first.actor}`);
        continue;
      }
      this.#holdWhole(transfer, parts);
      this.#registry.take(transfer);
      const last = parts.at(-1)?.revision ?? first.revision;
      const before = this.#placeOf.get(transfer.id);
      if (before !== undefined)
        this.#find('exactly-once', `transfer ${transfer.id} happened at ${before} and ${last}`);
      this.#placeOf.set(transfer.id, last);
    }
  }

  #holdWhole({ id, from, to, patient }: Transfer, parts: readonly BedEvent[]): void {
    const [left, taken] = from === undefined ? [undefined, parts[0]] : [parts[0], parts[1]];
    const isWhole =
      parts.length === (from === undefined ? 1 : 2) &&
      (left === undefined || (left.bed === from && !left.isOpen && left.patient === patient)) &&
      taken?.bed === to &&
      taken.isOpen &&
      taken.patient === patient;
    const revisions = parts.map(({ revision }) => revision);
    if (!isWhole)
      this.#find(
        'all-or-nothing',
        `transfer ${id} is not what happened at ${revisions.join(', ')}`,
      );
  }

  matchOutcomes(): void {
    for (const { id, outcome } of this.#history.transfers) {
      const place = this.#placeOf.get(id);
      if (outcome.type === 'unknown') continue;
      if (outcome.type !== 'done') {
        if (place !== undefined)
          this.#find('denied', `transfer ${id} was told ${outcome.type}, it happened at ${place}`);
      } else if (place === undefined)
        this.#find('lost', `transfer ${id} was told ${outcome.revision}; it is gone`);
      else if (place !== outcome.revision)
        this.#find('moved', `transfer ${id} was told ${outcome.revision}, it stands at ${place}`);
    }
  }

  /** What is left to compare: those who looked after the last change. */
  compareCensuses(): void {
    this.#compareUpTo(Number.POSITIVE_INFINITY);
  }

  /** Everybody who looked at a state from the last transfer on to this revision, that one included, saw what is there now. */
  #compareUpTo(revision: number): void {
    for (; this.#compared < this.#looks.length; this.#compared += 1) {
      const look = this.#looks[this.#compared] as Census | RegistryLook;
      if (look.revision > revision) return;
      if ('kind' in look) this.#compareRegistry(look);
      else this.#compareBeds(look);
    }
  }

  #compareRegistry(look: RegistryLook): void {
    const difference = this.#registry.differenceFrom(look);
    if (difference !== undefined)
      this.#find('registry', `at ${look.revision} somebody saw ${difference}`);
  }

  #compareBeds({ revision, beds }: Census): void {
    const patients = new Set(beds.map(([, patient]) => patient));
    const saw = `at ${revision} somebody saw ${patients.size} patients in ${beds.length} beds`;
    if (beds.length !== this.#beds.size || patients.size !== beds.length)
      this.#find('conserved', `${saw}, not ${this.#beds.size}`);
    else if (beds.some(([bed, patient]) => this.#beds.get(bed) !== patient))
      this.#find('torn', `${saw}, but not in those where they are`);
  }

  /** Whoever began after another was answered comes after it. */
  holdRealTime(): void {
    const known = this.#proofs().sort((a, b) => a.end - b.end);
    const begun = [
      ...this.#history.transfers.flatMap(({ id, call }) => {
        const place = this.#placeOf.get(id);
        return place === undefined ? [] : [{ says: `transfer ${id}`, call, place, isWrite: true }];
      }),
      ...this.#looks.map(({ call, revision, ...look }) => {
        const what = 'kind' in look ? `${look.kind}s of the registry` : 'beds';
        return { says: `a look at all ${what}`, call, place: revision, isWrite: false };
      }),
    ].sort((a, b) => a.call - b.call);
    let floor = 0;
    let next = 0;
    for (const { says, call, place, isWrite } of begun) {
      for (; (known[next]?.end ?? Number.POSITIVE_INFINITY) < call; next += 1)
        floor = Math.max(floor, known[next]?.revision ?? 0);
      if (place < floor || (isWrite && place === floor))
        this.#find('real-time', `${says} is of ${place}, but ${floor} was known before it began`);
    }
  }

  /** Revisions that somebody was told, and when. */
  #proofs(): { readonly end: number; readonly revision: number }[] {
    const done = this.#history.transfers.flatMap(({ end, outcome }) =>
      outcome.type === 'done' ? [{ end, revision: outcome.revision }] : [],
    );
    return [...done, ...this.#looks.map(({ end, revision }) => ({ end, revision }))];
  }

  #find(rule: Rule, says: string): void {
    if (this.findings.length < FINDINGS_MAX) this.findings.push({ rule, says });
  }
}

/** The events from here on that are of one actor, without a gap. */
function partsOf(events: readonly BedEvent[], at: number): readonly BedEvent[] {
  const first = events[at] as BedEvent;
  const parts = [first];
  for (let next = events[at + 1]; next !== undefined; next = events[at + parts.length]) {
    if (next.actor !== first.actor || next.revision !== first.revision + parts.length) break;
    parts.push(next);
  }
  return parts;
}
