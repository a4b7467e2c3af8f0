import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CommandSender } from '../../src/notify/command.ts';
import { LogSender } from '../../src/notify/log.ts';
import { WebhookSender } from '../../src/notify/webhook.ts';
import { pageOf } from './pages.ts';

const never = new AbortController().signal;
let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  if (server !== undefined) await once(server.close(), 'close');
  server = undefined;
});

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`;
}

describe('a webhook', () => {
  it('is posted the page as JSON, under the id of the notification', async () => {
    let got: unknown;
    const url = await serve((request, response) => {
      let text = '';
      request.on('data', (bytes) => {
        text += bytes;
      });
      request.on('end', () => {
        got = [request.method, request.headers['idempotency-key'], JSON.parse(text).alert];
        response.end();
      });
    });
    const sender = new WebhookSender({ url, headers: { authorization: 'Bearer x' } });
    expect(await sender.send(pageOf(), never)).toEqual({
      outcome: 'confirmed',
      detail: 'HTTP 200',
    });
    expect(got).toMatchObject([
      'POST',
      'N7',
      { id: 'A1', priority: 'high', state: 'ACTIVE_UNACK', text: 'Heart rate high' },
    ]);
  });

  it.each([
    [204, 'confirmed'],
    [202, 'sent'],
    [302, 'failed'],
    [404, 'failed'],
    [503, 'failed'],
  ] as const)('that answers %i has %s', async (status, outcome) => {
    const url = await serve((_, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end();
    });
    const delivery = await new WebhookSender({ url }).send(pageOf(), never);
    expect(delivery).toEqual({ outcome, detail: `HTTP ${status}` });
  });

  it('that says who was told is believed', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'delivered-to': 'anna' }).end();
    });
    const delivery = await new WebhookSender({ url }).send(pageOf(), never);
    expect(delivery).toEqual({ outcome: 'confirmed', detail: 'HTTP 200', to: 'anna' });
  });

  it('that nobody listens to has failed, and says why', async () => {
    const url = await serve(() => {});
    if (server !== undefined) await once(server.close(), 'close');
    server = undefined;
    const delivery = await new WebhookSender({ url }).send(pageOf(), never);
    expect(delivery).toEqual({ outcome: 'failed', detail: 'ECONNREFUSED' });
  });

  it('that does not answer in time may have got it', async () => {
    const giveUp = new AbortController();
    const url = await serve(() => giveUp.abort());
    const delivery = await new WebhookSender({ url }).send(pageOf(), giveUp.signal);
    expect(delivery.outcome).toBe('sent');
  });

  it.each(['not an address', 'file:///etc/passwd', 'ftp://host/'])(
    'at %s is refused when it is configured',
    (url) => {
      expect(() => new WebhookSender({ url })).toThrow(
        expect.objectContaining({ code: 'BAD_CONFIG' }),
      );
    },
  );
});

describe('a command', () => {
  const run = (script: string, text?: string): Promise<unknown> =>
    new CommandSender({ program: process.execPath, args: ['-e', script] }).send(
      pageOf(text),
      never,
    );

  it('is given the page on its standard input and confirms by ending well', async () => {
    const script = `let text = '';
      process.stdin.on('data', (bytes) => { text += bytes; });
      process.stdin.on('end', () => {
        process.stderr.write(JSON.parse(text).alert.text + ' ' + process.env.TOCSIN_NOTIFICATION);
      });`;
    expect(await run(script, '$(reboot); `reboot`')).toEqual({
      outcome: 'confirmed',
      detail: '$(reboot); `reboot` N7',
    });
  });

  it.each([
    ['exits with 75', 'process.exit(75)', { outcome: 'sent', detail: 'exit 75' }],
    ['exits with 1', 'process.exit(1)', { outcome: 'failed', detail: 'exit 1' }],
    [
      'complains at length',
      'console.error("x".repeat(1e6)); console.error("no carrier"); process.exitCode = 2',
      { outcome: 'failed', detail: 'no carrier' },
    ],
    [
      'is killed',
      'process.kill(process.pid, "SIGKILL")',
      { outcome: 'failed', detail: 'exit by a signal' },
    ],
  ])('that %s is reported so', async (_, script, delivery) => {
    expect(await run(script)).toEqual(delivery);
  });

  it('that is not there has failed', async () => {
    const delivery = await new CommandSender({ program: '/no/such/program' }).send(pageOf(), never);
    expect(delivery).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('ENOENT'),
    });
  });

  it('that goes on and on is ended', async () => {
    const giveUp = new AbortController();
    const args = ['-e', 'setInterval(() => {}, 1e6)'];
    const sending = new CommandSender({ program: process.execPath, args }).send(
      pageOf(),
      giveUp.signal,
    );
    giveUp.abort();
    expect((await sending).outcome).toBe('sent');
  });
});

it('a log line holds the page and confirms nothing', async () => {
  const lines: string[] = [];
  const delivery = await new LogSender((line) => lines.push(line)).send(pageOf());
  expect(delivery.outcome).toBe('sent');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ notification: 'N7', alert: { id: 'A1' } });
});
