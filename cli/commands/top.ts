import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { pauseFor } from '../demo/waiting.ts';
import { clusterJson } from '../output/cluster.ts';
import { isForPeople } from '../output/formats.ts';
import { streamRenderer } from '../output/stream.ts';
import { formatInstant } from '../output/time.ts';
import { type Frame, renderTop, summaryOf } from '../top/frame.ts';
import { Gauge, type Look } from '../top/gauge.ts';
import type { Io } from './io.ts';
import { askEverybody, sentenceOf } from './members.ts';
import { addClientOptions, type ClientFlags, durationOption, withExamples } from './options.ts';
import { type Session, tableOptions, withClient } from './session.ts';
import { whole } from './values.ts';

interface TopFlags extends ClientFlags {
  readonly every: number;
  readonly count?: number;
}

/** So many open alerts are looked at; a screen shows fewer. */
const ALERTS_MAX = 100;

/** `tocsin top`: the cluster as it lives. */
export function topCommand(io: Io): Command {
  const command = new Command('top')
    .description(
      'watch replicas, rates, latencies and open alerts; a line each time where there is no terminal',
    )
    .addOption(durationOption('--every <duration>', 'between two looks', '1s'))
    .option('--count <looks>', 'end after so many (default: at Ctrl-C)', whole(1));
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin top', 'on a terminal'],
    ['tocsin top --every 200ms --count 10 -o csv', 'figures for a spreadsheet'],
    ['tocsin top --every 1m', 'a line a minute, where there is no terminal'],
  ]).action(async (flags: TopFlags) => {
    await withClient(io, flags, async (session) => {
      const isLive = isForPeople(flags.output) && io.stdout.isTTY && io.env['TERM'] !== 'dumb';
      if (isLive) await live(io, flags, session);
      else await lines(io, flags, session);
    });
  });
}

async function live(io: Io, flags: TopFlags, session: Session): Promise<void> {
  const [{ LiveScreen }, { processTerminal }] = await Promise.all([
    import('../demo/live-screen.ts'),
    import('../demo/process-terminal.ts'),
  ]);
  const { paint } = tableOptions(io, flags);
  const exit = io.stdin.onKeys === undefined ? 'Ctrl-C' : 'q';
  let frame: Frame | undefined;
  const screen = new LiveScreen(processTerminal(io.stdout), (size) =>
    frame === undefined ? [`looking… ${exit} ends`] : renderTop(frame, size, paint, exit),
  );
  screen.open();
  const left = new AbortController();
  const forget = io.stdin.onKeys?.((key) => {
    if (key.toLowerCase() === exit) left.abort();
  });
  try {
    const signal = AbortSignal.any([session.signal, left.signal]);
    await lookOn(io, flags, { ...session, signal }, (next) => {
      frame = next;
      screen.draw();
    });
  } finally {
    forget?.();
    screen.close();
  }
}

async function lines(io: Io, flags: TopFlags, session: Session): Promise<void> {
  const forms = {
    value: jsonOf,
    columns: [
      'time',
      'leader',
      'reached',
      'members',
      'commitsPerSecond',
      'eventsPerSecond',
      'readMs',
      'problem',
    ],
    text: ({ look, rates, now }: Frame) => {
      const problem = look.problem === undefined ? '' : `  ${look.problem}`;
      return `${formatInstant(now)}  ${summaryOf(look, rates)}${problem}\n`;
    },
  };
  const render = await streamRenderer(forms, flags.output);
  await lookOn(io, flags, session, async (frame) => {
    io.stdout.write(render(frame));
    await io.stdout.flush();
  });
}

function jsonOf({ look, rates, now }: Frame): unknown {
  const { view, readMs, problem } = look;
  return {
    time: formatInstant(now),
    leader: view?.leader,
    reached: view?.members.filter(({ status }) => status !== undefined).length,
    members: view?.members.length,
    commitsPerSecond: inHundredths(rates.commitsPerSecond),
    eventsPerSecond: inHundredths(rates.eventsPerSecond),
    readMs: inHundredths(readMs),
    read: rates.read,
    problem,
    cluster: view === undefined ? undefined : clusterJson(view),
  };
}

const inHundredths = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value * 100) / 100;

/** Looks until it is interrupted, nobody reads any more, or it was often enough. */
async function lookOn(
  io: Io,
  { every, count = Number.POSITIVE_INFINITY }: TopFlags,
  session: Session,
  show: (frame: Frame) => void | Promise<void>,
): Promise<void> {
  const gauge = new Gauge();
  const ended = AbortSignal.any([session.signal, io.outputGone]);
  for (let looks = 1; !ended.aborted; looks += 1) {
    const next = performance.now() + every;
    const look = await lookAt(session);
    if (look === undefined || ended.aborted) return;
    gauge.take(look);
    await show({ look, rates: gauge.rates, now: io.wall() });
    if (looks >= count) return;
    await pauseFor(next - performance.now(), ended);
  }
}

/** Whatever fails is part of what is seen; undefined = nobody waits for it any more. */
async function lookAt(session: Session): Promise<Look | undefined> {
  const [asked, read] = await Promise.allSettled([askEverybody(session), timedRead(session)]);
  const problems = [asked, read].flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (session.signal.aborted) return undefined;
  const [problem] = problems;
  return {
    at: performance.now(),
    view: asked.status === 'fulfilled' ? asked.value : undefined,
    readMs: read.status === 'fulfilled' ? read.value.ms : undefined,
    alerts:
      read.status === 'fulfilled'
        ? read.value.alerts
        : asked.status === 'fulfilled'
          ? await alertsOfAnybody(session)
          : undefined,
    problem: problem === undefined ? undefined : sentenceOf(problem),
  };
}

async function timedRead({ client, timeoutMs, signal }: Session): Promise<{
  readonly ms: number;
  readonly alerts: readonly Alert[];
}> {
  const started = performance.now();
  const asked = { limit: ALERTS_MAX, timeoutMs, signal };
  const { value } = await client.list({ open: true }, asked);
  return { ms: performance.now() - started, alerts: value.alerts.toSorted(mostUrgentFirst) };
}

/** What any replica has, when nobody can say for sure what is so; undefined = nobody answers that either. */
async function alertsOfAnybody({
  client,
  timeoutMs,
  signal,
}: Session): Promise<readonly Alert[] | undefined> {
  try {
    const asked = { limit: ALERTS_MAX, timeoutMs, signal, consistency: 'local' } as const;
    const { value } = await client.list({ open: true }, asked);
    return value.alerts.toSorted(mostUrgentFirst);
  } catch (problem) {
    if (TocsinError.is(problem)) return undefined;
    throw problem;
  }
}

const URGENCY = { high: 0, medium: 1, low: 2, none: 3 } as const;

const mostUrgentFirst = (a: Alert, b: Alert): number =>
  Number(a.acknowledged) - Number(b.acknowledged) ||
  URGENCY[a.priority] - URGENCY[b.priority] ||
  a.raisedAt - b.raisedAt;
