/** Ends what was begun. The second time it does nothing. */
export type End = () => Promise<void>;

/** Ends all of them, the last one first; the second time nothing. */
export function endOf(ends: readonly End[]): End {
  return once(async () => {
    for (const end of ends.toReversed()) await end();
  });
}

/** Does `act` the first time alone. */
export function once(act: () => Promise<void> | void): End {
  let isOver = false;
  return async () => {
    if (isOver) return;
    isOver = true;
    await act();
  };
}
