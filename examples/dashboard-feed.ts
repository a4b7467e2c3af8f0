import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AlertApi, revision, type WatchMessage } from '../src/client/index.ts';

/**
 * A feed for pages in a browser: the alert history as server-sent events. The id of each is its revision, so a browser
 * that comes back says where it was (Last-Event-ID) and misses nothing.
 *
 *     await using alerts = await connect({ endpoints, name: 'dashboard' });
 *     dashboardFeed(alerts).listen(8080);
 *
 * and in the page: new EventSource('/alerts').addEventListener('alert', ({ data }) => show(JSON.parse(data)))
 */
export const dashboardFeed = (alerts: Pick<AlertApi, 'watch'>): Server =>
  createServer((request, response) => {
    if (request.url !== '/alerts') {
      response.writeHead(404).end();
      return;
    }
    feed(alerts, request, response).catch((error: unknown) => response.destroy(error as Error));
  });

async function feed(
  alerts: Pick<AlertApi, 'watch'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const last = Number(request.headers['last-event-id'] ?? 0);
  const from = revision(Number.isSafeInteger(last) && last >= 0 ? last + 1 : 1);
  for await (const message of alerts.watch({ from, signal: gone.signal })) {
    // A browser that does not read holds back this watch, and nothing else.
    if (!response.write(textOf(message))) await drained(response, gone.signal);
  }
  response.end();
}

function textOf(message: WatchMessage): string {
  switch (message.type) {
    case 'event': {
      const { revision: id, effect, alert } = message.event;
      return `id: ${id}\nevent: alert\ndata: ${JSON.stringify({ effect, alert })}\n\n`;
    }
    case 'progress':
      // A sign of life: a page that hears none for some seconds has to say that it may be out of date.
      return `id: ${message.revision}\nevent: progress\ndata: {}\n\n`;
    case 'compacted':
      return `id: ${message.revision}\nevent: state\ndata: ${JSON.stringify(message.alerts)}\n\n`;
  }
}

const drained = (response: ServerResponse, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
