import type { CoreCluster } from '../core-cluster.ts';
import { type Action, actionsIn, NOTHING_SPENT, type Spent, spend } from './actions.ts';
import { fingerprint } from './fingerprint.ts';
import { build, type World } from './world.ts';

export interface SearchBounds {
  /** Actions one after another. */
  readonly depth: number;
  /** Different states after which the search gives up. */
  readonly states: number;
}

export interface Searched {
  readonly world: string;
  readonly states: number;
  /** Actions tried, those included that led to a state seen before. */
  readonly transitions: number;
  /** Every state up to so many actions away was visited. */
  readonly depth: number;
  /** Nothing further can happen within the budget: the world is exhausted, whatever the depth. */
  readonly exhausted: boolean;
  /** Undefined = no promise was broken. */
  readonly broken: { readonly why: string; readonly path: readonly string[] } | undefined;
}

/** A state, by what led to it: cores cannot be copied, but they can be made to do it all again. */
interface Step {
  readonly before: Step | undefined;
  readonly action: Action;
  readonly spent: Spent;
}

/**
 * Every state that a world can come to, breadth first, so that what is found is the shortest way to it. Each is reached by
 * doing again what led to it; states with one fingerprint are visited once.
 */
export function search(world: World, bounds: SearchBounds): Searched {
  const seen = new Set([fingerprint(build(world), '')]);
  let transitions = 0;
  let level: readonly (Step | undefined)[] = [undefined];
  const result = (depth: number, broken?: Searched['broken']): Searched => ({
    world: world.name,
    states: seen.size,
    transitions,
    depth,
    exhausted: level.length === 0,
    broken,
  });
  for (let depth = 0; depth < bounds.depth && level.length > 0; depth += 1) {
    const next: Step[] = [];
    for (const place of level) {
      const spent = place?.spent ?? NOTHING_SPENT;
      let cluster: CoreCluster | undefined = walk(world, place);
      for (const action of actionsIn(cluster, world.budget, spent)) {
        // What was done to the first of them cannot be undone.
        cluster ??= walk(world, place);
        transitions += 1;
        const step = { before: place, action, spent: spend(spent, action) };
        const why = broken(cluster, action);
        if (why !== undefined) return result(depth, { why, path: told(step) });
        const mark = fingerprint(cluster, Object.values(step.spent).join());
        cluster = undefined;
        if (seen.has(mark)) continue;
        seen.add(mark);
        next.push(step);
        if (seen.size >= bounds.states) return result(depth);
      }
    }
    level = next;
  }
  return result(bounds.depth);
}

/** The cores where these steps lead. */
function walk(world: World, last: Step | undefined): CoreCluster {
  const cluster = build(world);
  for (const { action } of pathTo(last)) action.run(cluster);
  return cluster;
}

function pathTo(last: Step | undefined): readonly Step[] {
  const path: Step[] = [];
  for (let step = last; step !== undefined; step = step.before) path.push(step);
  return path.reverse();
}

/** Why that must not have happened; undefined = it may. */
function broken(cluster: CoreCluster, action: Action): string | undefined {
  try {
    action.run(cluster);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const told = (last: Step): readonly string[] => pathTo(last).map(({ action }) => action.does);

/** For people: what was visited; and how a promise was broken, step by step. */
export function renderSearched({ name, scene }: World, searched: Searched): readonly string[] {
  const { states, transitions, depth, exhausted, broken } = searched;
  const bound = exhausted ? 'all there are' : `all up to ${depth} actions away`;
  const counts = `${states.toLocaleString('en')} states, ${bound}; ${transitions.toLocaleString('en')} actions tried`;
  const lines = [`${name} (${scene}): ${counts}`];
  if (broken === undefined) return lines;
  return [
    ...lines,
    `  BROKEN: ${broken.why}`,
    ...broken.path.map((does, at) => `  ${at + 1}. ${does}`),
  ];
}
