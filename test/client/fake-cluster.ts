import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import {
  ALERTS_GROUP,
  logIndex,
  millis,
  type Revision,
  replicaId,
  revision,
  term,
} from '../../src/base/ids.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { matches } from '../../src/statemachine/queries/filter.ts';
import type { AppliedEvent, BatchReply, Reply } from '../../src/statemachine/types.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import type { Channel, Listener } from '../../src/transport/types.ts';
import {
  encodeGetAnswer,
  encodeListAnswer,
  encodeStatusAnswer,
} from '../../src/wire/clients/answers.ts';
import {
  decodeGet,
  decodeList,
  decodeSubmit,
  decodeWatch,
  encodeFail,
  encodeSubmit,
  type SubmitRequest,
} from '../../src/wire/clients/client-messages.ts';
import { decodeTime } from '../../src/wire/clients/deadline.ts';
import { encodeReplies } from '../../src/wire/clients/replies.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import { encodeWatchMessages } from '../../src/wire/clients/watch-messages.ts';
import { decodeSubmissions, recordsOf } from '../../src/wire/commands/commands.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const CLUSTER_ID: string = 'c1'.repeat(16);

/** One request as a replica of the fake sees it. */
export interface Request {
  readonly replica: number;
  readonly channel: Channel;
  readonly type: FrameType;
  readonly id: number;
  readonly body: Uint8Array;
}

/** Takes a request over and returns true, or leaves it to the fake. */
export type Script = (request: Request) => boolean;

/** A SUBMIT that a replica received, applied or not. */
export interface Submitted {
  readonly replica: number;
  readonly request: SubmitRequest;
  readonly keys: readonly string[];
}

/**
 * Replicas without agreement: one alert machine, of which each replica tells, and a leader that the test appoints. It
 * does what a real cluster does when nothing goes wrong; what goes wrong is in the script.
 */
export class FakeCluster {
  readonly network: MemoryNetwork;
  readonly clock: VirtualClock;
  readonly machine: AlertMachine = new AlertMachine();
  readonly events: AppliedEvent[] = [];
  readonly submitted: Submitted[] = [];
  readonly requests: Request[] = [];
  readonly channels: Set<Channel> = new Set();
  leader: number | undefined = 1;
  /** Whether a replica that does not lead names the one that does. */
  givesHints = true;
  /** Whether a replica tells of the others. */
  givesMembers = true;
  script: Script = () => false;
  /** Events before this revision are no longer kept for watches. */
  keptFrom = 1;
  /** How far a replica is behind: the newest revision it tells to watches. */
  readonly lag: Map<number, number> = new Map();
  readonly #listeners = new Map<number, Listener>();
  readonly #size: number;

  constructor(size: number, clock: VirtualClock) {
    this.clock = clock;
    this.network = new MemoryNetwork({ clock });
    this.#size = size;
  }

