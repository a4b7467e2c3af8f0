import { InvalidArgumentError } from 'commander';
import type { Sender } from '../../src/notify/types.ts';

/** How targets of one kind are reached. */
export interface SendRule {
  /** `webhook` in `webhook:pager`. */
  readonly kind: string;
  readonly how: 'webhook' | 'command' | 'log';
  /** Address or program. */
  readonly to: string;
}

/** `webhook=https://pager.example/hook`, `user=command:/usr/local/bin/page`, `role=log`. */
export function parseSendRule(
  text: string,
  before: readonly SendRule[] | undefined,
): readonly SendRule[] {
  const [, kind, how = ''] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
  const rule = kind === undefined ? undefined : ruleOf(kind, how);
  if (rule === undefined)
    throw new InvalidArgumentError(
      'It must be a kind of target and how it is reached: user=https://…, user=command:/path or user=log.',
    );
  return [...(before ?? []), rule];
}

function ruleOf(kind: string, how: string): SendRule | undefined {
  if (how === 'log') return { kind, how, to: '' };
  if (/^https?:\/\//.test(how)) return { kind, how: 'webhook', to: how };
  const [, program] = /^command:(.+)$/s.exec(how) ?? [];
  return program === undefined ? undefined : { kind, how: 'command', to: program };
}

/** The senders of these rules, by kind. @throws TocsinError BAD_CONFIG */
export async function sendersOf(
  rules: readonly SendRule[],
  write: (line: string) => void,
): Promise<ReadonlyMap<string, Sender>> {
  const senders = new Map<string, Sender>();
  for (const { kind, how, to } of rules) senders.set(kind, await senderOf(how, to, write));
  return senders;
}

async function senderOf(
  how: SendRule['how'],
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
