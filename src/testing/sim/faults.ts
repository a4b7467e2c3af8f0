import { millis } from '../../base/ids.ts';
import { DISK_FREE_BYTES_OUT } from '../../base/limits.ts';
import type { Prng } from '../../base/prng.ts';
import type { SimCluster } from './cluster.ts';
import type { Way } from './cuts.ts';
import type { Machine } from './machine.ts';
import { Operator } from './operator.ts';
import type { Fault, Scenario } from './scenario.ts';
import type { Trace } from './trace.ts';

/** Ends a fault that lasts. */
type End = () => void;

const HOUR_MS = 3_600_000;

/** Below so many replicas a fault has nothing to break. */
const REPLICAS_MIN: Readonly<Partial<Record<Fault, number>>> = {
  isolate: 2,
  halves: 2,
  'one-way': 2,
  reset: 2,
  loss: 2,
  duplicate: 2,
  reorder: 2,
  'hand-over': 2,
  members: 3,
  'disk-wiped': 3,
  'disks-swapped': 2,
  bridge: 3,
  ring: 4,
};

/** Lets faults happen, one after another and several at a time, as the scenario draws them. */
export class Faults {
  readonly counts: Map<Fault, number> = new Map();
  /** Pairs of kinds that were met together, as `a+b` in order of the alphabet. */
  readonly pairs: Set<string> = new Set();
  readonly #cluster: SimCluster;
  readonly #scenario: Scenario;
  readonly #prng: Prng;
  readonly #trace: Trace;
  readonly #active: Map<number, Fault> = new Map();
  /** Those whose disks are about to forget. */
  readonly #imaged: Set<Machine> = new Set();
  readonly #operator: Operator;
  /** Done when the last of those that are gone has been replaced. */
  #replaced: Promise<void> = Promise.resolve();
  #wiped = 0;
  #count = 0;
  #isOver = false;

