import { type LogIndex, logIndex, type ReplicaId } from '../../base/ids.ts';
import { DIGESTS_REPEAT_BEATS } from '../../base/limits.ts';
import type { Alarm } from '../../wire/clients/status.ts';
import { FrameType } from '../../wire/frame.ts';
import { type Checkpoint, encodeDigests } from '../../wire/peers/digests.ts';
import type { Members } from '../peers/members.ts';
import type { PeerLinks } from '../peers/peer-links.ts';
import { Digests, type Verdict } from './digests.ts';

/** Tells the others what the state here is, and compares it with what they tell. */
export class Comparer {
  readonly #self: ReplicaId;
  readonly #members: Members;
  readonly #links: PeerLinks;
  readonly #digests: Digests;
  #verdict: Verdict = { is: 'unknown' };
  #agreed: LogIndex = logIndex(0);
  /** The newest place that the others were told of, and how many heartbeats ago. */
  #told: LogIndex = logIndex(0);
  #toldBeats = 0;

  constructor(self: ReplicaId, members: Members, links: PeerLinks) {
    this.#self = self;
    this.#members = members;
    this.#links = links;
    this.#digests = new Digests(self);
  }

  note(index: LogIndex, digest: number): void {
    this.#digests.note(index, digest);
  }

  /** The state was replaced: what was noted of it says nothing any more. */
  forgetOwn(): void {
    this.#digests.forget(this.#self);
    this.#verdict = { is: 'unknown' };
  }

  heard(peer: ReplicaId, checkpoints: readonly Checkpoint[]): void {
    this.#digests.heard(peer, checkpoints);
  }

  /** Called as often as a heartbeat goes. */
  compare(): Verdict {
    this.#tell();
    this.#verdict = this.#digests.judge(this.#members.voters);
    if (this.#verdict.is === 'agrees') this.#agreed = this.#verdict.index;
    return this.#verdict;
  }

  /** What is new at once; the same again now and then, since a word of it may be lost. */
  #tell(): void {
    const newest = this.#digests.newest();
    const index = newest.at(-1)?.index;
    if (index === undefined) return;
    this.#toldBeats += 1;
    if (index === this.#told && this.#toldBeats < DIGESTS_REPEAT_BEATS) return;
    this.#told = index;
    this.#toldBeats = 0;
    this.#links.tell(FrameType.DIGESTS, [encodeDigests(newest)]);
  }

  /** The last entry at which the state here was seen to be that of a majority; 0 = none since the start. */
  get agreed(): LogIndex {
    return this.#agreed;
  }

  get alarms(): readonly Alarm[] {
    return alarmsOf(this.#verdict);
  }
}

function alarmsOf(verdict: Verdict): readonly Alarm[] {
  switch (verdict.is) {
    case 'unknown':
      return [];
    case 'agrees':
      return verdict.differing.map((peer) => ({
        name: 'peer-differs',
        says: `replica ${peer} holds another state than a majority, seen at entry ${verdict.index}`,
      }));
    case 'differs':
      return [
        {
          name: 'state-differs',
          says: `the state at entry ${verdict.index} is not that of replicas ${verdict.agreeing.join(', ')}`,
        },
      ];
    case 'divided':
      return [
        {
          name: 'states-divided',
          says: `no majority holds the same state at entry ${verdict.index}`,
        },
      ];
  }
}
