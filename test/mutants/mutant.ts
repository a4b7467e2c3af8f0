import type { Scenario } from '../../src/testing/sim/scenario.ts';

/**
 * A seeded bug: a patch of one source file, applied while a test run or a build loads it. Production code holds no
 * switch for it (docs/decisions, "Mutants are patches, not flags").
 */
export interface Mutant {
  /** Kebab-case, unique. */
  readonly name: string;
  /** The promise that the bug breaks. */
  readonly claim: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once, or the mutant is stale and says so. */
  readonly find: string;
  readonly replace: string;
  /** Tests that must fail, as filters for vitest: files, and if that is not narrow enough the beginning of a name. */
  readonly killedBy: readonly [file: string, ...more: string[]];
  readonly test?: string;
  /** Shows in a running cluster: the simulator must find it too. What of the scenario matters for that, beside the seed. */
  readonly simulated?: true | Partial<Scenario>;
  /** Shows in a few cores alone: the exhaustive search must find it too, from this world. */
  readonly searched?: string;
  /** Shows to callers of real processes: jepsen-lite must find it too, when it is run so. */
  readonly processes?: string;
}

/** The text with the bug in it. @throws Error when `find` does not stand there exactly once */
export function applyMutant(mutant: Mutant, text: string): string {
  const count = text.split(mutant.find).length - 1;
  if (count !== 1)
    throw new Error(
      `mutant ${mutant.name} is stale: what it looks for stands ${count} times in ${mutant.file}`,
    );
  return text.replace(mutant.find, () => mutant.replace);
}
