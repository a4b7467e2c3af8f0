import { type ChartedOptions, scoreStay } from './charted-news2.ts';
import { findStays, readStay } from './stays.ts';

/**
 * CSV, a line for each score: by stay, then time. A `standing` column is added where inputs can grow old.
 * @throws TocsinError BAD_RECORDING
 */
export async function news2OfStays(folder: string, options: ChartedOptions): Promise<string> {
  const canGrowOld = Number.isFinite(options.validForMs);
  const lines = [`stay,time,aggregate,maxSingle,inputs${canGrowOld ? ',standing' : ''}\n`];
  for (const stay of await findStays(folder)) {
    for (const { clock, score } of scoreStay(await readStay(stay), options)) {
      const { aggregate, maxSingle, parts, standing } = score;
      const row = [stay.id, clock, aggregate, maxSingle, parts.length];
      lines.push(`${(canGrowOld ? [...row, standing] : row).join(',')}\n`);
    }
  }
  return lines.join('');
}
