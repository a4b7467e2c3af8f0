import { must } from '../../base/assert.ts';
import { millis, replicaId } from '../../base/ids.ts';
import { Prng } from '../../base/prng.ts';
import type { Sender } from '../../notify/types.ts';
import { bringUp } from '../../replica/bring-up.ts';
import { Notifier } from '../../replica/notifier.ts';
import type { Replica } from '../../replica/replica.ts';
import type { SnapshotPolicy } from '../../replica/snapshots/snapshotter.ts';
import type { AlertLimits } from '../../statemachine/alert-limits.ts';
import type { Identity } from '../../storage/types.ts';
import { MemoryNetwork } from '../../transport/memory-transport.ts';
import type { Transport } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import { WIRE_VERSIONS } from '../../wire/handshake.ts';
import { decodePeerMessage } from '../../wire/peers/peer-messages.ts';
import { SimClock } from './clock.ts';
import { Cuts } from './cuts.ts';
import { SimDisk } from './disk.ts';
import { Frames } from './frames.ts';
import { Invariants } from './invariants.ts';
import { Ledger } from './ledger.ts';
import type { Companion, Machine } from './machine.ts';
import { unreliable } from './peer-transport.ts';
import { ProcessClock } from './process-clock.ts';
import type { Scenario } from './scenario.ts';
import { Swaps } from './swaps.ts';
import type { Trace } from './trace.ts';
import { ReplicaView } from './view.ts';

export const CLUSTER_ID = 'c0ffee00c0ffee00c0ffee00c0ffee00';
/** Milliseconds after which a process that ended is started again, in the mean. */
const RESTART_MS = 400;
/**
 * Tables for a quarter of a million replies would be most of what a start costs. A command is given up, by whoever sent it
 * and by the deadline that it carries, long before so many others have come.
 */
const LIMITS: Partial<AlertLimits> = { repliesMax: 4_096 };
/** Far below that of production: snapshots are to be many, but each is written whole, and grows with the world. */
const SNAPSHOT_SHARE = 0.1;
/** Between two looks at what takes time to go wrong. */
const LOOK_MS = 500;

/** Whole replicas, of production code, on a virtual clock, network and disks. One seed decides everything. */
export class SimCluster {
  readonly clock: SimClock = new SimClock();
  readonly network: MemoryNetwork;
  readonly machines: Machine[];
  readonly invariants: Invariants;
  readonly ledger: Ledger = new Ledger(CLUSTER_ID, LIMITS);
  readonly frames: Frames;
  /** Of the network, in milliseconds. */
  delayMs: number;
  /** Why a replica stopped by itself, by the code of the error. */
  readonly faults: Map<string, number> = new Map();
  readonly clientHosts: string[] = [];
  readonly cuts: Cuts;
  readonly companions: Companion[] = [];
  /** What must never be, if it was. */
  failure: unknown;
  /** Of those that the cluster began with. */
  readonly endpoints: readonly string[];
  readonly #senders: ReadonlyMap<string, Sender> | undefined;
  readonly #scenario: Scenario;
  readonly #trace: Trace;
  readonly #prng: Prng;
  readonly swaps: Swaps = new Swaps(this.clock, (machine) => this.crash(machine));
  #starts = 0;

