import { expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import type {
  Kept,
  RegistryKind,
  RegistryLook,
  Stay,
} from '../../../src/testing/checkers/registry.ts';
import {
  type BedEvent,
  type Census,
  checkTransfers,
  type Transfer,
  type TransferHistory,
} from '../../../src/testing/checkers/transfers.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const RUNS = process.env['FULL'] === '1' ? 1_000 : 100;

interface Made extends TransferHistory {
  readonly transfers: Transfer[];
  readonly censuses: Census[];
  readonly events: BedEvent[];
  readonly looks: RegistryLook[];
}

const BEDS = [1, 2, 3, 4, 5, 6].map((bed) => `b${bed}`);
const KINDS: readonly RegistryKind[] = ['bed', 'patient', 'device'];
type Records = Readonly<Record<RegistryKind, readonly Kept[]>>;

/** What a record is after so many changes, the last of which put it there. */
const changed = (
  records: readonly Kept[],
  id: string,
  times: number,
  where: string | undefined,
): Kept[] => {
  const before = records.find((record) => record.id === id)?.version ?? 0;
  const others = records.filter((record) => record.id !== id);
  return [...others, { id, with: where, version: before + times }];
};

/** What a transfer does to the registry, told in another way than by the checker. */
function registered(
  records: Records,
  { patient, device, from, to, isAttachedAnew }: Stay,
): Records {
  const left = from === undefined ? records.bed : changed(records.bed, from, 1, undefined);
  const times = from !== undefined && isAttachedAnew ? 2 : 1;
  return {
    bed: changed(left, to, 1, patient),
    patient: changed(records.patient, patient, 1, to),
    device: changed(records.device, device, times, to),
  };
}

/** Three patients among six beds, moved and counted one after the other; some outcomes are never told. */
function makeTransfers(seed: number): Made {
  const prng = new Prng(seed);
  const made: Made = { transfers: [], censuses: [], events: [], looks: [], beds: BEDS };
  const beds = new Map<string, string>();
  let records: Records = {
    bed: BEDS.map((id) => ({ id, with: undefined, version: 1 })),
    patient: [],
    device: [],
  };
  let revision = prng.between(0, 5);
  let now = 0;
  const change = (actor: string, bed: string, patient: string, isOpen: boolean): void => {
    revision += 1;
    made.events.push({ revision, actor, bed, patient, isOpen });
    if (isOpen) beds.set(bed, patient);
    else beds.delete(bed);
  };
  const move = (id: string, patient: string, from: string | undefined, to: string): void => {
    const call = now;
    now += prng.between(1, 5);
    const isDone = from === undefined || prng.chance(0.8);
    if (isDone && from !== undefined) change(id, from, patient, false);
    if (isDone) change(id, to, patient, true);
    const isAttachedAnew = prng.chance(0.5);
    const stay = { patient, device: `m${patient}`, from, to, isAttachedAnew };
    if (isDone) records = registered(records, stay);
    const isTold = prng.chance(0.9);
    const outcome = isDone ? ({ type: 'done', revision } as const) : ({ type: 'refused' } as const);
    const told = isTold ? outcome : ({ type: 'unknown' } as const);
    const end = isTold ? now : Number.POSITIVE_INFINITY;
    made.transfers.push({ id, ...stay, call, end, outcome: told });
  };
  for (const number of [1, 2, 3]) move(`a${number}`, `p${number}`, undefined, `b${number}`);
  for (let count = 1; count <= 30; count += 1) {
    now += prng.between(0, 3);
    // Somebody else's alerts.
    if (prng.chance(0.2)) revision += 1;
    if (prng.chance(0.4)) {
      made.censuses.push({ call: now, end: now + 1, revision, beds: [...beds] });
      now += 1;
    } else if (prng.chance(0.3)) {
      const kind = prng.pick(KINDS);
      made.looks.push({ call: now, end: now + 1, revision, kind, records: records[kind] });
      now += 1;
    } else {
      const [from, patient] = prng.pick([...beds]);
      const free = BEDS.filter((bed) => !beds.has(bed));
      move(`t${count}`, patient, from, prng.pick(free));
    }
  }
  return made;
}

test(`${RUNS} good runs raise no alarm`, () => {
  for (let seed = SEED; seed < SEED + RUNS; seed += 1)
    expect(checkTransfers(makeTransfers(seed)), `seed ${seed}`).toEqual([]);
});

const swapped = <T>(items: readonly T[], old: T, by: readonly T[]): T[] =>
  items.flatMap((each) => (each === old ? by : [each]));

type Told = Transfer & { readonly outcome: { readonly type: 'done'; readonly revision: number } };
const told = ({ transfers }: Made): Told[] =>
  transfers.filter((each): each is Told => each.outcome.type === 'done' && each.id[0] === 't');

/** Makes a good run bad in one way. */
const MUTATORS: Readonly<Record<string, (made: Made, prng: Prng) => TransferHistory>> = {
  'a census between two halves': (made, prng) => {
    const { outcome, call, end, from, patient } = prng.pick(told(made));
    const halfway = outcome.revision - 1;
    const is = new Map<string, string>();
    for (const { revision, bed, isOpen, patient: who } of made.events)
      if (revision <= halfway && isOpen) is.set(bed, who);
      else if (revision <= halfway) is.delete(bed);
    expect(is.has(from ?? ''), patient).toBe(false);
    const torn = { call, end, revision: halfway, beds: [...is] };
    return { ...made, censuses: [...made.censuses, torn] };
  },
  'a patient in two beds': (made, prng) => {
    const census = prng.pick(made.censuses);
    const [first] = census.beds;
    const beds = [...census.beds.slice(0, -1), ['b9', first?.[1] ?? ''] as const];
    return { ...made, censuses: swapped(made.censuses, census, [{ ...census, beds }]) };
  },
  'half a transfer': (made, prng) => {
    const { outcome } = prng.pick(told(made));
    const half = made.events.find(({ revision }) => revision === outcome.revision - 1);
    return { ...made, events: made.events.filter((event) => event !== half) };
  },
  'a transfer that was acknowledged is gone': (made, prng) => {
    const { id } = prng.pick(told(made));
    return { ...made, events: made.events.filter(({ actor }) => actor !== id) };
  },
  'a transfer that was refused has happened': (made, prng) => {
    const one = prng.pick(told(made));
    const refused: Transfer = { ...one, outcome: { type: 'refused' } };
    return { ...made, transfers: swapped<Transfer>(made.transfers, one, [refused]) };
  },
  'a transfer happens twice': (made, prng) => {
    const { id } = prng.pick(told(made));
    const last = made.events.at(-1)?.revision ?? 0;
    const again = made.events.filter(({ actor }) => actor === id);
    const moved = again.map((event, at) => ({ ...event, revision: last + 2 + at }));
    return { ...made, events: [...made.events, ...moved] };
  },
  'a census of the past': (made) => {
    const last = told(made).at(-1)?.end ?? 0;
    const beds = made.events.slice(0, 3).map(({ bed, patient }) => [bed, patient] as const);
    const revision = made.events[2]?.revision ?? 0;
    const stale = { call: last + 1_000, end: last + 1_001, revision, beds };
    return { ...made, censuses: [...made.censuses, stale] };
  },
  'a change of the registry is done twice': (made, prng) => {
    const look = prng.pick(made.looks);
    const one = prng.pick(look.records);
    const twice = { ...one, version: one.version + 1 };
    const records = swapped<Kept>(look.records, one, [twice]);
    return { ...made, looks: swapped(made.looks, look, [{ ...look, records }]) };
  },
  'a record of the registry is elsewhere': (made, prng) => {
    const look = prng.pick(made.looks);
    const one = prng.pick(look.records);
    const records = swapped<Kept>(look.records, one, [{ ...one, with: 'b9' }]);
    return { ...made, looks: swapped(made.looks, look, [{ ...look, records }]) };
  },
  'a record of the registry is gone': (made, prng) => {
    const look = prng.pick(made.looks);
    const records = look.records.slice(1);
    return { ...made, looks: swapped(made.looks, look, [{ ...look, records }]) };
  },
  'a look into the registry of the past': (made) => {
    const last = told(made).at(-1)?.end ?? 0;
    const before = { revision: 0, kind: 'patient', records: [] } as const;
    const stale = { ...before, call: last + 1_000, end: last + 1_001 };
    return { ...made, looks: [...made.looks, stale] };
  },
  'an event that nobody asked for': (made) => {
    const revision = (made.events.at(-1)?.revision ?? 0) + 1;
    const event = { revision, actor: 'nobody', bed: 'b9', patient: 'p9', isOpen: true };
    return { ...made, events: [...made.events, event] };
  },
};

test.each(Object.entries(MUTATORS))('%s: caught', (_name, mutate) => {
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    const made = makeTransfers(seed);
    if (told(made).length === 0 || made.censuses.length === 0 || made.looks.length === 0) continue;
    const findings = checkTransfers(mutate(made, new Prng(seed)));
    expect(findings.length, `seed ${seed}`).toBeGreaterThan(0);
  }
});
