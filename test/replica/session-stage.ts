import type { TocsinError } from '../../src/base/errors.ts';
import { logIndex, type Millis, replicaId, term, unixMillis } from '../../src/base/ids.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import type { Proposal } from '../../src/replica/pipeline/proposals.ts';
import type { AdminDone } from '../../src/replica/service/administrator.ts';
import { ClientSession, type Host } from '../../src/replica/service/client-session.ts';
import { Intake } from '../../src/replica/service/intake.ts';
import { Pages } from '../../src/replica/service/pages.ts';
import type { FreshDone } from '../../src/replica/service/read-desk.ts';
import { WatchHub } from '../../src/replica/service/watch-hub.ts';
import { Turns } from '../../src/replica/turns.ts';
import type { Consistency } from '../../src/statemachine/alert-api.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { decodeFail } from '../../src/wire/clients/client-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { ScriptedChannel } from './scripted.ts';

const isOfWatch = (type: FrameType): boolean =>
  type === FrameType.WATCH_MESSAGES || type === FrameType.WATCH_SHARED;

/** A session on a replica that does nothing by itself. */
export class SessionStage implements Host {
  readonly clock: VirtualClock = new VirtualClock();
  readonly #turns: Turns;
  readonly machine: AlertMachine = new AlertMachine();
  readonly #state: AppliedState;
  readonly watches: WatchHub;
  readonly pages: Pages;
  readonly intake: Intake;
  readonly channel: ScriptedChannel = new ScriptedChannel();
  readonly proposals: Proposal[] = [];
  readonly reads: FreshDone[] = [];

  constructor(historyEventsMax = 1_000, stepsPerTurn: number = Number.POSITIVE_INFINITY) {
    this.#turns = new Turns(this.clock, stepsPerTurn);
    this.intake = new Intake(this.#turns);
    this.#state = new AppliedState(this.machine, historyEventsMax);
    this.watches = new WatchHub(this.#state, this.clock, this.#turns);
    this.pages = new Pages(this.#state, this.clock, this.#turns);
    new ClientSession(this.channel, this);
  }

  apply(...commands: readonly Command[]): void {
    const index = logIndex(this.machine.applied + 1);
    const submissions = commands.map((command, at) => ({
      key: `${index}${at}`.padStart(32, '0'),
      fingerprint: at,
      command,
    }));
    const out: Applied = { replies: [], events: [] };
    this.machine.apply({ index, time: unixMillis(index), submissions }, out);
    this.#state.note(out.events);
  }

  propose = (proposal: Proposal): unknown => this.proposals.push(proposal);
  read(level: Consistency, done: FreshDone): void {
    if (level === 'local') done({ asOf: undefined });
    else this.reads.push(done);
  }
  holds(): boolean {
    return true;
  }
  problem: TocsinError | undefined;

  administer(_request: unknown, _deadline: Millis, done: AdminDone): void {
    done([]);
  }

  status(): ReturnType<Host['status']> {
    return {
      replicaId: replicaId(1),
      clusterId: '',
      role: 'follower',
      term: term(0),
      leader: undefined,
      leaderAddress: undefined,
      commit: this.machine.applied,
      applied: this.machine.applied,
      lastIndex: this.machine.applied,
      revision: this.machine.revision,
      digest: '0',
      uptimeMs: 0,
      agent: 'test',
      openAlerts: 0,
      alarms: [],
      incarnation: 0,
      members: [],
    };
  }

  /** Every request that waits gets its answer. */
  answerAll(): void {
    for (const done of this.reads.splice(0)) done({ asOf: this.clock.monotonic() });
    for (const { settle, count } of this.proposals.splice(0))
      settle(Array(count).fill({ ok: false, code: 'ALERT_NOT_FOUND', message: '' }));
  }

  answers(id: number): string[] {
    return this.channel.sent
      .filter((frame) => frame.id === id && !isOfWatch(frame.type))
      .map(({ type, body }) => (type === FrameType.FAIL ? decodeFail(body).code : `${type}`));
  }
}
