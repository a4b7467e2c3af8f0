import { BoundedMap } from '../collections/bounded-map.ts';
import type { SortedView } from '../collections/sorted-map.ts';
import type { Kept } from '../types.ts';

/** A record beside the alerts. */
export interface RecordBase {
  readonly id: string;
  /** Changes of it, this one included. */
  readonly version: number;
}

/** The reply to a command that finds a record as it wants it. */
export const unchanged = ({ id, version }: RecordBase): Kept => ({
  ok: true,
  effect: 'unchanged',
  id,
  version,
});

/** The records as they were at one moment, each part in order of arrival. */
export interface RegistryView<T> {
  readonly live: SortedView<T>;
  readonly over: SortedView<T>;
}

/** Records of one kind: all that are live, which are bounded by refusing more, and the newest of those that are over. */
export class Registry<T extends RecordBase> {
  readonly #live: BoundedMap<string, T>;
  readonly #over: BoundedMap<string, T>;
  readonly #liveMax: number;
  readonly #overMax: number;
  readonly #isLive: (record: T) => boolean;

  constructor(liveMax: number, overMax: number, isLive: (record: T) => boolean) {
    this.#live = new BoundedMap(liveMax, ({ id }) => id);
    this.#over = new BoundedMap(overMax, ({ id }) => id);
    this.#liveMax = liveMax;
    this.#overMax = overMax;
    this.#isLive = isLive;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** How many more live ones there is room for. */
  get room(): number {
    return this.#liveMax - this.#live.size;
  }

  /** No room for another live one. */
  get isFull(): boolean {
    return this.#live.size >= this.#liveMax;
  }

  get(id: string): T | undefined {
    return this.#live.get(id) ?? this.#over.get(id);
  }

  /** A live one. */
  live(id: string): T | undefined {
    return this.#live.get(id);
  }

  /** Whether there is room for it without another one going. */
  fits(record: T): boolean {
    return this.#isLive(record) ? !this.isFull : this.#over.size < this.#overMax;
  }

  /** Takes in a new one, or the next version of one that is there. */
  put(record: T): void {
    if (!this.#isLive(record)) {
      this.#live.delete(record.id);
      if (this.#over.get(record.id) === undefined) this.#over.add(record);
      else this.#over.replace(record);
    } else if (this.#live.get(record.id) === undefined) {
      this.#over.delete(record.id);
      this.#live.add(record);
    } else this.#live.replace(record);
  }

  /** Forgets one altogether. */
  remove(id: string): void {
    this.#live.delete(id);
    this.#over.delete(id);
  }

  /** In order of arrival. Not to be carried on after a change. */
  liveOnes(): Iterable<T> {
    return this.#live.values();
  }

  /** All of them, the live ones first. Not to be carried on after a change. */
  *all(): Generator<T> {
    yield* this.#live.values();
    yield* this.#over.values();
  }

  freeze(): RegistryView<T> {
    return { live: this.#live.freeze(), over: this.#over.freeze() };
  }
}
