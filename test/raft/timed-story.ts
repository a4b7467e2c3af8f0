import { expect } from 'vitest';
import { millis, type ReplicaId, replicaId } from '../../src/base/ids.ts';
import { COMMIT_NOTICE_MS, LEASE_MS, READ_ROUND_MS, TICK_MS } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { CoreCluster, type InFlight } from '../../src/testing/core-cluster.ts';
import { change } from './story.ts';

/** A member's clock and loop: both go at their own pace, and the loop may stand still. */
interface Pace {
  readonly offset: number;
  readonly rate: number;
  nextTick: number;
  stillUntil: number;
}

/**
 * One seed, one story in which time is real: clocks that differ, processes that stand still for seconds and read first when
 * they wake, connections that break, leaders that hand over, voters that restart. What a leader answers on its lease, and
 * what a follower says of how fresh it is, is held against what was committed when.
 */
export class TimedStory {
  readonly cluster: CoreCluster;
  /** How often a leader answered by itself, and a follower knew how fresh it was. */
  readonly seen = { leases: 0, fresh: 0 };
  readonly #chance: Prng;
  readonly #size: number;
  /** Messages on a long way round. */
  #held: { readonly until: number; readonly item: InFlight }[] = [];
  readonly #paces: ReadonlyMap<ReplicaId, Pace>;
  /** When how much was committed. */
  readonly #commits: { readonly at: number; readonly count: number }[] = [];
  #now = 1000;

  constructor(seed: number, options: { readonly leaseMs?: number } = {}) {
    const chance = new Prng(seed);
    this.#chance = chance;
    this.#size = chance.pick([3, 3, 5]);
    const drift = chance.pick([0, 0.04]);
    this.#paces = new Map(
      Array.from({ length: this.#size }, (_, at) => [
        replicaId(at + 1),
        {
          offset: chance.between(0, 100_000),
          rate: 1 + drift * (chance.unit() * 2 - 1),
          nextTick: 0,
          stillUntil: 0,
        },
      ]),
    );
    this.cluster = new CoreCluster({
      size: this.#size,
      seed,
      raft: {
        leaseMs: options.leaseMs ?? LEASE_MS,
        commitNoticeMs: COMMIT_NOTICE_MS,
        readRoundMs: READ_ROUND_MS,
      },
      clock: (id) => millis(this.#clock(id)),
    });
  }

