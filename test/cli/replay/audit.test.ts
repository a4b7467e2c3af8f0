import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AskedCommand, audit, type HeldEvent, type Told } from '../../../cli/replay/audit.ts';

/** A run in which the cluster kept its word: for each command what was told, and what is held. */
interface Run {
  readonly asked: AskedCommand[];
  readonly held: HeldEvent[];
}

type Fate = 'done' | 'unchanged' | 'none' | 'unknown, held' | 'unknown, not held';
const FATES: readonly Fate[] = ['done', 'unchanged', 'none', 'unknown, held', 'unknown, not held'];

function runOf(fates: readonly Fate[]): Run {
  const asked: AskedCommand[] = [];
  const held: HeldEvent[] = [];
  for (const [at, fate] of fates.entries()) {
    const type = at % 2 === 0 ? 'raise' : 'clear';
    const command = { dedupKey: `k${at % 3}`, observedAt: at };
    const effect = type === 'raise' ? 'raised' : 'cleared';
    const event = {
      ...command,
      revision: at + 1,
      alertId: `A${at}`,
      effect,
      transition: undefined,
    };
    const done = { how: 'done', revision: at + 1, alertId: `A${at}` } as const;
    const told: Told =
      fate === 'done'
        ? { ...done, effect }
        : fate === 'unchanged'
          ? { ...done, effect: 'unchanged' }
          : { how: fate === 'none' ? 'none' : 'unknown' };
    asked.push({ type, ...command, told });
    if (fate === 'done' || fate === 'unknown, held') held.push(event);
  }
  return { asked, held };
}

const runs = fc.array(fc.constantFrom(...FATES), { minLength: 1, maxLength: 30 }).map(runOf);

test('a cluster that kept its word is found sound, in whatever order it is looked at', () => {
  fc.assert(
    fc.property(runs, fc.infiniteStream(fc.nat()), ({ asked, held }, draws) => {
      const order = held.map((event) => ({ event, place: draws.next().value }));
      const shuffled = order.sort((a, b) => a.place - b.place).map(({ event }) => event);
      expect(audit(asked, shuffled)).toMatchObject({ lost: 0, duplicated: 0, findings: [] });
    }),
  );
});

test('each event that is taken away, altered, doubled or made up is found', () => {
  const damages = {
    'taken away': (held: HeldEvent[], at: number) => held.toSpliced(at, 1),
    'of another revision': (held: HeldEvent[], at: number) =>
      held.with(at, { ...held[at]!, revision: 9_999 }),
    'of another alert': (held: HeldEvent[], at: number) =>
      held.with(at, { ...held[at]!, alertId: 'A9999' }),
    'of another effect': (held: HeldEvent[], at: number) =>
      held.with(at, { ...held[at]!, effect: 'continued' }),
    'of another time': (held: HeldEvent[], at: number) =>
      held.with(at, { ...held[at]!, observedAt: 9_999 }),
    doubled: (held: HeldEvent[], at: number) => [...held, { ...held[at]!, revision: 9_999 }],
    'made up': (held: HeldEvent[], at: number) => [
      ...held,
      { ...held[at]!, dedupKey: 'nobody asked', revision: 9_999 },
    ],
  };
  fc.assert(
    fc.property(
      runs,
      fc.nat(),
      fc.constantFrom(...Object.keys(damages)),
      ({ asked, held }, draw, damage) => {
        const told = held.flatMap(({ observedAt }, at) =>
          asked[observedAt]?.told.how === 'done' ? [at] : [],
        );
        fc.pre(told.length > 0);
        const at = told[draw % told.length]!;
        const damaged = damages[damage as keyof typeof damages](held, at);
        const { lost, duplicated, findings } = audit(asked, damaged);
        expect(lost + duplicated).toBeGreaterThan(0);
        expect(findings.length).toBeGreaterThan(0);
        expect(lost).toBe(damage === 'doubled' || damage === 'made up' ? 0 : 1);
      },
    ),
  );
});

test('an event of a command whose caller was told that nothing was written is one too many', () => {
  const { asked } = runOf(['none']);
  const { held } = runOf(['done']);
  expect(audit(asked, held)).toMatchObject({ lost: 0, duplicated: 1 });
});

test('a command of which nobody knows may have happened once, not twice', () => {
  const { asked, held } = runOf(['unknown, held']);
  expect(audit(asked, held)).toMatchObject({ duplicated: 0, unknownHeld: 1 });
  const twice = [...held, { ...held[0]!, revision: 2 }];
  expect(audit(asked, twice)).toMatchObject({ duplicated: 1, unknownHeld: 1 });
});
