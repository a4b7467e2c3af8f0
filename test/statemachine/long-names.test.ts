import { expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { NAME_CHARS_MAX } from '../../src/base/limits.ts';
import { parseAlert } from '../../src/wire/clients/parse-answers.ts';
import { Bench, raise } from './commands.ts';

const asked = { actor: 'admin', observedAt: unixMillis(1) };
const user = 'u'.repeat(NAME_CHARS_MAX);

test('an alert that is offered to somebody on call with the longest name goes on, packed or not, and clients read it', () => {
  const bench = new Bench();
  bench.do({
    type: 'set-policy',
    id: 'default',
    steps: [{ targets: ['schedule:icu'], delaySeconds: 10 }],
    repeat: 1,
    minPriority: 'low',
    confirmSeconds: 3_600,
    ...asked,
  });
  bench.do({
    type: 'set-schedule',
    id: 'icu',
    timeZone: 'Europe/Berlin',
    layers: [],
    overrides: [],
    from: unixMillis(0),
    until: unixMillis(1e12),
    shifts: [{ user, from: unixMillis(0), until: unixMillis(1e11) }],
    ...asked,
  });
  bench.done(raise());
  bench.at(14_000);
  // So that the first one is packed.
  bench.done(raise({ dedupKey: 'other', condition: 'X' }));
  bench.done(raise({ dedupKey: 'third', condition: 'X' }));
  const alert = bench.alert(bench.done(raise()));
  expect(alert.responsibility).toMatchObject({ state: 'offered', to: [`user:${user}`] });
  expect(parseAlert(JSON.parse(JSON.stringify(alert)))).toMatchObject({ id: alert.id });
});
