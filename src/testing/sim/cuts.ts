import type { MemoryNetwork } from '../../transport/memory-transport.ts';

/** From one host to another, in this direction. */
export type Way = readonly [from: string, to: string];

/** Ways that are cut, by how many faults at once: each is open again when the last of them is over. */
export class Cuts {
  readonly #network: Pick<MemoryNetwork, 'cut' | 'heal'>;
  readonly #counts: Map<string, { readonly way: Way; count: number }> = new Map();

  constructor(network: Pick<MemoryNetwork, 'cut' | 'heal'>) {
    this.#network = network;
  }

  /** The function ends it, once. */
  cut(ways: readonly Way[]): () => void {
    for (const way of ways) this.#add(way);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      for (const way of ways) this.#end(way);
    };
  }

  /** Whatever cut them; ends that come later end nothing. */
  healAll(): void {
    for (const { way } of this.#counts.values()) this.#network.heal(...way);
    this.#counts.clear();
  }

  #add(way: Way): void {
    const key = way.join('>');
    const cut = this.#counts.get(key);
    if (cut !== undefined) cut.count += 1;
    else {
      this.#counts.set(key, { way, count: 1 });
      this.#network.cut(...way);
    }
  }

  #end(way: Way): void {
    const key = way.join('>');
    const cut = this.#counts.get(key);
    if (cut === undefined) return;
    cut.count -= 1;
    if (cut.count > 0) return;
    this.#counts.delete(key);
    this.#network.heal(...way);
  }
}
