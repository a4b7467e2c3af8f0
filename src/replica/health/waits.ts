import type { Clock } from '../../base/clock.ts';
import type { LogIndex, ReplicaId } from '../../base/ids.ts';
import type { Standing } from '../../raft/types.ts';
import type { PeerLinks } from '../peers/peer-links.ts';
import { LongWait } from './long-wait.ts';

export interface WaitsParts {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly driver: { readonly standing: Pick<Standing, 'leader'>; readonly committed: number };
  readonly members: { readonly others: readonly { readonly id: ReplicaId }[] };
  readonly links: Pick<PeerLinks, 'isConnected'>;
  readonly applied: () => LogIndex;
  readonly log: (line: string) => void;
}

/** Says what a running replica waits for, where that takes long: a leader, or that what is committed is applied. */
export class Waits {
  readonly #parts: WaitsParts;
  readonly #leader: LongWait;
  readonly #applying: LongWait;
  /** What was committed when everything before it had been applied: others come all the time. */
  #goal = 0;

  constructor(parts: WaitsParts) {
    this.#parts = parts;
    this.#leader = new LongWait(parts.clock);
    this.#applying = new LongWait(parts.clock);
  }

  /** Called once a tick. */
  tick(): void {
    const { driver, applied, log } = this.#parts;
    const leaderless = this.#leader.look(driver.standing.leader === undefined);
    if (leaderless !== undefined) log(`no leader known for ${leaderless} s${this.#reach()}`);
    const at = applied();
    const isBehind = at < this.#goal;
    if (!isBehind) this.#goal = driver.committed;
    const behind = this.#applying.look(isBehind);
    if (behind !== undefined)
      log(`applying the log, at entry ${at} of ${driver.committed}: ${behind} s so far`);
  }

  #reach(): string {
    const { members, links } = this.#parts;
    const ids = members.others.map(({ id }) => id);
    const near = ids.filter((id) => links.isConnected(id));
    const far = ids.filter((id) => !links.isConnected(id));
    const said = [
      ...(near.length > 0 ? [`in touch with ${near.join(', ')}`] : []),
      ...(far.length > 0 ? [`not in touch with ${far.join(', ')}`] : []),
    ];
    return said.map((part) => `; ${part}`).join('');
  }
}
