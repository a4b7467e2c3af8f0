import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../base/clock.ts';
import type { Code, TocsinError } from '../base/errors.ts';
import { asTocsinError } from './failures.ts';

/** What instruments are told of each call, when it has ended: on the channel `tocsin:client:call`. */
export interface CallEvent {
  /** As callers gave it. */
  readonly client: string;
  /** `raise`, `get`, `list`… */
  readonly call: string;
  /** From the call to its end, in milliseconds. */
  readonly ms: number;
  /** Undefined = it was answered. */
  readonly code: Code | undefined;
  /** Of a call that failed. */
  readonly outcome: TocsinError['outcome'] | undefined;
}

const CHANNEL = channel('tocsin:client:call');

/** Publishes how a call ends, if anybody listens: whoever does not pays one comparison. */
export function observed<T>(
  client: string,
  call: string,
  clock: Clock,
  promise: Promise<T>,
): Promise<T> {
  if (!CHANNEL.hasSubscribers) return promise;
  const started = clock.monotonic();
  const publish = (ended: Pick<CallEvent, 'code' | 'outcome'>): void => {
    const event: CallEvent = { client, call, ms: clock.monotonic() - started, ...ended };
    CHANNEL.publish(event);
  };
  promise.then(
    () => publish({ code: undefined, outcome: undefined }),
    (error: unknown) => {
      const { code, outcome } = asTocsinError(error);
      publish({ code, outcome });
    },
  );
  return promise;
}
