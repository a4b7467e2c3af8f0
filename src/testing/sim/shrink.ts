import { runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';

/** Runs that a shrinking may take. */
const RUNS_MAX = 60;

/** A smaller scenario that fails as well, found by leaving things out one after another. */
export async function shrink(scenario: Scenario, failedAtMs: number): Promise<Scenario> {
  let smallest = scenario;
  let runs = 0;
  const tryOne = async (candidate: Scenario): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const { ok } = await runScenario(candidate);
    if (!ok) smallest = candidate;
    return !ok;
  };
  await tryOne({ ...smallest, durationMs: Math.ceil(failedAtMs) + 1 });
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

/** Each with one thing less. */
function* candidates(scenario: Scenario): Generator<Scenario> {
  const { durationMs, faults, callers, watchers, replicas, drift } = scenario;
  if (durationMs > 1_000) yield { ...scenario, durationMs: Math.floor(durationMs / 2) };
  for (const fault of faults)
    yield { ...scenario, faults: faults.filter((other) => other !== fault) };
  if (watchers > 0) yield { ...scenario, watchers: 0 };
  if (replicas > 3) yield { ...scenario, replicas: 3 };
  if (callers > 1) yield { ...scenario, callers: Math.floor(callers / 2) };
  if (drift > 0) yield { ...scenario, drift: 0 };
}

/** The fields in which a scenario differs from the one that its seed draws. */
export function changesOf(drawn: Scenario, scenario: Scenario): Partial<Scenario> {
  return Object.fromEntries(
    Object.entries(scenario).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(drawn[name as keyof Scenario]),
    ),
  );
}
