import { type ChartedOptions, scoreStay } from './charted-news2.ts';
import { staysOf, type Through } from './kept-stays.ts';

/**
 * CSV, a line for each score: by stay, then time. A `standing` column is added where inputs can grow old. With a client
 * the stays go through the trend tier of its cluster first, and what comes back is scored.
 * @throws TocsinError BAD_RECORDING
 */
export async function news2OfStays(
  folder: string,
  options: ChartedOptions,
  through?: Through,
): Promise<string> {
  const canGrowOld = Number.isFinite(options.validForMs);
  const lines = [`stay,time,aggregate,maxSingle,inputs${canGrowOld ? ',standing' : ''}\n`];
  for await (const { stay, chartings } of staysOf(folder, through)) {
    for (const { clock, score } of scoreStay(chartings, options)) {
      const { aggregate, maxSingle, parts, standing } = score;
      const row = [stay.id, clock, aggregate, maxSingle, parts.length];
      lines.push(`${(canGrowOld ? [...row, standing] : row).join(',')}\n`);
    }
  }
  return lines.join('');
}
