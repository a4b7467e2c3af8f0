import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis, type ReplicaId } from '../../base/ids.ts';
import { REPAIR_PAUSE_MS, REPAIR_ROUNDS_MAX } from '../../base/limits.ts';
import { majorityOf } from '../../raft/quorum.ts';
import { describeDamage } from '../../storage/log/log-repair.ts';
import type { Damage, DamagedRange, LogStore } from '../../storage/types.ts';
import { FrameType } from '../../wire/frame.ts';
import {
  decodeRepairAnswer,
  encodeRepairFetch,
  type RepairAnswer,
} from '../../wire/peers/bulk-messages.ts';
import type { BulkLane } from '../peers/bulk-lane.ts';
import type { Members } from '../peers/members.ts';
import type { SnapshotFetch } from '../snapshots/snapshot-fetch.ts';

export interface RepairParts {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly members: Members;
  readonly lane: BulkLane;
  readonly snapshots: SnapshotFetch;
  /**
   * Does without the entries up to the last of `lost`, for a snapshot that holds them. `peer` has one, and has compacted them;
   * undefined = nobody has them. False = not now.
   */
  readonly doWithout: (lost: DamagedRange, peer: ReplicaId | undefined) => Promise<boolean>;
  /** What is lost is applied here all the same: it is never given up, however long it takes until a snapshot holds it. */
  readonly isApplied: boolean;
  readonly log: (line: string) => void;
}

/** What one round of asking came to: `left` is undefined when the log is to be loaded again. */
type Round =
  | { readonly came: 'on'; readonly left: Damage | undefined }
  | { readonly came: 'nowhere'; readonly isHopeless: boolean };

/** What a peer said of the range at hand; undefined = it did not answer. */
interface Answered {
  readonly peer: ReplicaId;
  readonly answer: RepairAnswer | undefined;
}

/**
 * Gets back, from the peers, exactly what the log has lost (protocol-aware recovery; Alagappan et al., FAST 2018): entries
 * are known by the chain hash that they must have, so any peer will do, leader or not. What a majority has never had was
 * never committed, and is cut. Until it is done the replica has no voice.
 */
export class Repair {
  readonly #parts: RepairParts;
  /** Peers that have lost the range at hand too. One that has given up since does not answer any more. */
  readonly #denied: Set<ReplicaId> = new Set();
  #stopped = false;
  #waitsFor = '';

  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** For people: whose word would help, as of the last round that came to nothing; empty = nobody's. */
  get waitsFor(): string {
    return this.#waitsFor;
  }

