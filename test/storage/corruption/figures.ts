import type { Judge, Verdict } from './verdicts.ts';

/** How often each verdict was given on one kind of file. */
export interface Figure {
  readonly kind: string;
  bytes: number;
  readonly flips: Record<Verdict, number>;
  readonly cuts: Record<Verdict, number>;
  seconds: number;
}

const none = (): Record<Verdict, number> => ({ detected: 0, harmless: 0, opened: 0, SILENT: 0 });

/** A damage that only an open folder can judge. */
export interface Undecided {
  readonly name: string;
  readonly damaged: Buffer;
  readonly what: string;
}

export class Figures {
  readonly all: Map<string, Figure> = new Map();
  readonly undecided: Undecided[] = [];
  /** The first few that nobody noticed. */
  readonly silent: string[] = [];

  /** Every `stride`-th bit of the file flipped, every `stride`-th place to cut it. */
  take(kind: string, name: string, whole: Buffer, judge: Judge, stride: number): void {
    const figure = this.#figureOf(kind);
    figure.bytes += whole.length;
    const began = performance.now();
    const bytes = Buffer.from(whole);
    for (let bit = 0; bit < bytes.length * 8; bit += stride) {
      const at = bit >> 3;
      const mask = 1 << (bit & 7);
      bytes[at] = (bytes[at] as number) ^ mask;
      this.#count(figure.flips, judge.flipped(bytes, at), name, `bit ${bit}`, () =>
        Buffer.from(bytes),
      );
      bytes[at] = (bytes[at] as number) ^ mask;
    }
    for (let length = 0; length <= whole.length; length += stride)
      this.#count(figure.cuts, judge.cut(bytes, length), name, `cut at ${length}`, () =>
        Buffer.from(whole.subarray(0, length)),
      );
    figure.seconds += (performance.now() - began) / 1000;
  }

  /** A case of `take` that was opened: what came of it. */
  decide({ what }: Undecided, kind: string, verdict: Verdict): void {
    const figure = this.#figureOf(kind);
    const counts = what.startsWith('bit') ? figure.flips : figure.cuts;
    counts.opened -= 1;
    counts[verdict] += 1;
  }

  /** For people. */
  table(): string {
    const head = [
      '',
      'bytes',
      'flips',
      'detected',
      'harmless',
      'SILENT',
      'cuts',
      'detected',
      'harmless',
      'SILENT',
      's',
    ];
    const rows = [...this.all.values()].map(({ kind, bytes, flips, cuts, seconds }) => [
      kind,
      ...[bytes, sum(flips), flips.detected, flips.harmless, flips.SILENT].map(String),
      ...[sum(cuts), cuts.detected, cuts.harmless, cuts.SILENT].map(String),
      seconds.toFixed(1),
    ]);
    const widths = head.map((title, i) =>
      Math.max(title.length, ...rows.map((row) => row[i]!.length)),
    );
    return [head, ...rows]
      .map((row) =>
        row
          .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
          .join('  '),
      )
      .join('\n');
  }

  #figureOf(kind: string): Figure {
    const figure = this.all.get(kind) ?? {
      kind,
      bytes: 0,
      flips: none(),
      cuts: none(),
      seconds: 0,
    };
    this.all.set(kind, figure);
    return figure;
  }

  #count(
    counts: Record<Verdict, number>,
    verdict: Verdict,
    name: string,
    what: string,
    damaged: () => Buffer,
  ): void {
    counts[verdict] += 1;
    if (verdict === 'opened') this.undecided.push({ name, what, damaged: damaged() });
    if (verdict === 'SILENT' && this.silent.length < 20) this.silent.push(`${name}: ${what}`);
  }
}

const sum = (counts: Record<Verdict, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
