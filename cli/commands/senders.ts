import { InvalidArgumentError } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import type { Sender } from '../../src/notify/types.ts';
import type { Files } from './io.ts';

/** How targets of one kind are reached. */
export interface SendRule {
  /** `webhook` in `webhook:pager`. */
  readonly kind: string;
  readonly how: 'webhook' | 'command' | 'log' | 'file';
  /** Address, program, or a file whose first line says how: for addresses that are secrets. */
  readonly to: string;
}

/** `webhook=https://pager.example/hook`, `user=command:/usr/local/bin/page`, `unit=file:/run/secrets/pager`, `role=log`. */
export function parseSendRule(
  text: string,
  before: readonly SendRule[] | undefined,
): readonly SendRule[] {
  const [, kind, how = ''] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
  const rule = kind === undefined ? undefined : ruleOf(kind, how);
  if (rule === undefined)
    throw new InvalidArgumentError(`It must be a kind of target and how it is reached: ${HOW}.`);
  if (rule.how === 'webhook' && holdsSecret(rule.to))
    throw new InvalidArgumentError(
      `Everybody on this machine can read the flags of a process: put the address into a file and give ${kind}=file:/path.`,
    );
  return [...(before ?? []), rule];
}

const HOW = 'user=https://…, user=command:/path, user=file:/path or user=log';

/** A name and a password in an address, or what services call their keys. */
const holdsSecret = (address: string): boolean =>
  /^https?:\/\/[^/?#]*@/.test(address) ||
  /[?&](?:[a-z_-]*(?:token|secret|password|key))=[^&]/i.test(address);

function ruleOf(kind: string, how: string): SendRule | undefined {
  if (how === 'log') return { kind, how, to: '' };
  if (/^https?:\/\//.test(how)) return { kind, how: 'webhook', to: how };
  const [, scheme, path = ''] = /^(command|file):(.+)$/s.exec(how) ?? [];
  return scheme === 'command' || scheme === 'file' ? { kind, how: scheme, to: path } : undefined;
}

/** The senders of these rules, by kind. @throws TocsinError BAD_CONFIG */
export async function sendersOf(
  rules: readonly SendRule[],
  write: (line: string) => void,
  files: Pick<Files, 'read'>,
): Promise<ReadonlyMap<string, Sender>> {
  const senders = new Map<string, Sender>();
  for (const { kind, how, to } of rules)
    senders.set(
      kind,
      how === 'file' ? await senderIn(to, write, files) : await senderOf(how, to, write),
    );
  return senders;
}

/** What a file says: its content is never shown, not even when it is wrong. */
async function senderIn(
  path: string,
  write: (line: string) => void,
  files: Pick<Files, 'read'>,
): Promise<Sender> {
  const text = await files.read(path);
  if (text === undefined) throw new TocsinError('BAD_CONFIG', `${path} is not there`);
  const line = text.trim();
  const { how, to } = ruleOf('', line) ?? { how: 'file', to: '' };
  const isAddress = how !== 'webhook' || URL.canParse(to);
  if (how === 'file' || line.includes('\n') || !isAddress)
    throw new TocsinError(
      'BAD_CONFIG',
      `${path}: its one line must say how targets are reached: https://…, command:/path or log`,
    );
  return senderOf(how, to, write);
}

async function senderOf(
  how: Exclude<SendRule['how'], 'file'>,
  to: string,
  write: (line: string) => void,
): Promise<Sender> {
  switch (how) {
    case 'webhook':
      return new (await import('../../src/notify/webhook.ts')).WebhookSender({ url: to });
    case 'command':
      return new (await import('../../src/notify/command.ts')).CommandSender({ program: to });
    case 'log':
      return new (await import('../../src/notify/log.ts')).LogSender(write);
  }
}