  run(steps: number): void {
    const chance = this.#chance;
    const faults = {
      stills: chance.pick([0, 0.002, 0.01]),
      crashes: chance.pick([0, 0.001, 0.004]),
      breaks: chance.pick([0, 0.002, 0.02]),
      loss: chance.pick([0, 0.02]),
      orders: chance.pick([0, 0.003]),
      coups: chance.pick([0, 0.0005, 0.002]),
      holds: chance.pick([0, 0.02]),
      changes: chance.pick([0, 0.003]),
    };
    for (let step = 0; step < steps; step += 1) {
      this.#now += chance.between(0, 8);
      const id = replicaId(chance.between(1, this.#size));
      if (this.#awake(id, faults)) this.#act(id, step, faults);
      if (chance.chance(faults.coups)) this.#coup();
      if (chance.chance(0.003)) this.cluster.cut.clear();
      this.#deliver(faults.loss, faults.holds);
      this.#commits.push({ at: this.#now, count: this.cluster.history.size });
    }
  }

  /** Whether the member can do anything now; it may stop, start or crash instead. */
  #awake(id: ReplicaId, faults: { readonly stills: number; readonly crashes: number }): boolean {
    const { cluster } = this;
    const chance = this.#chance;
    const pace = this.#pace(id);
    if (pace.stillUntil > this.#now) return false;
    if (cluster.member(id).core === undefined) {
      if (!chance.chance(0.02)) return false;
      cluster.start(id);
      pace.nextTick = this.#clock(id) + TICK_MS;
    }
    if (chance.chance(faults.stills)) {
      pace.stillUntil = this.#now + chance.between(50, 2500);
      return false;
    }
    if (!chance.chance(faults.crashes)) return true;
    cluster.crash(id, chance.between(0, cluster.member(id).writes.length));
    for (const other of cluster.running) if (chance.chance(0.7)) cluster.peerLost(other.id, id);
    return false;
  }

  #act(id: ReplicaId, step: number, faults: { readonly [name: string]: number }): void {
    const { cluster } = this;
    const chance = this.#chance;
    // First of all, before anything that would show that time has passed.
    this.#lease(id);
    this.#tick(id);
    if (chance.chance(0.8)) cluster.sync(id);
    if (chance.chance(0.1)) cluster.propose(id, `p${step}`);
    if (chance.chance(0.05)) cluster.read(id, step);
    if (chance.chance(faults['breaks'] ?? 0)) cluster.peerLost(id, chance.between(1, this.#size));
    if (chance.chance(faults['orders'] ?? 0)) cluster.transfer(id, chance.between(1, this.#size));
    if (chance.chance(faults['orders'] ?? 0)) cluster.campaign(id);
    if (chance.chance(faults['changes'] ?? 0)) change(cluster, id, chance);
    this.#fresh(id);
  }

  /** The leader, and perhaps one friend, loses all others, who notice; one of them is started anew just then. */
  #coup(): void {
    const { cluster } = this;
    const chance = this.#chance;
    const leader = cluster.leaders[0]?.id;
    if (leader === undefined) return;
    const ids = cluster.members.map(({ id }) => id).filter((id) => id !== leader);
    const friend = this.#size > 3 ? chance.pick(ids) : undefined;
    for (const other of ids.filter((id) => id !== friend)) {
      for (const one of friend === undefined ? [leader] : [leader, friend])
        cluster.cut.add(`${one}>${other}`).add(`${other}>${one}`);
      if (chance.chance(0.5) && cluster.member(other).core !== undefined)
        cluster.peerLost(other, leader);
      if (!chance.chance(0.3)) continue;
      if (cluster.member(other).core !== undefined) cluster.crash(other, 99);
      cluster.start(other);
    }
    const running = ids.filter((id) => cluster.member(id).core !== undefined);
    if (running.length > 0 && chance.chance(0.5)) cluster.campaign(chance.pick(running));
  }

  #tick(id: ReplicaId): void {
    const pace = this.#pace(id);
    const late = this.#clock(id) - pace.nextTick;
    if (late < 0) return;
    pace.nextTick = this.#clock(id) + TICK_MS;
    if (late >= TICK_MS * 2) this.cluster.stalled(id, Math.floor(late / TICK_MS));
    this.cluster.tick(id);
  }

  /** A leader that answers by itself knows all that anyone has committed. */
  #lease(id: ReplicaId): void {
    const index = this.cluster.core(id).lease(millis(this.#clock(id)));
    if (index === undefined) return;
    this.seen.leases += 1;
    expect(index, `lease of ${id} at ${this.#now}`).toBeGreaterThanOrEqual(
      this.cluster.history.size,
    );
  }

  /** Whoever says as of when its state is complete has applied all that was committed until then. */
  #fresh(id: ReplicaId): void {
    const { appliedTo } = this.cluster.member(id);
    const local = this.cluster.core(id).freshAt(appliedTo);
    if (local === undefined) return;
    this.seen.fresh += 1;
    const { offset, rate } = this.#pace(id);
    const at = (local - offset) / rate;
    const until = this.#commits.findLast((each) => each.at < at)?.count ?? 0;
    expect(appliedTo, `${id} says it is fresh as of ${at}`).toBeGreaterThanOrEqual(until);
  }

  #deliver(loss: number, holds: number): void {
    const { cluster } = this;
    const chance = this.#chance;
    const { network } = cluster;
    network.unshift(
      ...this.#held.filter(({ until }) => until <= this.#now).map(({ item }) => item),
    );
    this.#held = this.#held.filter(({ until }) => until > this.#now);
    for (let burst = chance.between(0, 3); burst > 0 && network.length > 0; burst -= 1) {
      const at = chance.chance(0.1) ? chance.between(0, network.length - 1) : 0;
      const { to } = network[at]?.message ?? { to: replicaId(1) };
      if (chance.chance(holds)) {
        const until = this.#now + chance.between(0, 1500);
        this.#held.push(...network.splice(at, 1).map((item) => ({ until, item })));
      } else if (chance.chance(loss)) network.splice(at, 1);
      else if (this.#pace(to).stillUntil <= this.#now) cluster.deliver(at, chance.chance(0.02));
      // What is meant for one that stands still waits, behind what can be delivered.
      else network.push(...network.splice(at, 1));
    }
    if (network.length > 500) network.splice(0, 250);
  }

  #pace(id: ReplicaId): Pace {
    const pace = this.#paces.get(id);
    if (pace === undefined) throw new Error(`no pace for ${id}`);
    return pace;
  }

  #clock(id: ReplicaId): number {
    const { offset, rate } = this.#pace(id);
    return offset + this.#now * rate;
  }
}
