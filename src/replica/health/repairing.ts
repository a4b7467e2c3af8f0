import { must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type GroupId, logIndex, type ReplicaId, revision } from '../../base/ids.ts';
import type { Restored } from '../../storage/types.ts';
import type { Channel } from '../../transport/types.ts';
import { encodeStatusAnswer } from '../../wire/clients/answers.ts';
import { encodeFail } from '../../wire/clients/client-messages.ts';
import type { ReplicaStatus } from '../../wire/clients/status.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { helloOf, type ReplicaParts } from '../parts.ts';
import { BulkAnswers } from '../peers/bulk-answers.ts';
import { BulkLane } from '../peers/bulk-lane.ts';
import { Members } from '../peers/members.ts';
import type { Resident } from '../service/front-door.ts';
import { SnapshotFetch } from '../snapshots/snapshot-fetch.ts';
import { Repair } from './repair.ts';

type RepairingParts = Omit<ReplicaParts, 'restored' | 'machine' | 'onFault'>;

/**
 * A replica that has lost something it once acknowledged. It listens, and gives peers what it has; it neither votes nor
 * acknowledges nor serves until they have given it what it lacks.
 */
export class Repairing implements Resident {
  readonly #parts: RepairingParts;
  readonly #restored: Restored;
  readonly #members: Members;
  readonly #lane: BulkLane;
  readonly #answers: BulkAnswers;
  readonly #fetch: SnapshotFetch;
  readonly #repair: Repair;
  readonly #startedAt: number;
  /** Ends `run`. */
  diskFailed: Resident['diskFailed'] = () => {};

  constructor(parts: RepairingParts, restored: Restored) {
    this.#parts = parts;
    this.#restored = restored;
    const { identity, store, transport, clock, turns, log } = parts;
    this.#startedAt = clock.monotonic();
    const members = new Members(identity, restored);
    const addressOf = (peer: ReplicaId): string | undefined => members.addressOf(peer);
    this.#members = members;
    this.#lane = new BulkLane({ transport, clock, self: this.hello, addressOf });
    this.#answers = new BulkAnswers(store, clock);
    const { snapshots } = store;
    const lane = this.#lane;
    this.#fetch = new SnapshotFetch({ lane, clock, turns, snapshots, machine: parts, log });
    this.#repair = new Repair({
      store,
      clock,
      members,
      lane,
      snapshots: this.#fetch,
      doWithout: async ({ to }, peer) =>
        peer !== undefined && (await this.#fetch.fetch(peer, to)) !== undefined,
      isApplied: false,
      log,
    });
  }

  get hello(): Hello & { readonly replicaId: ReplicaId } {
    return helloOf(this.#parts);
  }

  /** As Repair.run: resolves when the log is to be loaded again; false = it was stopped. */
  run(): Promise<boolean> {
    const damage = must(this.#restored.damage, 'a log that is whole needs no repair');
    return new Promise((resolve, reject) => {
      this.diskFailed = reject;
      this.#repair.run(damage).then(resolve, reject);
    });
  }

  stop(): void {
    this.#repair.stop();
    this.#fetch.stop();
    this.#lane.close();
  }

  judge(remote: Hello): void {
    this.#members.judge(remote);
  }
  receive(): void {}
  receiveDigests(): void {}
  peerLost(): void {}

  readonly answerBulk = (type: FrameType, body: Uint8Array): Promise<readonly Uint8Array[]> =>
    this.#answers.answer(type, body);

  /** A client is told what is the matter, and nothing else. */
  welcomeClient(channel: Channel): void {
    channel.onFrame = (type: FrameType, _group: GroupId, id: number) => {
      if (type === FrameType.PONG) return;
      const [answer, body] =
        type === FrameType.STATUS
          ? [FrameType.ANSWER, encodeStatusAnswer(this.#status())]
          : [FrameType.FAIL, encodeFail(repairing())];
      if (!channel.send(answer, ALERTS_GROUP, id, [body])) channel.close();
    };
  }

  #says(): string {
    const { waitsFor } = this.#repair;
    return waitsFor === '' ? repairing().message : `${repairing().message}; ${waitsFor}`;
  }

  #status(): ReplicaStatus {
    const { identity, agent, clock } = this.#parts;
    const { hardState } = this.#restored;
    return {
      replicaId: identity.replicaId,
      incarnation: identity.incarnation,
      clusterId: identity.clusterId,
      role: 'follower',
      term: hardState.term,
      leader: undefined,
      leaderAddress: undefined,
      commit: hardState.commit,
      applied: logIndex(0),
      lastIndex: logIndex(0),
      revision: revision(0),
      digest: '0'.repeat(14),
      uptimeMs: Math.floor(clock.monotonic() - this.#startedAt),
      agent,
      openAlerts: 0,
      members: this.#members.lines,
      alarms: [{ name: 'repairing', says: this.#says() }],
    };
  }
}

const repairing = (): TocsinError =>
  new TocsinError('UNAVAILABLE', 'the log is damaged; its entries are being fetched from peers');
