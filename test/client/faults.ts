import { TocsinError } from '../../src/base/errors.ts';
import { ALERTS_GROUP, millis, revision } from '../../src/base/ids.ts';
import type { Prng } from '../../src/base/prng.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { FakeCluster, Request } from './fake-cluster.ts';

type Fault = (cluster: FakeCluster, request: Request) => void;

/** What can go wrong with one SUBMIT at the leader. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'drop before': (cluster, request) => cluster.reset(request.replica),
  'drop after': (cluster, request) => {
    cluster.apply(request);
    cluster.reset(request.replica);
  },
  'silence before': () => {},
  'silence after': (cluster, request) => {
    cluster.apply(request);
  },
  'apply late': (cluster, request) => {
    cluster.clock.after(millis(700), () => cluster.reply(request, cluster.apply(request)));
  },
  'apply late, drop': (cluster, request) => {
    cluster.clock.after(millis(400), () => cluster.apply(request));
    cluster.reset(request.replica);
  },
  'closes orderly': (_cluster, { channel }) => channel.close(),
  'closes with a reason': (_cluster, { channel }) =>
    channel.close(new TocsinError('CLOSED', 'the replica stops')),
  unavailable: (cluster, request) =>
    cluster.fail(request, new TocsinError('UNAVAILABLE', 'no quorum')),
  overloaded: (cluster, request) =>
    cluster.fail(request, new TocsinError('OVERLOADED', 'queue full')),
  'too late': (cluster, request) =>
    cluster.fail(request, new TocsinError('DEADLINE_EXCEEDED', 'waited too long')),
  'unknown before': (cluster, request) =>
    cluster.fail(request, new TocsinError('OUTCOME_UNKNOWN', 'lost the lead')),
  'unknown after': (cluster, request) => {
    cluster.apply(request);
    cluster.fail(request, new TocsinError('OUTCOME_UNKNOWN', 'lost the lead'));
  },
  'a bug after': (cluster, request) => {
    cluster.apply(request);
    cluster.fail(request, new TocsinError('INTERNAL', 'a bug'));
  },
  'too few replies': (cluster, request) => cluster.reply(request, cluster.apply(request).slice(1)),
  'too many replies': (cluster, request) => {
    const replies = cluster.apply(request);
    cluster.reply(request, [...replies, ...replies]);
  },
  'wrong id': (cluster, request) =>
    cluster.reply({ ...request, id: request.id + 1_000 }, cluster.apply(request)),
  'id zero': (cluster, request) => cluster.reply({ ...request, id: 0 }, cluster.apply(request)),
  'wrong type': (cluster, request) => {
    cluster.apply(request);
    request.channel.send(FrameType.ANSWER, ALERTS_GROUP, request.id, [new Uint8Array(8)]);
  },
  'a watch message': (cluster, request) => {
    cluster.apply(request);
    cluster.tell(request, [{ type: 'progress', revision: revision(1) }]);
  },
  'a peer message': (cluster, request) => {
    cluster.apply(request);
    request.channel.send(FrameType.HEARTBEAT, ALERTS_GROUP, request.id, []);
  },
  'malformed reply': (cluster, request) => {
    cluster.apply(request);
    const nonsense = Uint8Array.of(1, 0, 0, 0, 9);
    request.channel.send(FrameType.SUBMIT_REPLY, ALERTS_GROUP, request.id, [nonsense]);
  },
  'malformed failure': (cluster, request) => {
    cluster.apply(request);
    request.channel.send(FrameType.FAIL, ALERTS_GROUP, request.id, [Uint8Array.of(0xc1)]);
  },
  'not leader any more': (cluster, request) => {
    cluster.leader = 1 + (request.replica % 3);
    cluster.fail(request, cluster.notLeader(request.replica));
  },
  'not leader after applying': (cluster, request) => {
    cluster.apply(request);
    cluster.leader = 1 + (request.replica % 3);
    cluster.reset(request.replica);
  },
};

/** The leader has room for some of what it is sent alone. */
export const shortOfRoom =
  (prng: Prng): Fault =>
  (cluster, request) =>
    cluster.reply(
      request,
      cluster.applySome(request, () => prng.chance(0.6)),
    );

/** Each SUBMIT at the leader meets a fault with this probability; other things happen by themselves meanwhile. */
export function beUnlucky(
  cluster: FakeCluster,
  prng: Prng,
  probability: number,
  faults: readonly Fault[] = Object.values(FAULTS),
): void {
  cluster.script = (request) => {
    if (request.type !== FrameType.SUBMIT || request.replica !== cluster.leader) return false;
    if (!prng.chance(probability)) return false;
    prng.pick(faults)(cluster, request);
    return true;
  };
}