  /** `senders`: how replicas reach somebody, if anybody is to be told of anything. */
  constructor(scenario: Scenario, trace: Trace, senders?: ReadonlyMap<string, Sender>) {
    this.#senders = senders;
    this.#scenario = scenario;
    this.#trace = trace;
    this.#prng = new Prng(scenario.seed).fork(2);
    this.delayMs = scenario.netDelayMs;
    this.frames = new Frames(this.#prng.fork(1));
    const delays = this.#prng.fork(2);
    this.network = new MemoryNetwork({
      clock: this.clock,
      delay: () => millis(this.delayMs * (0.5 - Math.log(1 - delays.unit()) / 2)),
    });
    const members = Array.from({ length: scenario.replicas }, (_, at) => ({
      id: replicaId(at + 1),
      address: `/memory/${at + 1}`,
    }));
    this.cuts = new Cuts(this.network);
    this.machines = members.map(({ id }) => this.#machineOf({ ...WHO, replicaId: id, members }));
    this.endpoints = members.map(({ address }) => address);
    this.invariants = new Invariants(this.machines.map(({ disk }) => disk));
    this.clock.onStep = () => this.#afterStep();
    this.clock.every(millis(LOOK_MS), () => this.#look());
  }

  #machineOf(identity: Identity): Machine {
    const id = identity.replicaId;
    const disk = new SimDisk(CLUSTER_ID, this.clock, this.#prng.fork(100 + id));
    disk.mood.meanMs = this.#scenario.diskMs;
    disk.onRecord = (record) => this.ledger.add(record);
    disk.onDurable = (before, now) => this.invariants.durable(id, before, now);
    return {
      id,
      place: id,
      get host() {
        return `r${this.place}`;
      },
      identity,
      disk,
      clock: new ProcessClock(this.clock, 1),
      replica: undefined,
      view: undefined,
      notifier: undefined,
      listener: undefined,
      isStarting: false,
      giveUp: new AbortController(),
      staysDown: false,
      isGone: false,
    };
  }

  /** Those whose disks are there. */
  get present(): readonly Machine[] {
    return this.machines.filter(({ isGone }) => !isGone);
  }
  get running(): readonly Machine[] {
    return this.machines.filter(({ replica, isGone }) => replica !== undefined && !isGone);
  }

  /** A new replica with an empty disk, which nobody has let in yet. */
  join(): Machine {
    const id = replicaId(this.machines.length + 1);
    const members = [...this.present.map(({ identity }) => identity.replicaId), id].map((each) => ({
      id: each,
      address: `/memory/${each}`,
    }));
    const identity: Identity = { ...WHO, replicaId: id, members, joining: true };
    const machine = this.#machineOf(identity);
    this.machines.push(machine);
    this.invariants.watch(machine.disk);
    this.start(machine);
    return machine;
  }

  /** All that its disk held is gone for good. */
  wipe(machine: Machine): void {
    this.bury([machine]);
    machine.isGone = true;
    machine.disk.wipe();
  }

  /** Whoever was wiped is formatted anew under the old number, and tries to take part. */
  reformat(machine: Machine): void {
    const { incarnation } = machine.identity;
    machine.identity = { ...machine.identity, incarnation: incarnation + 1 };
    machine.staysDown = false;
    this.invariants.reformatted(machine.id);
    this.start(machine);
  }

  /** Whether all that are left know by their logs whose disk it was, so that they can tell a new one under its number. */
  isNamed(machine: Machine): boolean {
    const others = this.present.filter((each) => each !== machine);
    return this.ledger.naming(machine.id).some(({ index, chain }) => {
      if (index > this.invariants.appliedByAny) return false;
      const held = others.map(({ disk }) => disk.chainAt(index));
      return held.every((each) => each === 'snapshot' || each === chain);
    });
  }

  /** Starts a process from its disk. */
  start(machine: Machine): void {
    if (machine.replica !== undefined || machine.isStarting) return;
    machine.isStarting = true;
    machine.giveUp = new AbortController();
    this.#start(machine).catch((error: unknown) => {
      if (!machine.giveUp.signal.aborted) this.failure ??= error;
      machine.disk.crash();
      machine.isStarting = false;
      this.#restart(machine);
    });
  }

  get #snapshots(): SnapshotPolicy | undefined {
    const { snapshotEvery } = this.#scenario;
    if (snapshotEvery === undefined) return undefined;
    return { entries: snapshotEvery, logBytes: Number.MAX_SAFE_INTEGER, share: SNAPSHOT_SHARE };
  }

