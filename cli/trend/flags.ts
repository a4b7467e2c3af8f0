import { type Command, InvalidArgumentError, Option } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { withHint } from '../commands/failure.ts';
import type { Io, TrendApi } from '../commands/io.ts';
import { addOutputOptions, durationOption, type OutputFlags } from '../commands/options.ts';
import { watchInterrupts } from '../commands/session.ts';
import { parseAddresses, parseInstant } from '../commands/values.ts';

/** What the trend commands share. */

export interface TrendFlags extends OutputFlags {
  readonly endpoints?: readonly string[];
  readonly timeout: number;
}

export interface RangeFlags extends TrendFlags {
  readonly from: TimeFlag;
  readonly to: TimeFlag;
}

/** An instant, or so long ago. */
export type TimeFlag = (now: number) => number;

const ENDPOINT_DEFAULT = '/ip4/127.0.0.1/tcp/7500';

export const addTrendOptions = (command: Command): Command =>
  addOutputOptions(command)
    .addOption(
      new Option(
        '--endpoints <addresses>',
        `trend tiers to ask, with commas between them (default: ${ENDPOINT_DEFAULT})`,
      )
        .argParser(parseAddresses)
        .env('TOCSIN_TREND_ENDPOINTS'),
    )
    .addOption(durationOption('--timeout <duration>', 'how long to wait for an answer', '10s'));

export const addRangeOptions = (command: Command): Command =>
  addTrendOptions(command)
    .addOption(
      new Option('--from <time>', 'from here on: an instant, or so long ago, such as 15m or 2d')
        .argParser(parseTime)
        .default(parseTime('1h'), '1h'),
    )
    .addOption(
      new Option('--to <time>', 'before there')
        .argParser(parseTime)
        .default(parseTime('0s'), 'now'),
    );

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function parseTime(text: string): TimeFlag {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (digits !== undefined && unit !== undefined) {
    const ago = Number(digits) * (UNITS_MS[unit] ?? 0);
    return (now) => Math.max(0, now - ago);
  }
  try {
    const time = parseInstant(text);
    return () => time;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(
      'It must be a time such as 2026-03-01T03:04:05Z, or so long ago: 90s, 15m, 2h, 3d.',
    );
  }
}

/** From and to in milliseconds since 1970. @throws TocsinError USAGE when there is no time between them */
export function rangeOf(
  io: Io,
  { from, to }: RangeFlags,
): { readonly from: number; readonly to: number } {
  const now = io.wall();
  const [begin, end] = [from(now), to(now)];
  if (begin > end)
    throw new TocsinError('USAGE', '--from lies after --to: it is an hour ago unless it is named');
  if (begin === end)
    throw new TocsinError('USAGE', '--from and --to are one instant: no time lies between them');
  return { from: begin, to: end };
}

const HINT =
  'vital signs have a port of their own, which serve --trend opens; TOCSIN_TREND_ENDPOINTS names it';

/** Runs `task` with a client of the trend tier, which is closed afterwards. */
export async function withTrends(
  io: Io,
  flags: TrendFlags,
  task: (client: TrendApi, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const interrupt = new AbortController();
  const patience = watchInterrupts(io, (count) => {
    interrupt.abort();
    return count > 1;
  });
  const { signal } = interrupt;
  const work = async (): Promise<void> => {
    const client = await io.services.connectTrends({
      endpoints: flags.endpoints ?? [ENDPOINT_DEFAULT],
      name: 'tocsin',
      timeoutMs: flags.timeout,
      signal,
    });
    try {
      await task(client, signal);
    } finally {
      await client.close();
    }
  };
  try {
    await Promise.race([work(), patience.isOver]);
  } catch (error) {
    throw withHint(error, ({ code }) => (code === 'UNAVAILABLE' ? HINT : undefined));
  } finally {
    patience.dispose();
  }
}
