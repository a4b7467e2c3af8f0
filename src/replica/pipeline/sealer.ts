import { assert } from '../../base/assert.ts';
import type { UnixMillis } from '../../base/ids.ts';
import type { RaftCore } from '../../raft/core.ts';
import type { Entry } from '../../raft/types.ts';
import type { LogPlace } from '../../storage/types.ts';
import { recordOf } from '../../wire/log/record.ts';
import type { LogTime } from '../clocks/log-time.ts';

type Base = Pick<LogPlace, 'index' | 'chain'>;

/** Gives entries their time and their link of the chain, and refuses those that do not fit into it. */
export class Sealer {
  readonly #core: RaftCore;
  readonly #logTime: LogTime;
  readonly #time: () => UnixMillis;
  /** Where the log begins: the first entry's link hangs on this. */
  #base: Base;

  /** `time`: the stamp of what is applied, because the log may be empty behind a snapshot. */
  constructor(core: RaftCore, logTime: LogTime, base: Base, time: () => UnixMillis) {
    this.#core = core;
    this.#logTime = logTime;
    this.#base = base;
    this.#time = time;
  }

  /** The log begins after a snapshot now. */
  restart(base: Base): void {
    this.#base = base;
  }

  /** An own entry gets its place and its link of the chain; a received one must fit the chain it arrives in. */
  seal(entry: Entry): void {
    const record = recordOf(entry);
    const chain = this.chainAt(entry.index - 1);
    assert(chain !== undefined, `entry ${entry.index - 1} left memory`);
    if (!record.sealed) record.seal(entry, chain);
    assert(record.previousChain === chain, `entry ${entry.index} breaks the chain of the log`);
  }

  /** Equal chains mean equal logs up to there. Undefined = not in memory, or not sealed yet. */
  chainAt(index: number): number | undefined {
    const entry = this.#core.entryAt(index);
    if (entry === undefined) return index === this.#base.index ? this.#base.chain : undefined;
    const record = recordOf(entry);
    return record.sealed ? record.chain : undefined;
  }

  /** The leader's stamp of its next entry. */
  stamp(): UnixMillis {
    const newest = this.#core.entryAt(this.#core.last.index);
    return this.#logTime.after(newest === undefined ? this.#time() : recordOf(newest).time);
  }
}
