import type { SingleBar } from 'cli-progress';

/** Tells a person how far it is. */
export interface Progress {
  rows(played: number): void;
  /** A line of its own. */
  say(line: string): void;
  end(): void;
}

export interface ProgressOptions {
  readonly total: number;
  /** A bar, on a terminal; otherwise lines. */
  readonly isTTY: boolean;
  /** Where lines go. */
  readonly write: (text: string) => void;
}

const TENTHS = 10;

export async function showProgress(options: ProgressOptions): Promise<Progress> {
  return options.isTTY ? await barOf(options) : linesOf(options);
}

async function barOf({ total, write }: ProgressOptions): Promise<Progress> {
  const { default: progress } = await import('cli-progress');
  const bar: SingleBar = new progress.SingleBar({
    format: 'rows {bar} {value}/{total}  {percentage} %  {duration_formatted}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: true,
    stream: process.stderr,
  });
  bar.start(total, 0);
  return {
    rows: (played) => bar.update(played),
    say: (line) => {
      // The bar is drawn again below the line.
      write(`\r\x1b[K${line}\n`);
      bar.render();
    },
    end: () => bar.stop(),
  };
}

function linesOf({ total, write }: ProgressOptions): Progress {
  let told = 0;
  return {
    rows: (played) => {
      const tenths = Math.floor((played * TENTHS) / total);
      if (tenths === told) return;
      told = tenths;
      write(`${played} of ${total} rows\n`);
    },
    say: (line) => write(`${line}\n`),
    end: () => {},
  };
}
