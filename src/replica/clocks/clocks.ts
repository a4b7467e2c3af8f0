import type { Clock } from '../../base/clock.ts';
import type { Millis, ReplicaId } from '../../base/ids.ts';
import {
  CLOCK_ASK_BEATS,
  CLOCK_ERROR_MS_MAX,
  CLOCK_KEPT_MS,
  CLOCK_SKEW_MS_MAX,
} from '../../base/limits.ts';
import type { Alarm } from '../../wire/clients/status.ts';
import { FrameType } from '../../wire/frame.ts';
import { type ClockTold, encodeClockAsk, encodeClockTold } from '../../wire/peers/clocks.ts';
import type { Members } from '../peers/members.ts';
import type { PeerLinks } from '../peers/peer-links.ts';
import { agreementOf } from './agreement.ts';

/** Below every priority that a member can be given. */
const BEHIND_ALL = -1;

/** What a clock shows, as a distance from the monotonic clock here: so it is known at any later moment too. */
interface Reading {
  readonly ahead: number;
  readonly at: Millis;
}

/**
 * Compares the clocks of the voters, by asking: what a clock showed half the round trip ago is what it was asked. Says what a majority of them agrees on, and whose are off.
 */
export class Clocks {
  readonly #self: ReplicaId;
  readonly #clock: Clock;
  readonly #members: Pick<Members, 'all' | 'voters'>;
  readonly #links: Pick<PeerLinks, 'tell' | 'tellOne'>;
  readonly #readings: Map<ReplicaId, Reading> = new Map();
  #question = 0;
  /** Heartbeats since the last question. */
  #beats = 0;
  #askedAt: Millis;
  /** What a majority agrees on, as a distance from the monotonic clock here. */
  #agreed: number | undefined;
  #off: readonly ReplicaId[] = [];

  constructor(
    self: ReplicaId,
    clock: Clock,
    members: Pick<Members, 'all' | 'voters'>,
    links: Pick<PeerLinks, 'tell' | 'tellOne'>,
  ) {
    this.#self = self;
    this.#clock = clock;
    this.#members = members;
    this.#links = links;
    this.#askedAt = clock.monotonic();
    this.#judge();
  }

  /** What time it is, as a majority has it: by the own clock, if that is one of them. Undefined = no majority agrees. */
  readonly now = (): number | undefined => {
    if (this.#agreed === undefined) return undefined;
    const agreed = this.#agreed + this.#clock.monotonic();
    const own = this.#clock.wall();
    return Math.abs(own - agreed) <= CLOCK_SKEW_MS_MAX ? own : agreed;
  };

  /** Who should lead rather than another: whose clock is off only while nobody else can. */
  get ranks(): ReadonlyMap<ReplicaId, number> {
    const rank = (id: ReplicaId, priority: number): number =>
      this.#off.includes(id) ? BEHIND_ALL : priority;
    return new Map(this.#members.all.map(({ id, priority }) => [id, rank(id, priority)]));
  }

  get alarms(): readonly Alarm[] {
    if (this.#agreed === undefined)
      return this.#readings.size === 0 ? [] : [{ name: 'clocks-differ', says: CLOCKS_DIFFER }];
    return this.#off.map((id) => ({
      name: id === this.#self ? 'clock-off' : 'peer-clock-off',
      says: `the clock of replica ${id} is ${this.#offText(id)} what a majority of clocks shows`,
    }));
  }

  /** Called as often as a heartbeat goes. Whether other clocks are off than before. */
  ask(): boolean {
    this.#beats += 1;
    if (this.#beats >= CLOCK_ASK_BEATS || !this.#knowsAll()) this.#askNow();
    return this.#judge();
  }

  #askNow(): void {
    this.#beats = 0;
    this.#question += 1;
    this.#askedAt = this.#clock.monotonic();
    this.#links.tell(FrameType.CLOCK_ASK, [encodeClockAsk(this.#question)]);
  }

  #knowsAll(): boolean {
    return this.#members.voters.every((id) => id === this.#self || this.#readings.has(id));
  }

  asked(peer: ReplicaId, question: number): void {
    const told = encodeClockTold({ question, wall: this.#clock.wall() });
    this.#links.tellOne(peer, FrameType.CLOCK_TELL, [told]);
  }

  /** An answer to the newest question; one to an older question says too little of when. */
  told(peer: ReplicaId, { question, wall }: ClockTold): void {
    if (question !== this.#question) return;
    const at = this.#clock.monotonic();
    const error = (at - this.#askedAt) / 2;
    if (error > CLOCK_ERROR_MS_MAX) return;
    const isFirst = !this.#readings.has(peer);
    this.#readings.set(peer, { ahead: wall + error - at, at });
    if (isFirst) this.#judge();
  }

  #judge(): boolean {
    const now = this.#clock.monotonic();
    for (const [peer, { at }] of this.#readings)
      if (now - at > CLOCK_KEPT_MS) this.#readings.delete(peer);
    const { voters } = this.#members;
    const known = voters.flatMap((id) => this.#aheadOf(id) ?? []);
    const agreed = agreementOf(known, voters.length, CLOCK_SKEW_MS_MAX);
    this.#agreed = agreed;
    const before = this.#off;
    this.#off = agreed === undefined ? [] : voters.filter((id) => this.#isOff(id, agreed));
    return before.join() !== this.#off.join();
  }

  #isOff(id: ReplicaId, agreed: number): boolean {
    const ahead = this.#aheadOf(id);
    return ahead !== undefined && Math.abs(ahead - agreed) > CLOCK_SKEW_MS_MAX;
  }

  #aheadOf(id: ReplicaId): number | undefined {
    return id === this.#self
      ? this.#clock.wall() - this.#clock.monotonic()
      : this.#readings.get(id)?.ahead;
  }

  #offText(id: ReplicaId): string {
    const by = Math.round((this.#aheadOf(id) ?? 0) - (this.#agreed ?? 0));
    return by > 0 ? `${by} ms ahead of` : `${-by} ms behind`;
  }
}

const CLOCKS_DIFFER = `no majority of clocks agrees to within ${CLOCK_SKEW_MS_MAX} ms: the time of alerts goes on by the pace of the leader alone`;
