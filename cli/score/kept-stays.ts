import type { TrendApi } from '../commands/io.ts';
import { findStays, readStay } from './stays.ts';
import { type KeptStay, throughTrends } from './through-trends.ts';

export type { KeptStay } from './through-trends.ts';

/** A client of the trend tier, and what time it is. */
export interface Through {
  readonly client: TrendApi;
  readonly now: number;
}

/** The stays of a folder; with a client they go through the trend tier of its cluster first. @throws TocsinError BAD_RECORDING */
export const staysOf = (
  folder: string,
  through: Through | undefined,
): AsyncGenerator<KeptStay, void, undefined> =>
  through === undefined ? fromFiles(folder) : throughTrends(folder, through.client, through.now);

async function* fromFiles(folder: string): AsyncGenerator<KeptStay, void, undefined> {
  for (const stay of await findStays(folder)) yield { stay, chartings: await readStay(stay) };
}