  /**
   * Resolves when the log is to be loaded again: whole now, or damaged less. False = it was stopped.
   * @throws TocsinError DATA_LOST: nobody has it; DATA_CORRUPT, DISK_FAILED
   */
  async run(damage: Damage): Promise<boolean> {
    const { members } = this.#parts;
    if (members.others.length === 0)
      throw new TocsinError(
        'DATA_CORRUPT',
        `damaged: ${describeDamage(damage)}, and there is no other replica to ask; only tocsin recover --accept-loss goes on without`,
      );
    let idle = 0;
    for (let left: Damage | undefined = damage; left !== undefined; ) {
      if (this.#stopped) return false;
      const round = await this.#round(left);
      if (round.came === 'on') {
        left = round.left;
        idle = 0;
        this.#denied.clear();
        this.#waitsFor = '';
        continue;
      }
      idle = round.isHopeless ? idle + 1 : 0;
      if (idle >= REPAIR_ROUNDS_MAX)
        throw new TocsinError(
          'DATA_LOST',
          `damaged here and on every other replica that could have it: ${describeDamage(left)}`,
        );
      await this.#pause();
    }
    return true;
  }

  async #round(damage: Damage): Promise<Round> {
    const [range] = damage.ranges;
    if (range === undefined) return await this.#fetchSnapshot(damage);
    const { members, store, log } = this.#parts;
    const answers = await Promise.all(members.others.map(({ id }) => this.#ask(id, range)));
    for (const { peer, answer } of answers) {
      if (answer?.found !== 'entries') continue;
      try {
        const left = await store.repair(answer.entries);
        log(`replica ${peer} had ${answer.entries.length} of the entries that were lost`);
        return { came: 'on', left };
      } catch (error) {
        // It sent something else: another one may do better.
        if (!TocsinError.is(error) || error.code !== 'BODY_MALFORMED') throw error;
        log(`replica ${peer}: ${error.message}`);
      }
    }
    const beyond = answers.find(({ answer }) => answer?.found === 'compacted');
    if (beyond !== undefined) return await this.#doWithout(range, beyond.peer);
    // A majority of all voters as this log knows them, this replica not counted; and what is lost may have changed them, so
    // whoever cuts abstains until somebody leads without its vote. Where the log knows of two there is no such majority: the
    // other one's word would do if they were really two, but a third, of whom only the lost entries told, may have committed
    // them with this replica. Nobody here can tell, so an operator has to decide.
    const { voters } = members;
    const never = answers.filter(
      ({ peer, answer }) => answer?.found === 'absent' && voters.includes(peer),
    );
    if (!this.#parts.isApplied && never.length >= majorityOf(voters.length)) {
      log(`entries ${range.from} to ${range.to} were never committed`);
      return { came: 'on', left: await store.giveUp(range.to) };
    }
    this.#waitsFor = describeWait(answers);
    if (!this.#isHopeless(answers)) return { came: 'nowhere', isHopeless: false };
    return this.#parts.isApplied
      ? await this.#doWithout(range, undefined)
      : { came: 'nowhere', isHopeless: true };
  }

  async #doWithout(lost: DamagedRange, peer: ReplicaId | undefined): Promise<Round> {
    return (await this.#parts.doWithout(lost, peer))
      ? { came: 'on', left: undefined }
      : { came: 'nowhere', isHopeless: false };
  }

  /**
   * Whether everybody has had a say and nobody can help. That one never had the entries counts while it says so: with others
   * who do, at the same time, it may yet make the majority that has never had them. Who is unsure may have them, or say later
   * that it never had: it is waited for.
   */
  #isHopeless(answers: readonly Answered[]): boolean {
    const absent = new Set<ReplicaId>();
    for (const { peer, answer } of answers)
      if (answer?.found === 'absent') absent.add(peer);
      else if (answer !== undefined && answer.found !== 'unsure') this.#denied.add(peer);
    return this.#parts.members.others.every(({ id }) => this.#denied.has(id) || absent.has(id));
  }

  async #ask(peer: ReplicaId, range: DamagedRange): Promise<Answered> {
    try {
      const ask = [encodeRepairFetch(range)];
      const body = await this.#parts.lane.ask(peer, FrameType.REPAIR_FETCH, ask);
      return { peer, answer: decodeRepairAnswer(body) };
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      return { peer, answer: undefined };
    }
  }

  async #fetchSnapshot({ snapshotFrom }: Damage): Promise<Round> {
    const { members, snapshots } = this.#parts;
    if (snapshotFrom === undefined) return { came: 'on', left: undefined };
    for (const { id } of members.others)
      if ((await snapshots.fetch(id, snapshotFrom)) !== undefined)
        return { came: 'on', left: undefined };
    return { came: 'nowhere', isHopeless: false };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(millis(REPAIR_PAUSE_MS), resolve);
    });
  }
}

/** Who cannot tell is itself being repaired; who says nothing is down, or cut off. */
function describeWait(answers: readonly Answered[]): string {
  const those = (are: (answer: RepairAnswer | undefined) => boolean): string =>
    answers.flatMap(({ peer, answer }) => (are(answer) ? [peer] : [])).join(', ');
  const silent = those((answer) => answer === undefined);
  const unsure = those((answer) => answer?.found === 'unsure');
  return [
    ...(silent === '' ? [] : [`no answer from ${silent}`]),
    ...(unsure === '' ? [] : [`not known by ${unsure} yet`]),
  ].join('; ');
}
