import type { Output } from '../commands/io.ts';
import type { Terminal } from './live-screen.ts';

const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;
/** 128 + the number of the signal, as shells have it. */
const STATUS_OF: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 129, SIGQUIT: 131 };

/** The terminal of this process. */
export function processTerminal(output: Output): Terminal {
  const { stdout } = process;
  return {
    size: () => ({
      columns: stdout.columns || COLUMNS_DEFAULT,
      rows: stdout.rows || ROWS_DEFAULT,
    }),
    write: (text) => output.write(text),
    flush: () => output.flush(),
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
    onLeave: watchLeaving,
  };
}

function watchLeaving(restore: () => void, redraw: () => void): () => void {
  const onStop = (): void => {
    restore();
    // Stops for good this time: SIGSTOP cannot be listened to.
    process.kill(process.pid, 'SIGSTOP');
  };
  const onEnd = (signal: NodeJS.Signals): void => process.exit(STATUS_OF[signal] ?? 1);
  process.on('exit', restore).on('SIGTSTP', onStop).on('SIGCONT', redraw);
  process.on('SIGHUP', onEnd).on('SIGQUIT', onEnd);
  return () => {
    process.off('exit', restore).off('SIGTSTP', onStop).off('SIGCONT', redraw);
    process.off('SIGHUP', onEnd).off('SIGQUIT', onEnd);
  };
}
