import type { Span } from '../nemeses/nemesis.ts';

/** Drawing in SVG, on one axis of time that all plots of a report share. */

const WIDTH = 1_160;
const LEFT = 118;
const RIGHT = 8;
const TOP = 6;
const BOTTOM = 22;
const TICKS = 14;

export const RED = '#cc3340';

export const escaped = (text: unknown): string =>
  String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

export const secondsOf = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** A panel `height` high, over the time of a run. */
export class Panel {
  readonly height: number;
  readonly #endMs: number;
  readonly #parts: string[] = [];

  constructor(height: number, endMs: number) {
    this.height = height;
    this.#endMs = endMs;
  }

  get #floor(): number {
    return this.height - BOTTOM;
  }

  x(at: number): string {
    const share = Math.min(Math.max(at, 0), this.#endMs) / this.#endMs;
    return (LEFT + share * (WIDTH - LEFT - RIGHT)).toFixed(1);
  }

  /** From 0, at the bottom, to 1. */
  y(share: number): string {
    return (this.#floor - share * (this.#floor - TOP)).toFixed(1);
  }

  add(...parts: readonly string[]): void {
    this.#parts.push(...parts);
  }

  /** A line across, with what it stands for. */
  grid(share: number, label: string): void {
    const y = this.y(share);
    this.add(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#dde1e7" stroke-width="0.7"/>`,
      `<text x="${LEFT - 6}" y="${Number(y) + 4}" text-anchor="end" class="tick">${label}</text>`,
    );
  }

  /** A bar from one moment to another, `top` below the top of the panel. */
  bar(from: number, to: number, place: Bar): void {
    const x = this.x(from);
    const width = Math.max(1.5, Number(this.x(to)) - Number(x)).toFixed(1);
    const { top, height, fill, title, text = '' } = place;
    const label =
      text === '' || Number(width) < 8 + 6 * text.length
        ? ''
        : `<text x="${Number(x) + 4}" y="${top + height / 2 + 4}" class="label">${escaped(text)}</text>`;
    this.add(
      `<g><title>${escaped(title)}</title><rect x="${x}" y="${top}" width="${width}" height="${height}" rx="2" fill="${fill}"/>${label}</g>`,
    );
  }

  name(top: number, text: string): void {
    this.add(
      `<text x="${LEFT - 6}" y="${top}" text-anchor="end" class="tick">${escaped(text)}</text>`,
    );
  }

  /** Bands over the time of each fault; where several overlap it is darker. */
  shade(spans: readonly Span[]): void {
    for (const { name, where, from, to } of spans) {
      const x = Number(this.x(from));
      const width = Math.max(1, Number(this.x(to)) - x).toFixed(1);
      const title = `${name} (${where}), ${secondsOf(from)} to ${secondsOf(Math.min(to, this.#endMs))}`;
      this.add(
        `<rect x="${x}" y="${TOP}" width="${width}" height="${this.#floor - TOP}" fill="#f0a04b" fill-opacity="0.13"><title>${escaped(title)}</title></rect>`,
      );
    }
  }

  /** A red line at each moment, with what was found there. */
  mark(marks: readonly Mark[]): void {
    for (const { at, title } of marks) {
      const x = this.x(at);
      this.add(
        `<g><title>${escaped(title)}</title><line x1="${x}" x2="${x}" y1="${TOP}" y2="${this.#floor}" stroke="${RED}" stroke-width="1.3"/>`,
        `<path d="M${x} ${TOP + 7}l-4 -7h8z" fill="${RED}"/></g>`,
      );
    }
  }

  toString(): string {
    const step = Math.max(1, Math.ceil(this.#endMs / 1_000 / TICKS));
    const count = Math.floor(this.#endMs / 1_000 / step) + 1;
    const ticks = Array.from({ length: count }, (_, at) => {
      const x = this.x(at * step * 1_000);
      return `<text x="${x}" y="${this.height - 6}" text-anchor="middle" class="tick">${at * step} s</text>`;
    });
    return `<svg viewBox="0 0 ${WIDTH} ${this.height}" width="100%" role="img">${[...this.#parts, ...ticks].join('')}</svg>`;
  }
}

interface Bar {
  readonly top: number;
  readonly height: number;
  readonly fill: string;
  readonly title: string;
  /** Written on it where there is room. */
  readonly text?: string;
}

/** A moment at which something is wrong. */
export interface Mark {
  readonly at: number;
  readonly title: string;
}