  async start(): Promise<void> {
    for (let replica = 1; replica <= this.#size; replica += 1) await this.listen(replica);
  }

  async listen(replica: number): Promise<void> {
    const self = {
      role: 'peer',
      lane: 'client',
      clusterId: CLUSTER_ID,
      replicaId: replicaId(replica),
      incarnation: 1,
      agent: 'fake',
    } as const;
    const listener = await this.network
      .transport(`replica-${replica}`)
      .listen(addressOf(replica), self, {
        judge: () => {},
        open: (channel) => this.#serve(replica, channel),
      });
    this.#listeners.set(replica, listener);
  }

  /** As if its process was killed. */
  async kill(replica: number): Promise<void> {
    const listener = this.#listeners.get(replica);
    this.#listeners.delete(replica);
    this.network.reset('client', `replica-${replica}`);
    await listener?.close();
  }

  async stop(): Promise<void> {
    this.thaw();
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
  }

  /** As if its process was paused: its sockets stay open, and nothing comes from it. */
  freeze(replica: number): void {
    this.network.cut(`replica-${replica}`, 'client');
  }

  thaw(): void {
    for (let replica = 1; replica <= this.#size; replica += 1)
      this.network.heal(`replica-${replica}`, 'client');
  }

  /** Breaks every connection between the client and this replica. */
  reset(replica: number): void {
    this.network.reset('client', `replica-${replica}`);
  }

  /** Applies the commands of a SUBMIT, as a leader does. */
  apply({ body }: Request): readonly Reply[] {
    const { commands } = decodeSubmit(body);
    const replies: Reply[] = [];
    const index = logIndex(this.machine.applied + 1);
    const submissions = decodeSubmissions(commands);
    this.machine.apply(
      { index, time: this.clock.wall(), submissions },
      { replies, events: this.events },
    );
    this.#tellWatches();
    return replies;
  }

  /** Takes in some of the commands of a SUBMIT, as a leader does whose disk is nearly full. */
  applySome(request: Request, takes: () => boolean): readonly BatchReply[] {
    const { timeoutMs, commands } = decodeSubmit(request.body);
    const records = [...recordsOf(commands)].map(({ bytes }) => ({ bytes, isTaken: takes() }));
    const taken = records.filter(({ isTaken }) => isTaken).map(({ bytes }) => bytes);
    const replies = (
      taken.length === 0
        ? []
        : this.apply({ ...request, body: Buffer.concat(encodeSubmit(timeoutMs, taken)) })
    ).values();
    const notTaken = { ok: false, code: 'DISK_FULL', message: 'nearly full' } as const;
    return records.map(({ isTaken }) =>
      isTaken ? must(replies.next().value, 'a reply') : notTaken,
    );
  }

  reply({ channel, id }: Request, replies: readonly BatchReply[]): void {
    channel.send(FrameType.SUBMIT_REPLY, ALERTS_GROUP, id, [encodeReplies(replies)]);
  }

  fail({ channel, id }: Request, error: TocsinError): void {
    channel.send(FrameType.FAIL, ALERTS_GROUP, id, [encodeFail(error)]);
  }

  /** What a real replica does. */
  handle(request: Request): void {
    const { type } = request;
    if (type === FrameType.SUBMIT) this.#submit(request);
    else if (type === FrameType.GET || type === FrameType.LIST) this.#read(request);
    else if (type === FrameType.STATUS) this.#status(request);
    else if (type === FrameType.WATCH) this.#watch(request);
    else if (type === FrameType.CANCEL) this.#watches.delete(keyOf(request));
  }

  #serve(replica: number, channel: Channel): void {
    this.channels.add(channel);
    channel.onClose = () => {
      this.channels.delete(channel);
      for (const [key, watch] of this.#watches)
        if (watch.request.channel === channel) this.#watches.delete(key);
    };
    channel.onFrame = (type, _group, id, body) => {
      const request = { replica, channel, type, id, body };
      this.requests.push(request);
      if (type === FrameType.SUBMIT) {
        const submit = decodeSubmit(body);
        const keys = decodeSubmissions(submit.commands).map(({ key }) => key);
        this.submitted.push({ replica, request: submit, keys });
      }
      if (!this.script(request)) this.handle(request);
    };
  }

  notLeader(replica: number): TocsinError {
    const { leader } = this;
    const hint = this.givesHints && leader !== undefined && leader !== replica;
    return new TocsinError(
      'NOT_LEADER',
      `replica ${replica} does not lead`,
      hint ? { leader: addressOf(leader) } : {},
    );
  }

  #submit(request: Request): void {
    if (request.replica !== this.leader) this.fail(request, this.notLeader(request.replica));
    else this.reply(request, this.apply(request));
  }

  #read(request: Request): void {
    const { type, channel, id, replica } = request;
    const body = decodeTime(request.body).request;
    const isGet = type === FrameType.GET;
    const consistency = (isGet ? decodeGet(body) : decodeList(body)).consistency;
    if (consistency === 'linearizable' && replica !== this.leader) {
      this.fail(request, this.notLeader(replica));
      return;
    }
    const at = this.machine.revision;
    if (isGet) {
      const value = decodeGet(body).refs.map((ref) => this.machine.get(ref));
      const answer = encodeGetAnswer({ value, revision: at });
      channel.send(FrameType.ANSWER, ALERTS_GROUP, id, [answer]);
      return;
    }
    const { filter, limit, after } = decodeList(body);
    const options = after === undefined ? { limit } : { limit, after };
    const value = this.machine.list(filter, options);
    channel.send(FrameType.ANSWER, ALERTS_GROUP, id, encodeListAnswer({ value, revision: at }));
  }

