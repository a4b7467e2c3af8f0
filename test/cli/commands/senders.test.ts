import { describe, expect, test } from 'vitest';
import { parseSendRule, sendersOf } from '../../../cli/commands/senders.ts';
import { anAlert } from './world.ts';

describe('how targets are reached', () => {
  test('is said by address, program or log, once for each kind', () => {
    const first = parseSendRule('webhook=https://pager.example/hook?a=b', undefined);
    const second = parseSendRule('user=command:/usr/local/bin/page', first);
    expect(parseSendRule('role=log', second)).toEqual([
      { kind: 'webhook', how: 'webhook', to: 'https://pager.example/hook?a=b' },
      { kind: 'user', how: 'command', to: '/usr/local/bin/page' },
      { kind: 'role', how: 'log', to: '' },
    ]);
  });

  test.each(['user', 'user=', '=log', 'user=ftp://x', 'User=log', 'user=command:'])(
    'is not said by %j',
    (text) => expect(() => parseSendRule(text, undefined)).toThrow('user=https://'),
  );

  test('the log takes a page as one line', async () => {
    const lines: string[] = [];
    const senders = await sendersOf(parseSendRule('role=log', undefined), (line) => {
      lines.push(line);
    });
    const page = { id: 'N1', target: 'role:charge', activation: 1, loop: 0, step: 0 };
    const signal = new AbortController().signal;
    const delivery = await senders.get('role')?.send({ ...page, alert: anAlert() }, signal);
    expect(delivery?.outcome).toBe('sent');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ notification: 'N1' }]);
  });
});
