import type { ReplayResult } from './replay.ts';

/** Whether all is as it should be. */
export const isSound = ({ audit, failed, unknown, digestsEqual }: ReplayResult): boolean =>
  audit.lost === 0 &&
  audit.duplicated === 0 &&
  failed === 0 &&
  unknown === 0 &&
  digestsEqual !== false;

/** For programs. Fields that do not apply to a run are null. */
export function summaryOf(result: ReplayResult): Readonly<Record<string, unknown>> {
  const { runId, rows, samples, raised, cleared, failed, unknown, audit, failover, seconds } =
    result;
  return {
    run: runId,
    rows,
    samples,
    raised,
    cleared,
    failoverMs: failover === undefined ? null : round(failover.failoverMs, 1),
    lost: audit.lost,
    duplicated: audit.duplicated,
    failed,
    unknown,
    digestsEqual: result.digestsEqual ?? null,
    seconds: round(seconds, 3),
    rowsPerSecond: Math.round(rows / Math.max(seconds, 0.001)),
    findings: result.findings,
  };
}

/** For people: one line, and one more for each thing that went wrong. */
export function renderSummary(result: ReplayResult): string {
  const { audit, failover, digestsEqual, seconds } = result;
  const parts = [
    `${result.rows} rows, ${result.samples} samples: ${result.raised} raised, ${result.cleared} cleared`,
    `lost ${audit.lost}, duplicated ${audit.duplicated}`,
    ...(result.failed + result.unknown === 0
      ? []
      : [`failed ${result.failed}, unknown ${result.unknown}`]),
    ...(failover === undefined ? [] : [`failover ${Math.round(failover.failoverMs)} ms`]),
    ...(digestsEqual === undefined ? [] : [digestsEqual ? 'digests equal' : 'DIGESTS DIFFER']),
    `${seconds.toFixed(1)} s, ${Math.round(result.rows / Math.max(seconds, 0.001))} rows/s`,
  ];
  return [parts.join('; '), ...result.findings.map((finding) => `  ${finding}`), ''].join('\n');
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
