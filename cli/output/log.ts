import type { Io } from '../commands/io.ts';
import { printable } from './escape.ts';

/** Says what happens, a line each, with the time of each unless whoever takes it in notes that. */
export const logTo =
  (io: Pick<Io, 'stderr' | 'isJournaled' | 'wall'>) =>
  (line: string): void => {
    const at = io.isJournaled ? '' : `${new Date(io.wall()).toISOString()} `;
    io.stderr.write(`${at}${printable(line)}\n`);
  };