  constructor(cluster: SimCluster, scenario: Scenario, prng: Prng, trace: Trace) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#prng = prng;
    this.#trace = trace;
    this.#operator = new Operator(cluster, prng.fork(1));
  }

  /** Done when whoever is gone has been replaced. */
  get replaced(): Promise<void> {
    return this.#replaced;
  }

  begin(): void {
    if (this.#scenario.faults.length > 0) this.#scheduleNext();
  }

  /** No more of them; those that last are ended by whoever heals the cluster. */
  end(): void {
    this.#isOver = true;
  }

  #scheduleNext(): void {
    const { faultEveryMs } = this.#scenario;
    this.#cluster.clock.after(millis(this.#exponential(faultEveryMs)), () => {
      if (this.#isOver) return;
      this.#strike(this.#prng.pick(this.#scenario.faults));
      this.#scheduleNext();
    });
  }

  #strike(fault: Fault): void {
    const running = this.#cluster.running;
    if (running.length === 0) return;
    const { clock } = this.#cluster;
    const victim = this.#prng.pick(running);
    if (!this.#hurts(fault, victim)) return;
    this.#count += 1;
    const number = this.#count;
    this.#trace.say(clock.monotonic(), `fault ${number}: ${fault} at ${victim.host}`);
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    for (const other of this.#active.values())
      if (other !== fault) this.pairs.add([fault, other].sort().join('+'));
    const end = this.#does(fault, victim);
    this.#active.set(number, fault);
    clock.after(millis(this.#exponential(this.#scenario.faultLastsMs)), () => {
      this.#active.delete(number);
      if (end === undefined || this.#isOver) return;
      this.#trace.say(clock.monotonic(), `fault ${number}: ${fault} is over`);
      end();
    });
  }

  /** What would change nothing now is neither done nor counted. */
  #hurts(fault: Fault, victim: Machine): boolean {
    const { present, running, clientHosts } = this.#cluster;
    if (present.length < (REPLICAS_MIN[fault] ?? 1)) return false;
    switch (fault) {
      case 'pause':
        return !victim.clock.isPaused;
      case 'hand-over':
      case 'members':
        return running.some(({ replica }) => replica?.standing.role === 'leader');
      case 'client-cut':
        return clientHosts.length > 0;
      case 'disk-stuck':
        return !victim.disk.mood.isStuck;
      case 'disks-swapped':
        return this.#partnerOf(victim) !== undefined;
      case 'snapshot-rot':
        return victim.disk.snapshots.length > 0 && this.#mayLose(victim);
      case 'disk-wiped':
        return this.#wiped < (this.#scenario.replicas - 1) / 2 && this.#mayLose(victim);
      case 'disk-rot':
      case 'disk-torn':
      case 'disk-misdirected':
      case 'disk-state':
      case 'disk-forgets':
      case 'rot-in-use':
        return this.#mayLose(victim);
      default:
        return true;
    }
  }

  /**
   * Never so many that no good copy is left; nor one of two voters that are left, or that it knows of: they could elect nobody,
   * and one cannot say for both what was never committed.
   */
  #mayLose(victim: Machine): boolean {
    if (this.#changes || this.#imaged.has(victim) || this.#operator.isReplacing) return false;
    if (victim.view?.voters().some(({ length }) => length === 2) === true) return false;
    const { present } = this.#cluster;
    const hurt = present.filter((each) => each.disk.isDamaged || this.#imaged.has(each));
    const others = hurt.filter((each) => each !== victim).length;
    return others + 1 <= (present.length - 1) / 2;
  }

  /** Another one that runs, where both are at home. */
  #partnerOf(victim: Machine): Machine | undefined {
    if (victim.place !== victim.id) return undefined;
    return this.#cluster.running.find((each) => each !== victim && each.place === each.id);
  }

  #does(fault: Fault, victim: Machine): End | undefined {
    const cluster = this.#cluster;
    const { frames } = cluster;
    switch (fault) {
      case 'kill':
        cluster.crash(victim);
        return undefined;
      case 'kill-all':
        for (const machine of cluster.running) cluster.crash(machine);
        return undefined;
      case 'pause':
        return cluster.pause(victim);
      case 'hand-over':
        for (const { replica } of cluster.running) replica?.handOver();
        return undefined;
      case 'slow-link':
        cluster.delayMs = this.#scenario.netDelayMs * this.#prng.between(2, 50);
        return () => {
          cluster.delayMs = this.#scenario.netDelayMs;
        };
      case 'loss':
      case 'duplicate':
      case 'reorder':
        frames[fault] = this.#prng.unit() / 2;
        return () => {
          frames[fault] = 0;
        };
      case 'members':
        this.#operator.moveVote();
        return undefined;
      case 'clock-jump':
        cluster.jump(victim, (this.#prng.unit() * 2 - 1) * HOUR_MS);
        return undefined;
      case 'disk-slow':
      case 'disk-stuck':
      case 'disk-full':
      case 'disk-write-error':
      case 'disk-read-error':
        return this.#hurtDisk(fault, victim);
      case 'rot-in-use':
        victim.disk.rot(['rotten', 'torn', 'gone']);
        return undefined;
      case 'disks-swapped': {
        const partner = this.#partnerOf(victim);
        return partner && cluster.swaps.swap(victim, partner);
      }
      case 'disk-rot':
      case 'disk-torn':
      case 'disk-misdirected':
      case 'disk-state':
      case 'disk-forgets':
      case 'disk-wiped':
      case 'snapshot-rot':
        return this.#loseWhatIsOn(victim, fault);
      default:
        return this.#hurtNetwork(fault, victim);
    }
  }

  #hurtDisk(fault: Fault, { disk }: Machine): End | undefined {
    const { mood } = disk;
    if (fault === 'disk-write-error') mood.failsNextWrite = true;
    else if (fault === 'disk-read-error') mood.failsNextRead = true;
    else if (fault === 'disk-stuck') mood.isStuck = true;
    else if (fault === 'disk-full') {
      disk.roomBytes = this.#prng.pick([0, DISK_FREE_BYTES_OUT]);
      return () => {
        disk.roomBytes = undefined;
      };
    } else {
      mood.meanMs = this.#scenario.diskMs * this.#prng.between(5, 200);
      return () => {
        mood.meanMs = this.#scenario.diskMs;
      };
    }
    return undefined;
  }

  /** What was acknowledged is not there any more when the process looks again; it is down while that happens. */
  #loseWhatIsOn(victim: Machine, fault: Fault): End | undefined {
    const { disk } = victim;
    if (fault === 'disk-forgets') {
      const putBack = disk.remember();
      this.#imaged.add(victim);
      return () => {
        this.#imaged.delete(victim);
        this.#cluster.crash(victim);
        if (!victim.isStarting) putBack();
      };
    }
    if (fault === 'disk-wiped') {
      this.#wiped += 1;
      const isNamed = this.#imaged.size === 0 && this.#cluster.isNamed(victim);
      this.#cluster.wipe(victim);
      if (isNamed) this.#cluster.reformat(victim);
      this.#replaced = this.#operator.replace(victim);
      return undefined;
    }
    this.#cluster.crash(victim);
    if (fault === 'snapshot-rot') disk.damageSnapshot();
    else if (fault === 'disk-state') disk.damageState();
    else if (fault === 'disk-torn') disk.damage(['torn']);
    else if (fault === 'disk-misdirected') disk.damage(['misdirected']);
    else disk.damage(['rotten', 'gone']);
    return undefined;
  }

  get #changes(): boolean {
    return this.#scenario.faults.includes('members');
  }

  #hurtNetwork(fault: Fault, victim: Machine): End | undefined {
    const { network } = this.#cluster;
    if (fault === 'reset') {
      const others = this.#cluster.machines.filter((machine) => machine !== victim);
      network.reset(victim.host, this.#prng.pick(others).host);
      return undefined;
    }
    return this.#cluster.cuts.cut(this.#waysOf(fault, victim));
  }

  /** The ordered pairs of hosts between which nothing passes. */
  #waysOf(fault: Fault, victim: Machine): readonly Way[] {
    const prng = this.#prng;
    const hosts = this.#cluster.machines.map(({ host }) => host);
    const others = hosts.filter((host) => host !== victim.host);
    const both = (one: string, other: string): [string, string][] => [
      [one, other],
      [other, one],
    ];
    switch (fault) {
      case 'isolate':
        return others.flatMap((other) => both(victim.host, other));
      case 'one-way': {
        const isDeaf = prng.chance(0.5);
        return others.map((other) => (isDeaf ? [other, victim.host] : [victim.host, other]));
      }
      case 'halves': {
        const side = prng.part(hosts);
        return pairsOf(hosts, (a, b) => side.has(a) !== side.has(b));
      }
      case 'bridge': {
        const side = prng.part(others);
        return pairsOf(others, (a, b) => side.has(a) !== side.has(b));
      }
      case 'ring':
        return pairsOf(hosts, (a, b) => {
          const apart = Math.abs(hosts.indexOf(a) - hosts.indexOf(b));
          return Math.min(apart, hosts.length - apart) > 1;
        });
      case 'client-cut': {
        const client = prng.pick(this.#cluster.clientHosts);
        const way = prng.between(0, 2);
        return both(client, victim.host).filter((_, at) => way === 2 || way === at);
      }
      default:
        return [];
    }
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#prng.unit()) * mean;
  }
}

const pairsOf = (
  hosts: readonly string[],
  isCut: (a: string, b: string) => boolean,
): [string, string][] =>
  hosts.flatMap((a) =>
    hosts.filter((b) => a !== b && isCut(a, b)).map((b): [string, string] => [a, b]),
  );
