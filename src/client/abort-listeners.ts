/**
 * Tasks for when signals abort. One listener for each signal, however many calls share it: taking a listener off a
 * signal costs as much as the signal has listeners.
 */
export class AbortListeners {
  readonly #tasks = new Map<AbortSignal, Set<() => void>>();
  readonly #onAbort = (event: Event): void => {
    const signal = event.target;
    if (!(signal instanceof AbortSignal)) return;
    for (const task of [...(this.#tasks.get(signal) ?? [])]) task();
  };

  add(signal: AbortSignal, task: () => void): void {
    const known = this.#tasks.get(signal);
    if (known !== undefined) {
      known.add(task);
      return;
    }
    this.#tasks.set(signal, new Set([task]));
    signal.addEventListener('abort', this.#onAbort);
  }

  remove(signal: AbortSignal, task: () => void): void {
    const tasks = this.#tasks.get(signal);
    if (tasks === undefined || !tasks.delete(task) || tasks.size > 0) return;
    this.#tasks.delete(signal);
    signal.removeEventListener('abort', this.#onAbort);
  }
}
