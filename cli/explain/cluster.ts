import { type ClusterView, type MemberView, majorityOf } from '../output/cluster.ts';

/** Why a cluster is as it is, in sentences for somebody who was woken up; the last ones say what to do. */
export interface Explanation {
  /** One sentence. */
  readonly verdict: string;
  readonly because: readonly string[];
  readonly next: readonly string[];
}

export function explainCluster(view: ClusterView): Explanation {
  const { members, leader, differing } = view;
  const away = members.filter(({ status }) => status === undefined);
  const reached = members.length - away.length;
  const majority = majorityOf(members.length);
  const because = [
    ...(reached < majority
      ? [
          `${reached} of ${members.length} members answer, and ${majority} have to agree before anything is answered`,
        ]
      : []),
    ...away.map(
      (member) => `replica ${member.id} at ${member.address} does not answer: ${whyAway(member)}`,
    ),
    ...(leader === undefined && reached >= majority ? whyNoLeader(view) : []),
    ...(differing.length > 0
      ? [
          `replicas ${differing.join(' and ')} hold different states at the same entry: one of them is damaged`,
        ]
      : []),
    ...members.flatMap(({ id, status }) =>
      (status?.alarms ?? []).map(({ says }) => `replica ${id} says: ${says}`),
    ),
    ...members.flatMap((member) => trailing(member, view)),
  ];
  return {
    verdict: verdictOf(view, reached, majority),
    because,
    next: nextOf(view, away, reached, majority),
  };
}

function verdictOf(
  { leader, members, differing }: ClusterView,
  reached: number,
  majority: number,
): string {
  if (reached < majority)
    return 'The cluster is down: nothing can be written, and nothing can be read for sure. Nothing that was answered is lost.';
  if (leader === undefined) return 'The cluster has no leader now, so nothing can be written.';
  if (differing.length > 0)
    return `The cluster works, and replica ${leader} leads it, but its members differ.`;
  if (reached < members.length) {
    const spare = reached - majority;
    const then = spare === 0 ? 'it stops when one more fails' : `it stands ${spare} more failures`;
    return `The cluster works, and replica ${leader} leads it; ${then}.`;
  }
  return `The cluster is well: replica ${leader} leads, and every member answers.`;
}

const WHY: readonly (readonly [RegExp, string])[] = [
  [
    /ECONNREFUSED/,
    'the machine is there, but nothing listens at that port; is tocsin serve running?',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'its name is not known to this machine; is the name service there?'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no way to that machine; is it on, is the network there?'],
  [
    /FRAME_MALFORMED|FRAME_UNKNOWN_TYPE|FRAME_TOO_LONG|BODY_MALFORMED/,
    'something answers there that does not speak this protocol; is it the port of something else, or of the trend tier?',
  ],
  [
    /VERSION_UNSUPPORTED/,
    'a version of tocsin answers there that this one cannot talk to; which ones are installed?',
  ],
  [/WRONG_CLUSTER/, 'somebody of another cluster answers there'],
  [/answers at/, 'somebody else answers there'],
  [
    /DEADLINE_EXCEEDED|HANDSHAKE_TIMEOUT|no answer|timed? ?out/i,
    'nothing comes back in time; is the machine on, is a firewall between, does its disk hang?',
  ],
];

/** Nobody answered at all; `problems` says why, one for each address that was asked. */
export const explainSilence = (problems: readonly string[]): Explanation => ({
  verdict: 'No replica answers from here, so nothing is known of the cluster; it may be well.',
  because: problems.map((problem) => whyAway({ problem })),
  next: [
    'look from another machine: tocsin explain',
    'are these the right addresses? tocsin config show alert list --origin',
  ],
});

function whyAway({ problem = 'no reason is known' }: Pick<MemberView, 'problem'>): string {
  const [, plain] = WHY.find(([sign]) => sign.test(problem)) ?? [];
  return plain === undefined ? problem : `${plain} (${problem})`;
}

/** Enough of them answer us; so they do not hear each other, or they have just begun. */
function whyNoLeader({ members }: ClusterView): string[] {
  const statuses = members.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const terms = statuses.map(({ term }) => term);
  const candidates = statuses.filter(({ role }) => role !== 'leader' && role !== 'follower').length;
  const youngest = Math.min(...statuses.map(({ uptimeMs }) => uptimeMs));
  return [
    `a majority answers here, but it follows no leader (terms ${terms.join(', ')}; ${candidates} ask for votes)`,
    youngest < YOUNG_MS
      ? 'a member has just started: an election takes about a second'
      : 'the members answer here and perhaps not each other: the way between them may be cut',
  ];
}

const YOUNG_MS = 10_000;
const TRAILS_MUCH = 10_000;

function trailing({ id, status }: MemberView, { commit }: ClusterView): string[] {
  const by = commit - (status?.applied ?? commit);
  return by > TRAILS_MUCH ? [`replica ${id} trails by ${by} entries and catches up`] : [];
}

function nextOf(
  { leader, differing }: ClusterView,
  away: readonly MemberView[],
  reached: number,
  majority: number,
): string[] {
  const wanted = majority - reached;
  return [
    ...(wanted > 0
      ? [
          `bring back ${wanted} of replicas ${away.map(({ id }) => id).join(', ')}; each needs its own disk as it was`,
          'do not format anything: a disk that is wiped holds no vote',
        ]
      : away.map(
          ({ id }) => `bring back replica ${id}: tocsin serve --data ITS-FOLDER on its machine`,
        )),
    ...(leader === undefined && wanted <= 0
      ? ['tocsin wait --for leader', 'if none comes: look at the connections between the members']
      : []),
    ...(differing.length > 0
      ? ['stop the one that differs from the others and keep its folder for whoever looks into it']
      : []),
  ];
}
