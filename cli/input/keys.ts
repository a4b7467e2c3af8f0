const INTERRUPT = '\u0003';
const STOP = '\u001a';

/**
 * Calls `listener` with each character that is typed at the terminal of this process, at once and without an echo, until
 * the function it returns is called. Ctrl-C and Ctrl-Z do what they always do.
 */
export function onKeys(listener: (key: string) => void): () => void {
  const { stdin } = process;
  const take = (bytes: Buffer): void => {
    for (const key of bytes.toString()) {
      if (key === INTERRUPT) process.kill(process.pid, 'SIGINT');
      else if (key === STOP) {
        // The shell that comes to the front wants its lines back.
        stdin.setRawMode(false);
        process.kill(process.pid, 'SIGTSTP');
      } else listener(key);
    }
  };
  const goOn = (): void => void stdin.setRawMode(true);
  stdin.setRawMode(true);
  stdin.on('data', take).resume();
  process.on('SIGCONT', goOn);
  return () => {
    process.off('SIGCONT', goOn);
    stdin.off('data', take).pause();
    stdin.setRawMode(false);
  };
}
