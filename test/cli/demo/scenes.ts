import type { BedScene, Scene } from '../../../cli/demo/scene.ts';
import { logIndex, revision, unixMillis } from '../../../src/base/ids.ts';
import type { Alert, AlertEvent } from '../../../src/statemachine/types.ts';
import { anAlert, anEvent } from '../commands/world.ts';

/** Scenes to be drawn. */

const QUIET: BedScene = {
  bed: 'B01',
  values: [78, 97, 15, 124, 92, 36.9],
  alarms: [],
  worst: undefined,
};

export const aBed = (at: number, changes: Partial<BedScene> = {}): BedScene => ({
  ...QUIET,
  bed: `B${String(at).padStart(2, '0')}`,
  ...changes,
});

export const eventOf = (
  number: number,
  effect: AlertEvent['effect'],
  changes: Partial<Alert> = {},
): AlertEvent =>
  anEvent({
    revision: revision(number),
    index: logIndex(number),
    time: unixMillis(number),
    effect,
    actor: effect === 'acknowledged' ? 'nurse-1' : 'demo-ward',
    alert: anAlert({
      id: `A${number}`,
      subject: { unit: 'ED', bed: 'B02' },
      text: 'Tachycardia',
      cause: { metric: 'HR', value: 128, unit: '/min', limit: 111, rule: 'hr-high@1' },
      ...changes,
    }),
  });

export const aScene = (changes: Partial<Scene> = {}): Scene => ({
  elapsedMs: 7_400,
  durationMs: 20_000,
  seed: 7,
  speed: 15,
  beds: [
    aBed(1),
    aBed(2, {
      values: [128, 97, 15, 124, 92, 36.9],
      alarms: ['medium'],
      worst: { priority: 'medium', acknowledged: false },
    }),
    aBed(3, {
      values: [Number.NaN, 84, Number.NaN, 85, 59, 39.2],
      alarms: ['low', 'high', 'low', 'medium', 'high', 'low'],
      worst: { priority: 'high', acknowledged: true },
    }),
    aBed(4, { values: [Number.NaN, 64, 118, Number.NaN, Number.NaN, Number.NaN] }),
  ],
  replicas: [
    { id: 1, state: 'down', term: 1, commit: 19, applied: 19 },
    { id: 2, state: 'leader', term: 2, commit: 42, applied: 42 },
    { id: 3, state: 'follower', term: 2, commit: 42, applied: 41 },
  ],
  events: [
    eventOf(1, 'raised'),
    eventOf(2, 'acknowledged'),
    eventOf(3, 'cleared', { priority: 'medium' }),
  ],
  story: ['SIGKILL to replica 1, the leader', 'replica 2 leads in term 2'],
  counts: { raised: 13, acknowledged: 6, cleared: 3, open: 10 },
  hint: '2nd terminal: npx tocsin alert list --endpoints /ip4/127.0.0.1/tcp/28827',
  ...changes,
});
