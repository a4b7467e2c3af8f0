import { must } from '../base/assert.ts';
import type { Files } from './files.ts';

/** Files in memory that outlive whoever uses them, as a disk does a process. */
export class MemoryFiles implements Files {
  /** Name → bytes; a test may look at them and change them. */
  readonly contents: Map<string, Uint8Array> = new Map();

  async names(): Promise<readonly string[]> {
    return [...this.contents.keys()];
  }

  async size(name: string): Promise<number> {
    return this.#of(name).byteLength;
  }

  async read(name: string, at: number, length: number): Promise<Uint8Array> {
    return this.#of(name).slice(at, at + length);
  }

  async write(name: string, at: number, bytes: Uint8Array): Promise<void> {
    const before = this.contents.get(name) ?? new Uint8Array(0);
    const after = new Uint8Array(Math.max(before.byteLength, at + bytes.byteLength));
    after.set(before);
    after.set(bytes, at);
    this.contents.set(name, after);
  }

  async sync(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    this.contents.set(to, this.#of(from));
    this.contents.delete(from);
  }

  async remove(name: string): Promise<void> {
    this.contents.delete(name);
  }

  async syncNames(): Promise<void> {}

  #of(name: string): Uint8Array {
    return must(this.contents.get(name), `no file ${name}`);
  }
}

/** The same files, for a process that waits before each operation; one that has died waits for ever. */
export function slowed(files: Files, wait: () => Promise<void>): Files {
  return new Proxy(files, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        await wait();
        return value.apply(target, args);
      };
    },
  });
}
