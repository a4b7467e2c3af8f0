import type { Span } from './nemeses/nemesis.ts';

/** One dot: an operation by its end, how long it took, and what became of it. */
export interface Dot {
  readonly at: number;
  readonly took: number;
  readonly kind: DotKind;
}

export type DotKind = 'write' | 'read' | 'refused' | 'none' | 'unknown';

export const COLOURS: Readonly<Record<DotKind, string>> = {
  write: '#1b6ac9',
  read: '#3f9b52',
  refused: '#8a8f98',
  none: '#c98a1b',
  unknown: '#cc3340',
};

const WIDTH = 1_100;
const HEIGHT = 300;
const LEFT = 64;
const BOTTOM = 28;
const TOP = 18;
const DOTS_MAX = 15_000;

interface Axes {
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
}

/** Latency of each operation on a logarithmic scale; faults shaded; anomalies as lines. */
export function latencyPlot(
  dots: readonly Dot[],
  spans: readonly Span[],
  endMs: number,
  anomalies: readonly number[],
): string {
  const [low, high] = [0.1, 10_000];
  const share = Math.log(high / low);
  const axes: Axes = {
    x: (at) => LEFT + (at / endMs) * (WIDTH - LEFT - 8),
    y: (took) =>
      HEIGHT - BOTTOM - (Math.log(Math.max(low, took) / low) / share) * (HEIGHT - BOTTOM - TOP),
  };
  const every = Math.max(1, Math.ceil(dots.length / DOTS_MAX));
  const marks = dots
    .filter((_, at) => at % every === 0)
    .map(
      ({ at, took, kind }) =>
        `<circle cx="${axes.x(at).toFixed(1)}" cy="${axes.y(took).toFixed(1)}" r="1.6" fill="${COLOURS[kind]}" fill-opacity="0.6"/>`,
    );
  const grid = [0.1, 1, 10, 100, 1_000, 10_000].map((value) =>
    gridLine(axes, value, `${value} ms`),
  );
  const lines = anomalies.map(
    (at) =>
      `<line x1="${axes.x(at).toFixed(1)}" x2="${axes.x(at).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#cc3340" stroke-width="1.5"/>`,
  );
  return frame([
    ...shades(axes, spans, endMs),
    ...grid,
    ...marks,
    ...lines,
    ...seconds(axes, endMs),
  ]);
}

/** Operations a second by what became of them, stacked in no order: each is a line. */
export function throughputPlot(
  dots: readonly Dot[],
  spans: readonly Span[],
  endMs: number,
): string {
  const bins = Math.max(1, Math.ceil(endMs / 1_000));
  const counts = new Map<DotKind, number[]>();
  for (const { at, kind } of dots) {
    const line = counts.get(kind) ?? Array.from({ length: bins }, () => 0);
    counts.set(kind, line);
    const bin = Math.min(bins - 1, Math.floor(at / 1_000));
    line[bin] = (line[bin] ?? 0) + 1;
  }
  const most = Math.max(1, ...[...counts.values()].flat());
  const axes: Axes = {
    x: (at) => LEFT + (at / endMs) * (WIDTH - LEFT - 8),
    y: (count) => HEIGHT - BOTTOM - (count / most) * (HEIGHT - BOTTOM - TOP),
  };
  const lines = [...counts].map(([kind, line]) => {
    const points = line.map(
      (count, bin) => `${axes.x((bin + 0.5) * 1_000).toFixed(1)},${axes.y(count).toFixed(1)}`,
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[kind]}" stroke-width="1.8"/>`;
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    gridLine(axes, most * part, `${Math.round(most * part)}/s`),
  );
  return frame([...shades(axes, spans, endMs), ...grid, ...lines, ...seconds(axes, endMs)]);
}

const frame = (parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="100%" role="img">${parts.join('')}</svg>`;

const gridLine = (axes: Axes, value: number, label: string): string =>
  `<line x1="${LEFT}" x2="${WIDTH - 8}" y1="${axes.y(value).toFixed(1)}" y2="${axes.y(value).toFixed(1)}" stroke="#d5d9df" stroke-width="0.6"/>` +
  `<text x="${LEFT - 6}" y="${(axes.y(value) + 4).toFixed(1)}" text-anchor="end" class="tick">${label}</text>`;

function seconds(axes: Axes, endMs: number): string[] {
  const step = Math.max(1, Math.ceil(endMs / 1_000 / 12));
  return Array.from({ length: Math.floor(endMs / 1_000 / step) + 1 }, (_, at) => at * step).map(
    (second) =>
      `<text x="${axes.x(second * 1_000).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle" class="tick">${second} s</text>`,
  );
}

/** Bands over the time of each fault, and its name at the top; faults that overlap make it darker. */
function shades(axes: Axes, spans: readonly Span[], endMs: number): string[] {
  return spans.map(({ name, where, from, to }, at) => {
    const x = axes.x(Math.min(from, endMs));
    const width = Math.max(1.5, axes.x(Math.min(to, endMs)) - x);
    const top = TOP - 8 + (at % 3) * 9;
    return (
      `<g><title>${name} (${where}), ${(from / 1_000).toFixed(1)} s to ${(Math.min(to, endMs) / 1_000).toFixed(1)} s</title>` +
      `<rect x="${x.toFixed(1)}" y="${TOP}" width="${width.toFixed(1)}" height="${HEIGHT - BOTTOM - TOP}" fill="#f0a04b" fill-opacity="0.16"/>` +
      `<text x="${x.toFixed(1)}" y="${top}" class="fault">${name}</text></g>`
    );
  });
}
