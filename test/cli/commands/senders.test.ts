import { describe, expect, test } from 'vitest';
import { parseSendRule, sendersOf } from '../../../cli/commands/senders.ts';
import { isPrintable } from '../../../cli/output/escape.ts';
import { WebhookSender } from '../../../src/notify/webhook.ts';
import type { ServeOptions } from '../../../src/replica/start.ts';
import { pageOf } from '../../notify/pages.ts';
import { anAlert, World } from './world.ts';

const NO_FILES = { read: () => Promise.resolve(undefined) };

/** A file of this content, as the only one. */
const filesWith = (text: string) => ({ read: () => Promise.resolve(text) });

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

  test.each([
    'user=https://pager:hunter2@example.org/hook',
    'user=https://pager.example/hook?token=hunter2',
    'user=https://pager.example/hook?a=b&api_key=hunter2',
  ])('a secret is not taken from a flag: %s', (text) => {
    expect(() => parseSendRule(text, undefined)).toThrow('user=file:/path');
    expect(() => parseSendRule(text, undefined)).not.toThrow('hunter2');
  });

  test('a secret address is read from a file', async () => {
    const rules = parseSendRule('user=file:/run/secrets/pager', undefined);
    const files = filesWith('https://pager:hunter2@example.org/hook\n');
    const senders = await sendersOf(rules, () => {}, files);
    expect(senders.get('user')).toBeInstanceOf(WebhookSender);
  });

  test.each(['', 'hunter2', 'https://hunter2 /', 'log\nhunter2', 'file:/hunter2'])(
    'a file that says %j is refused without being shown',
    async (text) => {
      const rules = parseSendRule('user=file:/run/secrets/pager', undefined);
      const refused = sendersOf(rules, () => {}, filesWith(text));
      await expect(refused).rejects.toMatchObject({ code: 'BAD_CONFIG' });
      await expect(refused).rejects.toThrow('/run/secrets/pager');
      await expect(refused).rejects.not.toThrow('hunter2');
    },
  );

  test('a file that is not there is named', async () => {
    const rules = parseSendRule('user=file:/nowhere', undefined);
    await expect(sendersOf(rules, () => {}, NO_FILES)).rejects.toThrow('/nowhere is not there');
  });

  test('the log takes a page as one line', async () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const senders = await sendersOf(parseSendRule('role=log', undefined), write, NO_FILES);
    const page = { id: 'N1', target: 'role:charge', activation: 1, loop: 0, step: 0 };
    const signal = new AbortController().signal;
    const delivery = await senders.get('role')?.send({ ...page, alert: anAlert() }, signal);
    expect(delivery?.outcome).toBe('sent');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ notification: 'N1' }]);
  });
});

test.each([false, true])(
  'a served replica writes pages as lines of JSON and nothing else, and the time before other lines: journal %s',
  async (isJournaled) => {
    // Also where a terminal must not be given what they hold.
    const texts = ['Heart rate\nhigh', 'Herz\u00adfrequenz \u202ehigh\u202c'];
    const world = new World({ isJournaled });
    const running = world.run('serve', '--data', './r1', '--send', 'role=log');
    await expect.poll(() => world.stdout.text).toContain('listens on');
    const [options] = world.calls.find(({ method }) => method === 'startReplica')?.args ?? [];
    const { senders, log } = options as ServeOptions;
    for (const text of texts)
      await senders?.get('role')?.send(pageOf(text), new AbortController().signal);
    log?.('an election');
    world.interrupt();
    expect((await running).status).toBe(0);
    const [first, second, other, ...more] = world.stderr.text.split('\n');
    expect([first, second].map((line) => JSON.parse(line ?? '').alert.text)).toEqual(texts);
    expect(isPrintable(`${first}${second}`)).toBe(true);
    expect(other).toBe(isJournaled ? 'an election' : '2026-03-01T03:04:05.000Z an election');
    expect(more).toEqual(['']);
  },
);
