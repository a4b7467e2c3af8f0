import { type ClusterView, majorityOf } from '../output/cluster.ts';

/** What a monitoring system is told: levels, exit statuses and figures as the Nagios plugin guidelines have them. */

export const LEVELS = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

export type Level = (typeof LEVELS)[number];

export interface Finding {
  readonly level: Level;
  readonly says: string;
}

/** One figure; beyond `warn` or `crit` it is that bad. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly warn?: number;
  readonly crit?: number;
}

export interface Judgement {
  readonly level: Level;
  /** The worst first; none = all is well. */
  readonly findings: readonly Finding[];
  /** What is the case, whatever it is worth. */
  readonly says: string;
  readonly figures: readonly Figure[];
}

export const exitOf = (level: Level): number => LEVELS.indexOf(level);

export interface Thresholds {
  /** Entries that a member may trail. */
  readonly trailWarn: number;
  readonly trailCrit: number;
  /** Open alerts. */
  readonly openWarn: number | undefined;
  readonly openCrit: number | undefined;
}

/** A cluster without a leader is down; one with fewer members than it has would be, at the next fault. */
export function judgeCluster(view: ClusterView, thresholds: Thresholds): Judgement {
  const { members, leader, commit, differing } = view;
  const reached = members.filter(({ status }) => status !== undefined).length;
  const trails = members.flatMap(({ id, status }) =>
    status === undefined ? [] : [{ id, by: Math.max(0, commit - status.applied) }],
  );
  const open = Math.max(0, ...members.map(({ status }) => status?.openAlerts ?? 0));
  const { trailWarn, trailCrit, openWarn, openCrit } = thresholds;
  const findings: Finding[] = [
    ...(leader === undefined
      ? [critical(`no leader is known to a majority of ${members.length}`)]
      : []),
    ...(differing.length > 0
      ? [critical(`replicas ${differing.join(' and ')} hold different states`)]
      : []),
    ...(reached < members.length ? [missing(members.length, reached)] : []),
    ...trails.flatMap(({ id, by }) => over(`replica ${id} trails by`, by, trailWarn, trailCrit)),
    ...over('open alerts:', open, openWarn, openCrit),
    ...members.flatMap(({ id, status }) =>
      (status?.alarms ?? []).map(({ name, says }) => warning(`replica ${id}: ${name}: ${says}`)),
    ),
  ];
  return judgementOf(
    findings,
    leader === undefined
      ? `${reached} of ${members.length} members`
      : `replica ${leader} leads, ${reached} of ${members.length} members, ${open} open ${open === 1 ? 'alert' : 'alerts'}`,
    [
      { name: 'members', value: reached },
      {
        name: 'trailing',
        value: Math.max(0, ...trails.map(({ by }) => by)),
        warn: trailWarn,
        crit: trailCrit,
      },
      {
        name: 'open',
        value: open,
        ...(openWarn === undefined ? {} : { warn: openWarn }),
        ...(openCrit === undefined ? {} : { crit: openCrit }),
      },
      { name: 'commit', value: commit },
    ],
  );
}

/** Nobody answered, or nobody of this cluster. */
export const judgeSilence = (says: string): Judgement =>
  judgementOf([critical(says)], 'no replica answered', [{ name: 'members', value: 0 }]);

function judgementOf(
  findings: readonly Finding[],
  says: string,
  figures: readonly Figure[],
): Judgement {
  const sorted = findings.toSorted((a, b) => exitOf(b.level) - exitOf(a.level));
  return { level: sorted[0]?.level ?? 'OK', findings: sorted, says, figures };
}

const critical = (says: string): Finding => ({ level: 'CRITICAL', says });
const warning = (says: string): Finding => ({ level: 'WARNING', says });

function missing(count: number, reached: number): Finding {
  const says = `${count - reached} of ${count} members cannot be reached`;
  return reached < majorityOf(count) ? critical(says) : warning(says);
}

function over(
  what: string,
  value: number,
  warn: number | undefined,
  crit: number | undefined,
): Finding[] {
  const says = `${what} ${value}`;
  if (crit !== undefined && value > crit) return [critical(says)];
  return warn !== undefined && value > warn ? [warning(says)] : [];
}

/** One line, figures behind the bar; each finding has a line more. */
export function renderNagios({ level, findings, says, figures }: Judgement): string {
  const perf = figures.map(
    ({ name, value, warn, crit }) => `${name}=${value};${warn ?? ''};${crit ?? ''};0`,
  );
  const [worst, ...others] = findings;
  const head = worst === undefined ? says : `${worst.says} (${says})`;
  const lines = [`TOCSIN ${level} - ${head.replaceAll('|', '/')} | ${perf.join(' ')}`];
  return [...lines, ...others.map((one) => `${one.level}: ${one.says}`), ''].join('\n');
}

/** The text exposition format of Prometheus, for a collector that reads files. */
export function renderPrometheus({ level, figures }: Judgement): string {
  const gauge = (name: string, value: number): string =>
    `# TYPE tocsin_check_${name} gauge\ntocsin_check_${name} ${value}\n`;
  return [
    gauge('status', exitOf(level)),
    ...figures.map(({ name, value }) => gauge(name, value)),
  ].join('');
}
