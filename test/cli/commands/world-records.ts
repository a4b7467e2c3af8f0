import { revision, unixMillis } from '../../../src/base/ids.ts';
import type { CareApi } from '../../../src/statemachine/alert-api.ts';
import type { QueryKind, QueryTypes } from '../../../src/statemachine/beside/records-beside.ts';
import type { Kept } from '../../../src/statemachine/types.ts';
import { HR_HIGH } from '../../hr-high.ts';

const AT = unixMillis(1_772_334_245_000);
const ended = { endedAt: undefined, endedBy: undefined };

/** One record of each kind. */
const RECORDS: { readonly [K in QueryKind]: readonly QueryTypes[K][] } = {
  rule: [
    {
      id: 'hr-high',
      version: 12,
      rule: {
        list: 'rules',
        ...HR_HIGH,
      },
    },
  ],
  policy: [
    {
      id: 'icu',
      version: 3,
      steps: [{ targets: ['user:anna'], delaySeconds: 30 }],
      repeat: 1,
      minPriority: 'medium',
      confirmSeconds: 30,
    },
  ],
  notification: [
    {
      id: 'N12',
      version: 1,
      alert: 'A1042',
      activation: 1,
      loop: 0,
      step: 0,
      target: 'user:anna',
      state: 'queued',
      createdAt: AT,
      changedAt: AT,
      dueAt: AT,
      to: undefined,
      detail: undefined,
    },
  ],
  silence: [
    {
      id: 'S7',
      version: 1,
      matchers: [{ field: 'bed', values: ['B12'] }],
      createdAt: AT,
      revision: revision(1042),
      until: AT,
      dueAt: AT,
      untilCleared: false,
      reason: 'nursing care',
      by: 'anna',
      ...ended,
    },
  ],
  window: [
    {
      id: 'M4',
      version: 1,
      unit: 'icu-2',
      bed: undefined,
      device: undefined,
      startAt: AT,
      endAt: AT,
      reason: 'calibration',
      by: 'anna',
      ...ended,
    },
  ],
  source: [
    {
      id: 'mon-3',
      number: 1,
      version: 1,
      state: 'live',
      leaseSeconds: 10,
      priority: 'medium',
      seenAt: AT,
      dueAt: AT,
      comparedTo: undefined,
    },
  ],
  schedule: [
    {
      id: 'icu',
      version: 5,
      timeZone: 'Europe/Berlin',
      layers: [
        {
          name: 'days',
          users: ['anna', 'ben'],
          rotation: { start: '2026-02-23T07:00', every: 1, unit: 'week' },
          restrictions: [],
        },
      ],
      overrides: [],
      from: unixMillis(AT - 3_600_000),
      until: unixMillis(AT + 86_400_000),
      shifts: [
        { user: 'anna', from: unixMillis(AT - 3_600_000), until: unixMillis(AT + 43_200_000) },
      ],
      by: 'anna',
      changedAt: AT,
      lookAt: undefined,
    },
  ],
  bed: [{ id: 'icu-2/7', version: 2, unit: 'icu-2', bed: '7', patient: 'pt-7f3', changedAt: AT }],
  patient: [
    {
      id: 'pt-7f3',
      version: 1,
      number: 4,
      place: { unit: 'icu-2', bed: '7' },
      admittedAt: AT,
      movedAt: AT,
      dischargedAt: undefined,
      sweep: undefined,
    },
  ],
  device: [
    {
      id: 'mon-3',
      version: 1,
      model: 'CM-9',
      place: { unit: 'icu-2', bed: '7' },
      changedAt: AT,
    },
  ],
  tally: [
    {
      id: '20454/icu-2',
      version: 61,
      day: unixMillis(1_767_225_600_000),
      unit: 'icu-2',
      annunciations: { high: 2, medium: 20, low: 30, none: 0 },
      returned: 5,
      acknowledged: 40,
      waits: [3, 7, 10, 10, 5, 4, 1, 0, 0, 0, 0],
      escalated: 4,
      exhausted: 1,
      ended: 50,
      endedAlone: 10,
      beds: 8,
      bedsHeard: [],
      isOver: true,
    },
  ],
  inhibition: [
    {
      id: 'co2-off',
      version: 2,
      sources: ['CO2:INOP'],
      targets: ['CO2:', 'RR:'],
      by: 'anna',
      changedAt: AT,
    },
  ],
  session: [
    {
      id: 'X9',
      version: 1,
      by: 'monitor-gateway',
      leaseSeconds: 60,
      window: 256,
      floor: 40,
      doubtUntil: 0,
      openedAt: AT,
      seenAt: AT,
      dueAt: AT,
    },
  ],
  incident: [
    {
      id: 'C3',
      version: 1,
      title: 'Power failure',
      severity: 'high',
      commander: undefined,
      alerts: ['A1042'],
      timeline: [{ at: AT, by: 'anna', text: 'opened' }],
      review: undefined,
      openedAt: AT,
      closedAt: undefined,
    },
  ],
};

export const KEPT: Kept = { ok: true, effect: 'kept', id: 'icu', version: 3 };

/** Answers with the records above, or with none, and notes what was asked. */
export const recordsNoted =
  (
    note: (method: string, ...args: readonly unknown[]) => void,
    isBare = false,
  ): CareApi['records'] =>
  (kind, options) => {
    note('records', kind, options);
    const records = isBare ? [] : RECORDS[kind];
    return Promise.resolve({ value: { records, next: undefined }, revision: revision(1042) });
  };
