import { TocsinError } from '../base/errors.ts';
import { bodyOf } from './body.ts';
import type { Delivery, Page, Sender } from './types.ts';

export interface WebhookOptions {
  /** http or https. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * POSTs a page as JSON. 200 and 204 confirm that it arrived; 202 (RFC 9110, 15.3.3) says that it was taken and no more.
 * The notification's id is the `Idempotency-Key`; a receiver that knows who was told says so in the field `Delivered-To`. Redirects are not followed: a page goes where the configuration says.
 */
export class WebhookSender implements Sender {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws TocsinError BAD_CONFIG when the address is not one */
  constructor({ url, headers = {} }: WebhookOptions) {
    const { protocol } = urlOf(url);
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new TocsinError('BAD_CONFIG', `${url}: a webhook is reached by http or https`);
    this.#url = url;
    this.#headers = headers;
  }

  async send(page: Page, signal: AbortSignal): Promise<Delivery> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          ...this.#headers,
          'content-type': 'application/json',
          'idempotency-key': page.id,
        },
        body: bodyOf(page),
        signal,
      });
      await response.body?.cancel();
      return verdictOn(response.status, response.headers.get('delivered-to'));
    } catch (error) {
      if (signal.aborted) return { outcome: 'sent', detail: 'no answer in time' };
      return { outcome: 'failed', detail: reasonOf(error) };
    }
  }
}

function verdictOn(status: number, name: string | null): Delivery {
  const detail = `HTTP ${status}`;
  if (status < 200 || status >= 300) return { outcome: 'failed', detail };
  const to = name === null || name === '' ? {} : { to: name };
  return { outcome: status === 202 ? 'sent' : 'confirmed', detail, ...to };
}

/** fetch hides the reason behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as {
    cause?: { code?: string; message?: string };
    message?: string;
  };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch (error) {
    throw new TocsinError('BAD_CONFIG', `${text} is not an address`, { cause: error });
  }
}
