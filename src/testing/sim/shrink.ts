import type { Outcome } from './run.ts';
import type { Scenario } from './scenario.ts';

/** Runs that a shrinking may take. */
const RUNS_MAX = 60;
/** Words that tell one broken promise from another. */
const KIND_WORDS = 6;

/** How one came to fail, and what it was. */
export type Failure = Pick<Outcome, 'why' | 'findings' | 'virtualMs'>;

/** A smaller scenario that fails in the same way, found by leaving things out one after another. */
export async function shrink(
  scenario: Scenario,
  failure: Failure,
  run: (candidate: Scenario) => Promise<Pick<Outcome, 'ok' | 'why' | 'findings'>>,
): Promise<Scenario> {
  const kind = kindOf(failure);
  let smallest = scenario;
  let runs = 0;
  const tryOne = async (candidate: Scenario): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const outcome = await run(candidate);
    const isSame = !outcome.ok && kindOf(outcome) === kind;
    if (isSame) smallest = candidate;
    return isSame;
  };
  await tryOne({ ...smallest, durationMs: Math.ceil(failure.virtualMs) + 1 });
  for (let isSmaller = true; isSmaller && runs < RUNS_MAX; ) {
    isSmaller = false;
    for (const candidate of candidates(smallest))
      if (await tryOne(candidate)) {
        isSmaller = true;
        break;
      }
  }
  return smallest;
}

/** The rule that a history broke; or the first words of a broken promise, whatever its numbers and its phase. */
export function kindOf({ why, findings }: Pick<Outcome, 'why' | 'findings'>): string {
  const [finding] = findings;
  if (finding !== undefined) return finding.rule;
  const text = why.replace(/^(starting|safety|liveness|checking): /, '');
  const words = text.replaceAll(/\b[0-9a-f]*\d[0-9a-f]*\b/g, '#').split(/\s+/);
  return words.slice(0, KIND_WORDS).join(' ');
}

/** Each with one thing less. */
function* candidates(scenario: Scenario): Generator<Scenario> {
  const { durationMs, faults, callers, watchers, replicas, drift, leftDead } = scenario;
  const { sessions, escalations, trends, mixedVersions } = scenario;
  if (durationMs > 1_000) yield { ...scenario, durationMs: Math.floor(durationMs / 2) };
  for (const fault of faults)
    yield { ...scenario, faults: faults.filter((other) => other !== fault) };
  if (watchers > 0) yield { ...scenario, watchers: 0 };
  if (replicas > 3) yield { ...scenario, replicas: 3 };
  if (callers > 1) yield { ...scenario, callers: Math.floor(callers / 2) };
  if (drift > 0) yield { ...scenario, drift: 0 };
  if (leftDead > 0) yield { ...scenario, leftDead: 0 };
  if (escalations) yield { ...scenario, escalations: false };
  if (trends) yield { ...scenario, trends: false };
  if (sessions) yield { ...scenario, sessions: false };
  if (mixedVersions) yield { ...scenario, mixedVersions: false };
}

/** The fields in which a scenario differs from the one that its seed draws. */
export function changesOf(drawn: Scenario, scenario: Scenario): Partial<Scenario> {
  return Object.fromEntries(
    Object.entries(scenario).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(drawn[name as keyof Scenario]),
    ),
  );
}
