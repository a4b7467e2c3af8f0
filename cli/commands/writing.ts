import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { TocsinError } from '../../src/base/errors.ts';
import { type Revision, revision, type UnixMillis, unixMillis } from '../../src/base/ids.ts';
import { SECONDS_MAX } from '../../src/base/limits.ts';
import type { WriteOptions } from '../../src/statemachine/alert-api.ts';
import {
  type AlertRef,
  type Done,
  type Fulfilled,
  isDone,
  type Kept,
} from '../../src/statemachine/types.ts';
import { renderDone } from '../output/alerts.ts';
import { printable } from '../output/escape.ts';
import { withHint } from './failure.ts';
import type { Io, OperatorClient } from './io.ts';
import { withIdMeant } from './not-found.ts';
import { addClientOptions, type ClientFlags } from './options.ts';
import { report, withClient } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import { parseInstant, parseText, whole } from './values.ts';

/** What the commands that write have in common. */

export interface WriteFlags extends ClientFlags {
  readonly idempotencyKey?: string;
  readonly observedAt?: number;
  readonly expectedRevision?: number;
}

/** What every command carries. */
export interface Said {
  readonly actor: string;
  readonly observedAt?: UnixMillis;
}

/** What a command about an alert carries. */
export interface Given extends Said {
  readonly expectedRevision?: Revision;
}

/** The flags of a command about a record beside the alerts. */
export const addRecordOptions = (command: Command): Command =>
  addClientOptions(command, '10s')
    .option(
      '--observed-at <time>',
      'when it was seen: 2026-03-01T03:04:05Z, or milliseconds (default: now)',
      parseInstant,
    )
    .option(
      '--idempotency-key <key>',
      'the same command under the same key is done once',
      parseText,
    );

/** The flags of a command about an alert. */
export const addWriteOptions = (command: Command): Command =>
  addRecordOptions(command).option(
    '--expected-revision <number>',
    'refuse unless the alert is at this revision (0: not open)',
    whole(0),
  );

/**
 * Sends one command about an alert. The key is settled here, not in the client, so that whoever reads that its
 * outcome is unknown can repeat it.
 */
export async function write(
  io: Io,
  flags: WriteFlags,
  send: (client: OperatorClient, given: Given, options: WriteOptions) => Promise<Done>,
): Promise<void> {
  const { expectedRevision: expected } = flags;
  const guard = expected === undefined ? {} : { expectedRevision: revision(expected) };
  await submit(io, flags, (client, said, options) => send(client, { ...said, ...guard }, options));
}

/** The same of a command about an alert that is there. */
export async function writeTo(
  target: AlertRef,
  io: Io,
  flags: WriteFlags,
  send: (client: OperatorClient, given: Given, options: WriteOptions) => Promise<Done>,
): Promise<void> {
  await write(io, flags, async (client, given, options) => {
    try {
      return await send(client, given, options);
    } catch (error) {
      throw withIdMeant(error, target);
    }
  });
}

/** Adds to a refusal that asks for more what to pass. */
export async function confirmable<T>(sent: Promise<T>, hint: string | undefined): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    throw withHint(error, ({ code }) => (code === 'CONFIRMATION_REQUIRED' ? hint : undefined));
  }
}

/** The hint where a reason is what lacks. */
export const ADD_REASON = 'add --reason <text>: it is kept in the history';

/** The same of a command about a record beside the alerts. */
export async function keep(
  io: Io,
  flags: WriteFlags,
  send: (client: OperatorClient, said: Said, options: WriteOptions) => Promise<Kept>,
  textOf: (kept: Kept) => string = renderKept,
): Promise<void> {
  await submit(io, flags, send, { textOf, hintOf: hintOfRecord });
}

/** Records have versions, alerts revisions: who is told of another version is not sent to an alert. */
const hintOfRecord = ({ code }: TocsinError): string | undefined =>
  code === 'REVISION_MISMATCH' ? 'it has changed meanwhile: look at it again' : undefined;

interface Words {
  readonly textOf: (kept: Kept) => string;
  readonly hintOf: (error: TocsinError) => string | undefined;
}

async function submit(
  io: Io,
  flags: WriteFlags,
  send: (client: OperatorClient, said: Said, options: WriteOptions) => Promise<Fulfilled>,
  { textOf, hintOf }: Words = ABOUT_ALERTS,
): Promise<void> {
  const idempotencyKey = flags.idempotencyKey ?? randomBytes(16).toString('hex');
  const { observedAt } = flags;
  await withClient(io, flags, async ({ client, actor, timeoutMs, signal }) => {
    const said: Said = {
      actor,
      ...(observedAt === undefined ? {} : { observedAt: unixMillis(observedAt) }),
    };
    try {
      const reply = await send(client, said, { idempotencyKey, timeoutMs, signal });
      const text = isDone(reply) ? renderDone(reply) : textOf(reply);
      await report(io, flags, { value: reply, text: () => text });
    } catch (error) {
      throw withHint(error, (known) => repeatHint(known, idempotencyKey) ?? hintOf(known));
    }
  });
}

const renderKept = ({ id, effect, version }: Kept): string =>
  `${printable(id)} ${effect}: version ${version}\n`;

/** What there is to say of their errors is said for all commands. */
const ABOUT_ALERTS: Words = { textOf: renderKept, hintOf: () => undefined };

function repeatHint({ outcome }: TocsinError, idempotencyKey: string): string | undefined {
  if (outcome !== 'unknown') return undefined;
  const flag = `--idempotency-key ${shellQuote(idempotencyKey)}`;
  return `repeating it is safe with this flag added: ${flag}`;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** `30s`, `10m`, `8h` as seconds: policies, silences and leases count in them. */
export function parseSeconds(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const seconds = Number(amount) * (SECONDS[unit] ?? 0);
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw new InvalidArgumentError('It must be a duration from 1s to 24h, such as 30s, 10m or 8h.');
}
