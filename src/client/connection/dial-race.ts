import type { Clock, Timer } from '../../base/clock.ts';
import type { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import { DIAL_LAST_MS, DIAL_STAGGER_MS } from '../../base/limits.ts';
import { asTocsinError } from '../failures.ts';
import type { Connection } from './connection.ts';

/** What became of one address. `reason` undefined = no answer yet; its dial goes on. */
export interface Miss {
  readonly address: string;
  readonly reason: TocsinError | undefined;
}

export type RaceResult =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly misses: readonly Miss[] };

/**
 * The first connection that can be had. The addresses are tried in order, each next one when the one before failed, or
 * after a short while: one that accepts connections and says nothing holds up nobody.
 */
export function raceDials(
  addresses: readonly string[],
  dial: (address: string) => Promise<Connection>,
  clock: Clock,
): Promise<RaceResult> {
  return new Promise((resolve) => {
    const failed = new Map<string, TocsinError>();
    let tried = 0;
    let timer: Timer | undefined;
    let isOver = false;
    const end = (result: RaceResult): void => {
      isOver = true;
      timer?.cancel();
      resolve(result);
    };
    const lose = (): void => {
      const misses = addresses.map((address) => ({ address, reason: failed.get(address) }));
      end({ ok: false, misses });
    };
    const tryNext = (): void => {
      timer?.cancel();
      const address = addresses[tried];
      if (address === undefined) {
        lose();
        return;
      }
      tried += 1;
      timer = clock.after(
        tried === addresses.length ? millis(DIAL_LAST_MS) : millis(DIAL_STAGGER_MS),
        tryNext,
      );
      dial(address).then(
        (connection) => {
          if (!isOver) end({ ok: true, connection });
        },
        (error: unknown) => {
          if (isOver) return;
          failed.set(address, asTocsinError(error));
          if (failed.size === addresses.length) lose();
          else if (tried < addresses.length) tryNext();
        },
      );
    };
    tryNext();
  });
}
