import fc from 'fast-check';
import {
  count,
  type Gen,
  name,
  orUndefined,
  record,
  text,
  when,
  whole,
} from './basic-arbitraries.ts';

/** On-call schedules, beds, patients and devices. */

const span = record({ user: name, from: when, until: when }, {});
export const coverageFields: Record<string, Gen<unknown>> = {
  from: when,
  until: when,
  shifts: fc.array(span, { maxLength: 4 }),
};
const local = fc.constantFrom('2026-11-02T07:00', '07:00', 'noon');
const layer = record(
  {
    name,
    users: fc.array(name, { minLength: 1, maxLength: 3 }),
    rotation: record(
      { start: local, every: whole(1, 1_000), unit: fc.constantFrom('hour', 'day', 'week') },
      {},
    ),
    restrictions: fc.array(
      record({ days: fc.array(whole(1, 7), { maxLength: 7 }), from: local, to: local }, {}),
      { maxLength: 2 },
    ),
  },
  {},
);
export const scheduleFields: Record<string, Gen<unknown>> = {
  timeZone: name,
  layers: fc.array(layer, { maxLength: 2 }),
  overrides: fc.array(span, { maxLength: 2 }),
};

const part: Gen<string> = name.filter((one) => one.length <= 60 && !one.includes('/'));
export const place: Record<string, Gen<unknown>> = { unit: part, bed: part };

export const schedule: Gen<unknown> = record(
  {
    id: name,
    version: count,
    ...scheduleFields,
    ...coverageFields,
    by: name,
    changedAt: when,
    lookAt: orUndefined(when),
  },
  {},
);

export const bed: Gen<unknown> = record(
  { id: name, version: count, ...place, patient: orUndefined(name), changedAt: when },
  {},
);
const sweep = record(
  {
    does: fc.constantFrom('transfer', 'discharge'),
    done: count,
    until: count,
    by: name,
    dueAt: when,
  },
  { reason: text, policy: name },
);
export const patient: Gen<unknown> = record(
  {
    id: name,
    version: count,
    number: count,
    place: orUndefined(record(place, {})),
    admittedAt: when,
    movedAt: when,
    dischargedAt: orUndefined(when),
    sweep: orUndefined(sweep),
  },
  {},
);
export const device: Gen<unknown> = record(
  {
    id: name,
    version: count,
    model: orUndefined(name),
    place: orUndefined(record(place, {})),
    changedAt: when,
  },
  {},
);

/** A rule of what explains what. */
export const inhibition: Gen<unknown> = record(
  {
    id: name,
    version: count,
    sources: fc.array(name, { minLength: 1, maxLength: 3 }),
    targets: fc.array(name, { minLength: 1, maxLength: 3 }),
    by: name,
    changedAt: when,
  },
  {},
);

const counts = fc.array(count, { maxLength: 12 });
export const tally: Gen<unknown> = record(
  {
    id: name,
    version: count,
    day: when,
    unit: fc.oneof(name, fc.constant('')),
    annunciations: record({ high: count, medium: count, low: count, none: count }, {}),
    returned: count,
    acknowledged: count,
    waits: counts,
    escalated: count,
    exhausted: count,
    ended: count,
    endedAlone: count,
    beds: count,
    bedsHeard: fc.array(name, { maxLength: 3 }),
    isOver: fc.boolean(),
  },
  {},
);
