import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { type UnixMillis, unixMillis } from '../base/ids.ts';
import type { RaftCore } from '../raft/core.ts';
import type { Entry } from '../raft/types.ts';
import { genesisChain, recordOf } from '../wire/record.ts';

/** Gives entries their time and their link of the chain, and refuses those that do not fit into it. */
export class Sealer {
  readonly #core: RaftCore;
  readonly #clock: Clock;
  readonly #genesis: number;

  constructor(core: RaftCore, clock: Clock, clusterId: string) {
    this.#core = core;
    this.#clock = clock;
    this.#genesis = genesisChain(clusterId);
  }

  /** An own entry gets its place and its link of the chain; a received one must fit the chain it arrives in. */
  seal(entry: Entry): void {
    const record = recordOf(entry);
    const before = this.#core.entryAt(entry.index - 1);
    assert(before !== undefined || entry.index === 1, `entry ${entry.index - 1} left memory`);
    const chain = before === undefined ? this.#genesis : recordOf(before).chain;
    if (!record.sealed) record.seal(entry, chain);
    assert(record.previousChain === chain, `entry ${entry.index} breaks the chain of the log`);
  }

  /** The leader's stamp: the wall clock, but never before the stamp of the newest entry. */
  stamp(): UnixMillis {
    const newest = this.#core.entryAt(this.#core.last.index);
    const before = newest === undefined ? 0 : recordOf(newest).time;
    return unixMillis(Math.max(this.#clock.wall(), before));
  }
}
