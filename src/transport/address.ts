import { isIPv4 } from 'node:net';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { TocsinError } from '../base/errors.ts';

const HOSTS: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6']);
/** A host name (RFC 1123, 2.1): letters, digits, hyphens and dots; an underscore is met in container networks. */
const NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/;

export interface TcpAddress {
  readonly multiaddr: Multiaddr;
  /** Kind and value, for example `/ip4/127.0.0.1`. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `/ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>`.
 * @throws TocsinError BAD_ADDRESS with the text
 */
export function parseTcpAddress(text: string): TcpAddress {
  let parsed: Multiaddr;
  try {
    parsed = multiaddr(text);
  } catch (error) {
    const meant = asHostAndPort(text);
    if (meant !== undefined) throw bad(text, `did you mean ${meant}?`);
    throw bad(text, error instanceof Error ? error.message : String(error));
  }
  const [host, port, ...rest] = parsed.getComponents();
  if (host?.value === undefined || !HOSTS.has(host.name)) throw bad(text, 'no host comes first');
  if (port?.value === undefined || port.name !== 'tcp') throw bad(text, 'no TCP port follows');
  if (rest.length > 0) throw bad(text, 'something follows the port');
  if (host.name.startsWith('dns') && !NAME.test(host.value)) throw bad(text, 'not a host name');
  return { multiaddr: parsed, host: `/${host.name}/${host.value}`, port: Number(port.value) };
}

/** `10.0.0.1:7400`, as most other programs have it, in our spelling; undefined = it is not that either. */
function asHostAndPort(text: string): string | undefined {
  const [, host = '', port] = /^([\w.-]+):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) return undefined;
  if (/^\d+(\.\d+){3}$/.test(host)) return isIPv4(host) ? `/ip4/${host}/tcp/${port}` : undefined;
  return NAME.test(host) ? `/dns4/${host}/tcp/${port}` : undefined;
}

const bad = (text: string, why: string): TocsinError =>
  new TocsinError(
    'BAD_ADDRESS',
    `${JSON.stringify(text)} is not a TCP multiaddr such as /ip4/127.0.0.1/tcp/7400: ${why}`,
  );