  async #start(machine: Machine): Promise<void> {
    this.#starts += 1;
    const { drift } = this.#scenario;
    machine.clock = new ProcessClock(this.clock, 1 + (this.#prng.unit() * 2 - 1) * drift);
    const transport = this.#transportOf(machine);
    const store = machine.disk.open();
    const seed = this.#prng.uint32();
    // Where turns take time much happens between two of them: amid an entry, a page, a snapshot, a start.
    const turnMs = (seed >>> 8) % 4 === 0 ? 1 + ((seed >>> 10) % 8) : 0;
    machine.clock.turnMs = turnMs;
    const parts = {
      identity: machine.identity,
      store,
      transport,
      clock: machine.clock,
      seed,
      agent: 'simulated',
      snapshots: this.#snapshots,
      limits: LIMITS,
      // Few enough that most are packed, and unpacked again, in slabs that are soon full.
      packing: { unpackedMax: 1 + (seed % 64), slabBytes: 1_024 << (seed % 3) },
      // So few that entries of a few commands are applied in several turns, and frames of clients held until the next; yet
      // as many as it takes to catch up.
      stepsPerTurnMax: 1 + turnMs + (seed % 5),
      log: (line: string) => this.#trace.say(this.clock.monotonic(), `${machine.host}: ${line}`),
      onFault: (error: unknown) => this.#faulted(machine, error),
    };
    const { replica, listener } = await bringUp(
      parts,
      `/memory/${machine.place}`,
      machine.giveUp.signal,
    );
    machine.listener = listener;
    machine.disk.repaired();
    this.invariants.started(machine.id);
    machine.isStarting = false;
    machine.replica = replica;
    machine.view = new ReplicaView(machine.id, replica);
    this.#trace.say(this.clock.monotonic(), `${machine.host} starts`);
    replica.start();
    machine.notifier = this.#notifierOf(machine, replica);
    for (const companion of this.companions) companion.started(machine);
  }

  #notifierOf({ clock }: Machine, replica: Replica): Notifier | undefined {
    if (this.#senders === undefined) return undefined;
    const notifier = new Notifier({ clock, replica, senders: this.#senders, log: () => {} });
    notifier.start();
    return notifier;
  }

  /** Dies without a word: its connections break, and what its disk has not made durable may be there or not. */
  crash(machine: Machine): void {
    if (machine.replica === undefined) return;
    this.#trace.say(this.clock.monotonic(), `${machine.host} dies`);
    for (const { host } of this.machines)
      if (host !== machine.host) this.network.reset(machine.host, host);
    for (const host of this.clientHosts) this.network.reset(machine.host, host);
    for (const companion of this.companions) companion.died(machine);
    machine.clock.resume();
    machine.notifier?.stop();
    machine.notifier = undefined;
    machine.replica.stop();
    machine.replica = undefined;
    machine.view = undefined;
    void machine.listener?.close();
    machine.listener = undefined;
    machine.disk.crash();
    machine.disk.mood.isStuck = false;
    this.#restart(machine);
  }

  #restart(machine: Machine): void {
    const pause = RESTART_MS * -Math.log(1 - this.#prng.unit());
    this.clock.after(millis(pause), () => {
      if (!machine.staysDown) this.start(machine);
    });
  }

  /** Stops the process without killing it: nothing of it runs, and what it is sent waits in its sockets. */
  pause(machine: Machine): () => void {
    const { clock, host } = machine;
    clock.pause();
    const others = [...this.machines.map((each) => each.host), ...this.clientHosts];
    const heal = this.cuts.cut(
      others.filter((other) => other !== host).map((other) => [other, host]),
    );
    return () => {
      heal();
      clock.resume();
    };
  }

  /** They die, and nobody starts them again. */
  bury(machines: readonly Machine[]): void {
    for (const machine of machines) {
      machine.staysDown = true;
      this.crash(machine);
    }
  }

  /** Everything as it should be: no cuts, no losses, no moods. What is down stays down for now. */
  heal(): void {
    this.cuts.healAll();
    this.swaps.end();
    this.frames.calm();
    this.delayMs = this.#scenario.netDelayMs;
    for (const machine of this.machines) {
      machine.clock.resume();
      machine.clock.offset = 0;
      const { mood } = machine.disk;
      mood.meanMs = this.#scenario.diskMs;
      mood.failsNextWrite = false;
      mood.failsNextRead = false;
      machine.disk.roomBytes = undefined;
      if (mood.isStuck) this.crash(machine);
    }
  }

  #faulted(machine: Machine, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    this.faults.set(code, (this.faults.get(code) ?? 0) + 1);
    this.#trace.say(this.clock.monotonic(), `${machine.host} stops by itself: ${code}`);
    // A broken promise of our own code is what this is all for.
    const isExpected = code === 'DATA_CORRUPT' ? machine.disk.isRotting : DISK.includes(code);
    if (!isExpected) this.failure ??= error;
    this.clock.soon(() => this.crash(machine));
  }

  #transportOf(machine: Machine): Transport {
    return unreliable({
      transport: this.#speaking(this.network.transport(machine.host)),
      clock: this.clock,
      fateOf: (type, body) => {
        this.#trace.step(type, machine.id, this.clock.monotonic());
        if (PROMISES.includes(type)) this.#judge(machine, type, Buffer.concat(body));
        return this.frames.fate();
      },
    });
  }

  /** Half of the processes are of a build that speaks the next version of the wire format too, where versions are mixed. */
  #speaking(transport: Transport): Transport {
    if (!this.#scenario.mixedVersions || this.#prng.chance(0.5)) return transport;
    const { min, max } = WIRE_VERSIONS;
    const versions = { min, max: max + 1 };
    return {
      listen: (address, self, accept) => transport.listen(address, { ...self, versions }, accept),
      dial: (address, self, signal, expect) =>
        transport.dial(address, { ...self, versions }, signal, expect),
    };
  }

  /** Not thrown: whoever sends might take it for a fault of the connection. */
  #judge(machine: Machine, type: FrameType, body: Uint8Array): void {
    try {
      this.invariants.sent(decodePeerMessage(type, body), machine.disk);
    } catch (error) {
      this.failure ??= error;
    }
  }

  #afterStep(): void {
    this.#trace.step(this.clock.monotonic());
    const now = this.clock.wall();
    for (const { view } of this.machines)
      if (view !== undefined) this.invariants.afterStep(view, now);
  }

  /** What takes time to go wrong. */
  #look(): void {
    const { invariants, clock } = this;
    const now = clock.monotonic();
    for (const { id, disk } of this.machines) invariants.snapshots(id, disk.snapshots);
    for (const { view, clock: own } of this.machines)
      if (view !== undefined) invariants.reign(view, own.isPaused, now);
    invariants.bounded(now, clock.pending);
  }

  /** The wall clock of a process is off by so many milliseconds more. */
  jump(machine: Machine, by: number): void {
    machine.clock.offset += by;
    this.invariants.clocks(this.machines.map(({ clock }) => clock.offset));
  }

  machine(id: number): Machine {
    return must(this.machines[id - 1], `no machine ${id}`);
  }
}

/** What a disk does, whoever uses it. */
const DISK: readonly string[] = ['DISK_FAILED', 'DISK_FULL'];
const WHO = { clusterId: CLUSTER_ID, incarnation: 1 } as const;
/** What the invariants look into. */
const PROMISES: readonly FrameType[] = [
  FrameType.APPEND_REPLY,
  FrameType.VOTE_REPLY,
  FrameType.VOTE_REQUEST,
];
