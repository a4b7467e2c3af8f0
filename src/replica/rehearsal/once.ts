import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../../base/clock.ts';
import { rehearse } from './rehearse.ts';
import { rehearseSockets } from './sockets.ts';

let rehearsed: Promise<void> | undefined;

/** Once for the process: what is compiled then stays. Without it the first requests take longer, which is no reason not to start. */
export function rehearseOnce(clock: Clock, log: (line: string) => void): Promise<void> {
  // V8 drops the bytecode of what did not run through a few collections: the first failover after a quiet night would compile anew.
  setFlagsFromString('--no-flush-bytecode');
  rehearsed ??= rehearse(clock)
    .then(rehearseSockets)
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      log(`the rehearsal failed, and the start goes on without: ${why}`);
    });
  return rehearsed;
}