  #status({ channel, id, replica }: Request): void {
    const { leader } = this;
    const status: ReplicaStatus = {
      replicaId: replicaId(replica),
      clusterId: CLUSTER_ID,
      role: replica === leader ? 'leader' : 'follower',
      term: term(1),
      leader: leader === undefined ? undefined : replicaId(leader),
      leaderAddress: leader === undefined || !this.givesHints ? undefined : addressOf(leader),
      commit: this.machine.applied,
      applied: this.machine.applied,
      lastIndex: this.machine.applied,
      revision: this.machine.revision,
      digest: '0'.repeat(14),
      uptimeMs: 1,
      agent: 'fake',
      openAlerts: this.machine.openCount,
      alarms: [],
      incarnation: 0,
      members: this.givesMembers
        ? Array.from({ length: this.#size }, (_, at) => ({
            id: replicaId(at + 1),
            address: addressOf(at + 1),
          }))
        : [],
    };
    channel.send(FrameType.ANSWER, ALERTS_GROUP, id, [encodeStatusAnswer(status)]);
  }

  readonly #watches = new Map<string, { readonly request: Request; next: Revision }>();

  #watch(request: Request): void {
    const { from } = decodeWatch(request.body);
    const newest = this.#newestAt(request.replica);
    this.#watches.set(keyOf(request), { request, next: from ?? revision(newest + 1) });
    if (from === undefined) this.tell(request, [{ type: 'progress', revision: newest }]);
    this.#tellWatches();
  }

  /** Messages of a watch. */
  tell({ channel, id }: Request, messages: readonly WatchMessage[]): void {
    channel.send(FrameType.WATCH_MESSAGES, ALERTS_GROUP, id, encodeWatchMessages(messages));
  }

  #newestAt(replica: number): Revision {
    return revision(Math.max(0, this.machine.revision - (this.lag.get(replica) ?? 0)));
  }

  /** Tells every watch what is new to it, and how far it has been told. */
  tellProgress(): void {
    this.#tellWatches();
    for (const { request, next } of this.#watches.values())
      if (next - 1 <= this.#newestAt(request.replica))
        this.tell(request, [{ type: 'progress', revision: revision(next - 1) }]);
  }

  #tellWatches(): void {
    for (const watch of this.#watches.values()) {
      const { request } = watch;
      const filter = decodeWatch(request.body).filter ?? {};
      const newest = this.#newestAt(request.replica);
      const messages: WatchMessage[] = [];
      if (watch.next < this.keptFrom) {
        const { alerts } = this.machine.list(filter, { limit: 1_000 });
        messages.push({ type: 'compacted', revision: this.machine.revision, alerts });
        watch.next = revision(this.machine.revision + 1);
      }
      for (; watch.next <= newest; watch.next = revision(watch.next + 1)) {
        const event = this.events[watch.next - 1];
        if (event !== undefined && matches(event.alert, filter))
          messages.push({ type: 'event', event });
      }
      if (messages.length > 0) this.tell(request, messages);
    }
  }

  /** Progress marks at the pace of a real replica, until called off. */
  keepTelling(): { cancel(): void } {
    return this.clock.every(millis(500), () => this.tellProgress());
  }
}

export const addressOf = (replica: number): string => `/memory/${replica}`;

const channelNumbers = new WeakMap<Channel, number>();
let channelsSeen = 0;

function keyOf({ channel, id }: Request): string {
  let number = channelNumbers.get(channel);
  if (number === undefined) {
    channelsSeen += 1;
    number = channelsSeen;
    channelNumbers.set(channel, number);
  }
  return `${number}/${id}`;
}
