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
  /** Where lines go when there is no bar. */
  readonly write: (text: string) => void;
}

const TENTHS = 10;

export async function showProgress(options: ProgressOptions): Promise<Progress> {
  return options.isTTY ? await barOf(options) : linesOf(options);
}

async function barOf({ total }: ProgressOptions): Promise<Progress> {
  const { default: progress } = await import('cli-progress');
  // Only the kind for several bars can write lines above them.
  const bars = new progress.MultiBar({
    format: 'rows {bar} {value}/{total}  {percentage} %  {duration_formatted}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is the command's own, which ends the bar too.
    gracefulExit: false,
    stream: process.stderr,
  });
  const bar = bars.create(total, 0);
  return {
    rows: (played) => bar.update(played),
    say: (line) => bars.log(`${line}\n`),
    end: () => bars.stop(),
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
