import type { Mutant } from './mutant.ts';

/** Bugs in who is on call, and in who is where. */
export const HOUSE_MUTANTS: readonly Mutant[] = [
  {
    name: 'page-nobody-in-silence',
    claim: 'where nobody is on call the next step does not wait, and an alert says so',
    file: 'src/statemachine/beside/schedules.ts',
    find: 'if (user === undefined) this.#sayNobody(id, priority);',
    replace: 'if (user === null) this.#sayNobody(id, priority);',
    killedBy: ['test/statemachine/schedules.test.ts'],
  },
  {
    name: 'page-the-shift-before',
    claim: 'a shift ends when the next one begins',
    file: 'src/statemachine/beside/schedules.ts',
    find: 'from <= time && time < until',
    replace: 'from <= time && time <= until',
    killedBy: ['test/statemachine/schedules.test.ts'],
  },
  {
    name: 'extend-another-version',
    claim: 'shifts follow from the rules that they were worked out from',
    file: 'src/statemachine/beside/schedules.ts',
    find: 'if (expected !== undefined && expected !== at)',
    replace: "if (command.type === 'set-schedule' && expected !== undefined && expected !== at)",
    killedBy: ['test/statemachine/schedules.test.ts'],
  },
  {
    name: 'leave-the-alerts-behind',
    claim: 'however many alerts a patient has, all of them follow',
    file: 'src/statemachine/beside/ward-book.ts',
    find: 'if (found.length === all.length) return',
    replace: 'if (found.length <= all.length) return',
    killedBy: ['test/statemachine/ward.test.ts'],
  },
  {
    name: 'trust-the-monitor-left-behind',
    claim: 'what a monitor said of a patient who is gone is stale',
    file: 'src/statemachine/beside/ward-book.ts',
    find: 'if (isLeft && now !== undefined && isFresh(now)) this.#lose(now, asked);',
    replace: 'if (isLeft && now === undefined) throw new Error();',
    killedBy: ['test/statemachine/ward.test.ts'],
  },
];
