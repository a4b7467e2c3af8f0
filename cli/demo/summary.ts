import { printable } from '../output/escape.ts';
import type { Paint } from '../output/paint.ts';
import type { DemoResult } from './run.ts';

export interface DemoSetting {
  readonly beds: number;
  readonly seed: number;
}

/** Why the demo did not show what it is there to show, a sentence each; none = it did. */
export function failuresOf({ account, failoverMs, raised }: DemoResult): readonly string[] {
  const { lost, duplicated, differing, digestsEqual } = account;
  return [
    ...(lost > 0 ? [`${lost} commands that callers were told of are missing or contradicted`] : []),
    ...(duplicated > 0 ? [`${duplicated} events are accounted for by no command, or twice`] : []),
    ...(differing > 0 ? [`the replicas hold different histories in ${differing} places`] : []),
    ...(digestsEqual ? [] : ['the digests of the replicas differ']),
    ...(failoverMs === undefined ? ['no command was committed after the leader was killed'] : []),
    ...(raised === 0 ? ['no alert was raised'] : []),
  ];
}

/** For people. */
export function renderSummary(result: DemoResult, setting: DemoSetting, paint: Paint): string {
  const { raised, acknowledged, cleared, failoverMs, account, feed, told, seconds } = result;
  const { lost, duplicated, digestsEqual, byOthers, unknownHappened, events, findings } = account;
  const judged = (text: string, isGood: boolean): string => paint(isGood ? 'good' : 'bad', text);
  const failures = failuresOf(result);
  const lines = [
    '',
    `${setting.beds} beds, seed ${setting.seed}: ${feed.samples} samples, ${feed.artefacts} of them artefacts, ${feed.missing} missing`,
    `${told.done + told.none + told.unknown} commands in ${seconds.toFixed(1)} s: ${told.done} done, ${told.none} refused, ${told.unknown} unknown (${unknownHappened} of these happened)`,
    `each replica holds ${events} events${byOthers === 0 ? '' : `, ${byOthers} of them by others`}`,
    '',
    `raised ${raised}   acknowledged ${acknowledged}   cleared ${cleared}`,
    judged(
      failoverMs === undefined
        ? 'failover not measured'
        : `failover ${failoverMs.toFixed(0)} ms, from SIGKILL to the first command that a new leader answered`,
      failoverMs !== undefined,
    ),
    [
      judged(`lost ${lost}`, lost === 0),
      judged(`duplicated ${duplicated}`, duplicated === 0),
      judged(`digests ${digestsEqual ? 'equal' : 'differ'}`, digestsEqual),
    ].join('   '),
    ...failures.map((failure) => paint('bad', `FAILED: ${failure}`)),
    ...findings.map((finding) => `  ${printable(finding)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** For programs. */
export function summaryOf(result: DemoResult, { beds, seed }: DemoSetting): unknown {
  const { raised, acknowledged, cleared, failoverMs, account, feed, told, seconds } = result;
  const { lost, duplicated, digestsEqual, differing, byOthers, unknownHappened } = account;
  return {
    raised,
    acknowledged,
    cleared,
    failoverMs: failoverMs === undefined ? null : rounded(failoverMs),
    lost,
    duplicated,
    digestsEqual,
    differing,
    events: account.events,
    byOthers,
    commands: told,
    unknownHappened,
    ...feed,
    beds,
    seed,
    seconds: rounded(seconds),
    findings: account.findings,
  };
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
