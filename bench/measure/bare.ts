/** Steps of arithmetic and nothing else. */
function spin(steps: number): number {
  let x = 1;
  for (let i = 0; i < steps; i += 1) x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
  return x;
}

/** Steps that take so many milliseconds here, once they are compiled. */
export function stepsOf(ms: number): number {
  const steps = 100_000;
  let fastest = Number.POSITIVE_INFINITY;
  for (let times = 0; times < 500; times += 1) {
    const began = performance.now();
    spin(steps);
    fastest = Math.min(fastest, performance.now() - began);
  }
  return Math.round((steps * ms) / fastest);
}

/**
 * The same arithmetic in each turn of the loop, for a while. It allocates nothing and was compiled before: what a turn takes beyond the others is
 * the machine's doing, and would be added to whatever else ran.
 */
export async function bareTurns(steps: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end) {
    spin(steps);
    await new Promise(setImmediate);
  }
}
