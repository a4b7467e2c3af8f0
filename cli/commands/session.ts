import type { TocsinError } from '../../src/base/errors.ts';
import type { ReadOptions } from '../../src/statemachine/alert-api.ts';
import { isForPeople } from '../output/formats.ts';
import { type Paint, paintFor, plain } from '../output/paint.ts';
import { type Report, renderReport } from '../output/report.ts';
import type { TableOptions } from '../output/table.ts';
import { Exit, withHint } from './failure.ts';
import type { Io, OperatorClient } from './io.ts';
import {
  type ClientFlags,
  consistencyOf,
  ENDPOINT_DEFAULT,
  type OutputFlags,
  type ReadFlags,
} from './options.ts';

/** Status of a command that was interrupted (128 + SIGINT). */
export const INTERRUPTED = 130;

/** How tables are to look: the width is that of the terminal, or COLUMNS, or none. */
export function tableOptions(io: Io, flags: OutputFlags): TableOptions {
  const { isTTY, columns } = io.stdout;
  const wished = Number(io.env['COLUMNS']);
  const isWished = Number.isSafeInteger(wished) && wished > 0;
  const paint: Paint = isForPeople(flags.output)
    ? paintFor({ isTTY, color: flags.color, env: io.env })
    : plain;
  const isWide = flags.output === 'wide';
  return { width: columns ?? (isWished ? wished : undefined), paint, isWide };
}

/** Writes the answer of a command in the form that was asked for. */
export async function report(io: Io, flags: OutputFlags, answer: Report): Promise<void> {
  io.stdout.write(await renderReport(answer, flags.output, tableOptions(io, flags)));
}

export const endpointsOf = ({ endpoints }: Pick<ClientFlags, 'endpoints'>): readonly string[] =>
  endpoints ?? [ENDPOINT_DEFAULT];

export const actorOf = (io: Io, { actor }: ClientFlags): string => actor ?? io.loginName();

/** What a task may rely on while it runs. */
export interface Session {
  readonly client: OperatorClient;
  readonly endpoints: readonly string[];
  readonly actor: string;
  readonly timeoutMs: number;
  /** Aborted at the first Ctrl-C: what is under way ends and says what became of it. */
  readonly signal: AbortSignal;
}

/** How long a read may take, and how fresh its answer has to be. */
export const readOptionsOf = (
  { timeoutMs, signal }: Pick<Session, 'timeoutMs' | 'signal'>,
  flags: ReadFlags,
): ReadOptions => ({ timeoutMs, signal, consistency: consistencyOf(flags) });

/**
 * Runs `task` with a client, which is closed afterwards. At the first Ctrl-C `signal` is aborted; the second one does
 * not wait for anything. @throws what the task threw, with a hint
 */
export async function withClient(
  io: Io,
  flags: ClientFlags,
  task: (session: Session) => Promise<void>,
): Promise<void> {
  const endpoints = endpointsOf(flags);
  const actor = actorOf(io, flags);
  const interrupt = new AbortController();
  const patience = watchInterrupts(io, (count) => {
    if (count === 1) interrupt.abort();
    return count > 1;
  });
  const { signal } = interrupt;
  const timeoutMs = flags.timeout;
  const work = async (): Promise<void> => {
    const client = await io.services.connect({ endpoints, name: actor, timeoutMs, signal });
    try {
      await task({ client, endpoints, actor, timeoutMs, signal });
    } finally {
      await client.close();
    }
  };
  try {
    await Promise.race([work(), patience.isOver]);
  } catch (error) {
    throw withHint(error, (known) => hintOf(known, endpoints));
  } finally {
    patience.dispose();
  }
}

export interface Patience {
  /** Rejects with status 130 when `onInterrupt` answered true. Never resolves. */
  readonly isOver: Promise<never>;
  dispose(): void;
}

/** `onInterrupt` gets the number of interrupts so far, and answers whether to leave at once. */
export function watchInterrupts(io: Io, onInterrupt: (count: number) => boolean): Patience {
  let count = 0;
  let leave: (reason: Exit) => void = () => {};
  const isOver = new Promise<never>((_resolve, reject) => {
    leave = reject;
  });
  isOver.catch(() => {}); // Whoever races has seen it; nobody else has to.
  const dispose = io.onInterrupt(() => {
    count += 1;
    if (onInterrupt(count)) leave(new Exit(INTERRUPTED));
  });
  return { isOver, dispose };
}

function hintOf(error: TocsinError, endpoints: readonly string[]): string | undefined {
  switch (error.code) {
    case 'UNAVAILABLE':
    case 'CONNECTION_LOST':
    case 'HANDSHAKE_TIMEOUT':
    case 'DEADLINE_EXCEEDED':
      return [
        ...(endpoints.every((one) => error.message.includes(one))
          ? []
          : [`asked: ${endpoints.join(', ')}`]),
        '--endpoints, --context or TOCSIN_ENDPOINTS names others; tocsin explain says why',
      ].join('\n');
    case 'NOT_LEADER':
      return error.leader === undefined ? undefined : `the leader is at ${error.leader}`;
    case 'OVERLOADED':
      return 'nothing was written; try again after a pause';
    case 'REVISION_MISMATCH':
    case 'ACTIVATION_MISMATCH':
      return 'it has changed meanwhile: look at it again with tocsin alert get';
    case 'ALERT_NOT_FOUND':
      return 'tocsin alert list shows what is open, with --all what is resolved too';
    case 'KEY_REUSED':
      return 'a repetition may differ from the first in --observed-at alone; the actor counts too';
    default:
      return undefined;
  }
}
