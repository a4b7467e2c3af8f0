import type { Mutant } from './mutant.ts';
import { CALM, CLIMBING, DYING } from './worlds.ts';

/** Bugs in the meaning of alerts. */
export const STATEMACHINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'apply-a-repetition',
    claim: 'a repeated command gets its first reply and changes nothing',
    file: 'src/statemachine/machine.ts',
    find: 'if (first.fingerprint === fingerprint) return first.reply;',
    replace: 'if (first.fingerprint !== fingerprint) return first.reply;',
    killedBy: ['test/statemachine/'],
    processes: '--workload unique --nemesis kill,reset',
    simulated: DYING,
  },
  {
    name: 'escalate-in-silence',
    claim: 'a raise of higher priority begins a new activation (T3)',
    file: 'src/statemachine/alerts/transitions.ts',
    find: "  ACTIVE_ACK: {\n    'raise-lower': change('T4', 'deescalated', 'ACTIVE_ACK'),\n    'raise-same': change('T2', 'continued', 'ACTIVE_ACK'),\n    'raise-higher': annunciate('T3', 'escalated'),",
    replace:
      "  ACTIVE_ACK: {\n    'raise-lower': change('T4', 'deescalated', 'ACTIVE_ACK'),\n    'raise-same': change('T2', 'continued', 'ACTIVE_ACK'),\n    'raise-higher': change('T3', 'escalated', 'ACTIVE_ACK'),",
    killedBy: ['test/statemachine/'],
    processes: '--workload lifecycle --nemesis none --time 4',
    simulated: CALM,
  },
  {
    name: 'ignore-the-expected-revision',
    claim: 'a command that expects another revision is refused',
    file: 'src/statemachine/refusals.ts',
    find: 'if (expected === undefined || expected === actual) return undefined;',
    replace: 'if (expected === undefined || expected <= actual) return undefined;',
    killedBy: ['test/statemachine/'],
    processes: '--workload register --nemesis none --time 4',
    simulated: CALM,
  },
  {
    name: 'escalate-twice',
    claim: 'a step of a policy is carried out once',
    file: 'src/statemachine/beside/escalations.ts',
    find: 'for (const one of told) this.#queue(alert, after.loop, after.step - 1, one, dueAt);',
    replace:
      'for (const one of [...told, ...told]) this.#queue(alert, after.loop, after.step - 1, one, dueAt);',
    killedBy: ['test/statemachine/escalations.test.ts'],
    processes: '--workload escalation --nemesis none --time 5',
    simulated: CLIMBING,
  },
  {
    name: 'escalate-at-once',
    claim: 'a step waits for an answer before the next one',
    file: 'src/statemachine/beside/escalation.ts',
    find: 'step: step + 1,\n      dueAt: secondsAfter(time, delaySeconds),',
    replace: 'step: step + 1,\n      dueAt: delaySeconds > 0 ? time : undefined,',
    killedBy: ['test/statemachine/escalations.test.ts'],
    processes: '--workload escalation --nemesis none --time 5',
    simulated: CLIMBING,
  },
  {
    name: 'escalate-after-the-answer',
    claim: 'whoever acknowledges ends the policy',
    file: 'src/statemachine/beside/escalation.ts',
    find: 'state?.dueAt === undefined ? state : { ...state, dueAt: undefined };',
    replace: 'state;',
    killedBy: ['test/statemachine/escalations.test.ts'],
    processes: '--workload escalation --nemesis none --time 5',
  },
  {
    name: 'ignore-a-guard',
    claim: 'a transaction is done if all of its guards hold',
    file: 'src/statemachine/transaction.ts',
    find: 'if (revision !== undefined && revision !== at)',
    replace: 'if (revision !== undefined && revision > at)',
    killedBy: ['test/statemachine/'],
    processes: '--workload transfers --nemesis none --time 5',
  },
];
