/**
 * Tasks for when signals abort. One listener for each signal, however many calls share it: taking a listener off a
 * signal costs as much as the signal has listeners.
 */
export class AbortListeners {
  readonly #heard = new Map<AbortSignal, Heard>();

  add(signal: AbortSignal, task: () => void): void {
    const known = this.#heard.get(signal);
    if (known !== undefined) {
      known.tasks.add(task);
      return;
    }
    const tasks = new Set([task]);
    // The signal may be of another realm, or a library's own: what its events say of it is not relied on.
    const onAbort = (): void => {
      for (const each of [...tasks]) each();
    };
    this.#heard.set(signal, { tasks, onAbort });
    signal.addEventListener('abort', onAbort);
  }

  remove(signal: AbortSignal, task: () => void): void {
    const heard = this.#heard.get(signal);
    if (heard === undefined || !heard.tasks.delete(task) || heard.tasks.size > 0) return;
    this.#heard.delete(signal);
    signal.removeEventListener('abort', heard.onAbort);
  }
}

interface Heard {
  readonly tasks: Set<() => void>;
  readonly onAbort: () => void;
}
