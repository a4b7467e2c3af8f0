import type { Span } from '../nemeses/nemesis.ts';
import type { Timing } from '../workloads/workload.ts';
import { type Mark, Panel } from './axes.ts';

/** One dot: an operation by its end, how long it took, and what became of it. */
export interface Dot {
  readonly at: number;
  readonly took: number;
  readonly kind: DotKind;
}

export type DotKind = Timing['kind'];

export const COLOURS: Readonly<Record<DotKind, string>> = {
  write: '#1b6ac9',
  read: '#3f9b52',
  refused: '#8a8f98',
  none: '#c98a1b',
  unknown: '#cc3340',
};

/** What all plots of a run show. */
export interface Scene {
  readonly dots: readonly Dot[];
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
  readonly endMs: number;
}

const LATENCY_HEIGHT = 280;
const THROUGHPUT_HEIGHT = 170;
const [LOW_MS, HIGH_MS] = [0.1, 10_000];
const DOTS_MAX = 15_000;

/** Latency of each operation on a logarithmic scale. */
export function latencyPlot({ dots, spans, marks, endMs }: Scene): string {
  const panel = new Panel(LATENCY_HEIGHT, endMs);
  const share = (ms: number): number =>
    Math.log(Math.max(LOW_MS, ms) / LOW_MS) / Math.log(HIGH_MS / LOW_MS);
  panel.shade(spans);
  for (const ms of [0.1, 1, 10, 100, 1_000, 10_000])
    panel.grid(share(ms), ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`);
  const every = Math.max(1, Math.ceil(dots.length / DOTS_MAX));
  // What went wrong is rare, and is drawn last and whole.
  const shown = dots.filter(({ kind }, at) => isRare(kind) || at % every === 0);
  for (const { at, took, kind } of shown.sort((a, b) => rank(a) - rank(b)))
    panel.add(
      `<circle cx="${panel.x(at)}" cy="${panel.y(share(took))}" r="${isRare(kind) ? 2.4 : 1.6}" fill="${COLOURS[kind]}" fill-opacity="0.65"/>`,
    );
  panel.mark(marks);
  return panel.toString();
}

const isRare = (kind: DotKind): boolean => kind === 'none' || kind === 'unknown';
const rank = ({ kind }: Dot): number => (isRare(kind) ? 1 : 0);

/** Operations a second by what became of them: each kind is a line. */
export function throughputPlot({ dots, spans, marks, endMs }: Scene): string {
  const bins = Math.max(1, Math.ceil(endMs / 1_000));
  const counts = new Map<DotKind, number[]>();
  for (const { at, kind } of dots) {
    const line = counts.get(kind) ?? Array.from({ length: bins }, () => 0);
    counts.set(kind, line);
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(at / 1_000)));
    line[bin] = (line[bin] ?? 0) + 1;
  }
  const most = Math.max(1, ...[...counts.values()].flat());
  const panel = new Panel(THROUGHPUT_HEIGHT, endMs);
  panel.shade(spans);
  for (const part of [0, 0.5, 1]) panel.grid(part, `${Math.round(most * part)}/s`);
  for (const [kind, line] of counts) {
    const points = line.map(
      (count, bin) => `${panel.x((bin + 0.5) * 1_000)},${panel.y(count / most)}`,
    );
    panel.add(
      `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[kind]}" stroke-width="1.8"/>`,
    );
  }
  panel.mark(marks);
  return panel.toString();
}
