import { assert } from '../../base/assert.ts';

/**
 * Whether the operations on one object can be put in an order that real time allows and a sequential model explains
 * (Wing and Gong 1993, with the memo of Lowe 2017). The search undoes what it tried; each pair of operations already
 * placed and state reached is tried once, and compared in full: a memo that trusts hashes alone calls good histories bad.
 */

export interface Sequential<State, Op> {
  readonly initial: State;
  /** The states are equal if and only if these are. */
  keyOf(state: State): string;
  /** The state after the operation, or undefined when its answer cannot be. */
  step(state: State, operation: Op): State | undefined;
}

export interface Interval<Op> {
  readonly operation: Op;
  readonly call: number;
  /** Infinity when the outcome is not known: it may take effect at any time from `call` on, or never. */
  readonly end: number;
}

export type Linearizability = 'yes' | 'no' | 'unknown';

/** Steps after which the search gives up; by steps and not by time, so that a verdict can be repeated. */
export const SEARCH_STEPS_MAX = 6_000_000;

/** A call or a return, in a list from which placed operations are lifted out. */
interface Node<Op> {
  readonly operation: Op;
  readonly id: number;
  readonly isCall: boolean;
  /** Of a call: its return, unless its outcome is unknown. */
  returned: Node<Op> | undefined;
  before: Node<Op> | undefined;
  after: Node<Op> | undefined;
}

export function checkLinearizable<State, Op>(
  intervals: readonly Interval<Op>[],
  model: Sequential<State, Op>,
  stepsMax: number = SEARCH_STEPS_MAX,
): Linearizability {
  const head = listOf(intervals);
  let open = intervals.filter(({ end }) => end !== Number.POSITIVE_INFINITY).length;
  const placed = new Int32Array((intervals.length >>> 5) + 1);
  const memo = new Memo();
  const undo: { readonly node: Node<Op>; readonly state: State }[] = [];
  let state = model.initial;
  let node = head.after;
  for (let steps = 0; open > 0; steps += 1) {
    if (steps >= stepsMax) return 'unknown';
    const next = node?.isCall ? model.step(state, node.operation) : undefined;
    if (node !== undefined && next !== undefined) {
      flip(placed, node.id);
      if (memo.add(placed, model.keyOf(next))) {
        undo.push({ node, state });
        state = next;
        lift(node);
        if (node.returned !== undefined) open -= 1;
        node = head.after;
        continue;
      }
      flip(placed, node.id);
    }
    if (node?.isCall) {
      node = node.after;
      continue;
    }
    // A return that nothing before it explains, or the end: the last choice was wrong.
    const last = undo.pop();
    if (last === undefined) return 'no';
    state = last.state;
    flip(placed, last.node.id);
    unlift(last.node);
    if (last.node.returned !== undefined) open += 1;
    node = last.node.after;
  }
  return 'yes';
}

/** The head of the list of calls and returns by time; at equal times calls come first, for intervals are closed. */
function listOf<Op>(intervals: readonly Interval<Op>[]): Node<Op> {
  const nodes: { readonly at: number; readonly node: Node<Op> }[] = [];
  intervals.forEach(({ operation, call, end }, id) => {
    assert(call <= end, `an operation ended at ${end}, before its call at ${call}`);
    const links = { before: undefined, after: undefined };
    const start: Node<Op> = { operation, id, isCall: true, returned: undefined, ...links };
    nodes.push({ at: call, node: start });
    if (end === Number.POSITIVE_INFINITY) return;
    start.returned = { operation, id, isCall: false, returned: undefined, ...links };
    nodes.push({ at: end, node: start.returned });
  });
  nodes.sort((a, b) => a.at - b.at || Number(b.node.isCall) - Number(a.node.isCall));
  const head = { id: -1, isCall: false, returned: undefined, before: undefined } as Node<Op>;
  let last = head;
  for (const { node } of nodes) {
    last.after = node;
    node.before = last;
    last = node;
  }
  return head;
}

function lift<Op>(node: Node<Op>): void {
  unlink(node);
  if (node.returned !== undefined) unlink(node.returned);
}

/** In the opposite order of `lift`, so that the neighbours are what they were. */
function unlift<Op>(node: Node<Op>): void {
  if (node.returned !== undefined) relink(node.returned);
  relink(node);
}

function unlink<Op>(node: Node<Op>): void {
  if (node.before !== undefined) node.before.after = node.after;
  if (node.after !== undefined) node.after.before = node.before;
}

function relink<Op>(node: Node<Op>): void {
  if (node.before !== undefined) node.before.after = node;
  if (node.after !== undefined) node.after.before = node;
}

const flip = (bits: Int32Array, id: number): void => {
  bits[id >>> 5] = (bits[id >>> 5] as number) ^ (1 << (id & 31));
};

/** Pairs of placed operations and state that were tried. */
class Memo {
  readonly #tried: Map<string, Map<number, Int32Array[]>> = new Map();

  /** False when it is there already. */
  add(placed: Int32Array, state: string): boolean {
    let byHash = this.#tried.get(state);
    if (byHash === undefined) {
      byHash = new Map();
      this.#tried.set(state, byHash);
    }
    const hash = hashOf(placed);
    const same = byHash.get(hash);
    if (same === undefined) {
      byHash.set(hash, [placed.slice()]);
      return true;
    }
    if (same.some((bits) => bits.every((word, at) => word === placed[at]))) return false;
    same.push(placed.slice());
    return true;
  }
}

function hashOf(words: Int32Array): number {
  let hash = 0;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
