import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import type { RaftCore } from '../../raft/core.ts';
import type { Entry } from '../../raft/types.ts';
import type { LogPlace } from '../../storage/types.ts';
import { recordOf } from '../../wire/log/record.ts';

/** Gives entries their time and their link of the chain, and refuses those that do not fit into it. */
export class Sealer {
  readonly #core: RaftCore;
  readonly #clock: Clock;
  readonly #time: () => UnixMillis;
  /** Where the log begins: the first entry's link hangs on this. */
  #base: LogPlace;

  /** `time`: the stamp of what is applied, because the log may be empty behind a snapshot. */
  constructor(core: RaftCore, clock: Clock, base: LogPlace, time: () => UnixMillis) {
    this.#core = core;
    this.#clock = clock;
    this.#base = base;
    this.#time = time;
  }

  /** The log begins after a snapshot now. */
  restart(base: LogPlace): void {
    this.#base = base;
  }

  /** An own entry gets its place and its link of the chain; a received one must fit the chain it arrives in. */
  seal(entry: Entry): void {
    const record = recordOf(entry);
    const before = this.#core.entryAt(entry.index - 1);
    const isFirst = entry.index === this.#base.index + 1;
    assert(before !== undefined || isFirst, `entry ${entry.index - 1} left memory`);
    const chain = before === undefined ? this.#base.chain : recordOf(before).chain;
    if (!record.sealed) record.seal(entry, chain);
    assert(record.previousChain === chain, `entry ${entry.index} breaks the chain of the log`);
  }

  /** The leader's stamp: the wall clock, but never before the stamp of the newest entry. */
  stamp(): UnixMillis {
    const newest = this.#core.entryAt(this.#core.last.index);
    const before = newest === undefined ? this.#time() : recordOf(newest).time;
    return unixMillis(Math.max(this.#clock.wall(), before));
  }
}
