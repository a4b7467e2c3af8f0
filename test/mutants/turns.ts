import type { Mutant } from './mutant.ts';

/** Bugs in what one turn of the loop has time for. */
export const TURN_MUTANTS: readonly Mutant[] = [
  {
    name: 'a-budget-for-each-kind-of-work',
    claim: 'all work that can be long shares what one turn of the loop has time for',
    file: 'src/replica/turns.ts',
    find: 'if (this.#isEnough(end) || this.#share(work, end))',
    replace: 'if (this.#share(work, millis(this.#clock.monotonic() + TURN_MS_MAX)))',
    killedBy: ['test/replica/turns.test.ts'],
  },
  {
    name: 'make-what-is-long-at-once',
    claim: 'a step of a start, which can be long, does not begin in what is left of a turn',
    file: 'src/replica/turns.ts',
    find: 'this.later((isOver) => {',
    replace: 'this.now((isOver) => {',
    killedBy: ['test/replica/turns.test.ts'],
  },
  {
    name: 'spend-a-turn-twice',
    claim: 'what came in and what waits then have one turn together',
    file: 'src/replica/turns.ts',
    find: 'if (!this.#isEarly || this.#waiting.length === 0) this.#end = undefined;',
    replace: 'this.#end = undefined;',
    killedBy: ['test/replica/turns.test.ts'],
  },
  {
    name: 'let-go-of-work-that-throws',
    claim: 'a bug in one piece of work keeps nobody else waiting for ever',
    file: 'src/replica/turns.ts',
    find: 'let isMore = true;',
    replace: 'let isMore = false;',
    killedBy: ['test/replica/intake.test.ts'],
  },
  {
    name: 'leave-nothing-of-a-turn',
    claim:
      'a client whose frames come one at a time has more than one taken in a turn, whatever waits',
    file: 'src/replica/turns.ts',
    find: 'millis(this.#begun(false) - TURN_MS_MAX * TURN_LEFT_SHARE)',
    replace: 'this.#begun(false)',
    killedBy: ['test/replica/turns.test.ts'],
  },
  {
    name: 'go-on-with-whoever-came-first',
    claim: 'whoever waits for a turn is not passed over for the sake of long work',
    file: 'src/replica/turns.ts',
    find: 'if (isMore) this.#waiting.push(work);',
    replace: 'if (isMore) this.#waiting.unshift(work);',
    killedBy: ['test/replica/turns.test.ts'],
  },
  {
    name: 'put-all-in-one-turn',
    claim: 'no turn of the loop gives LevelDB more than it has time for',
    file: 'src/storage/log/log-batch.ts',
    find: 'if (at > from && bytes > PUT_BYTES_PER_TURN_MAX) break;',
    replace: '',
    killedBy: ['test/storage/log-batch.test.ts'],
  },
  {
    name: 'read-all-that-has-come',
    claim: 'no turn of the loop reads more from a connection than it has time for',
    file: 'src/transport/tcp-link.ts',
    find: 'if (this.#readBytes >= READ_BYTES_PER_TURN_MAX) this.#rest();',
    replace: '',
    killedBy: ['test/transport/tcp-transport.test.ts'],
  },
  {
    name: 'start-unrehearsed',
    claim: 'the first clients of a process do not wait for code to be compiled',
    file: 'src/replica/start.ts',
    find: 'await unlessAborted(rehearseOnce(clock, log), options.signal);',
    replace: '',
    killedBy: ['test/replica/rehearsed-once.test.ts'],
  },
];
