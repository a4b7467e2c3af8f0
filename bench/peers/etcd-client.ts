import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { must } from '../../src/base/assert.ts';

/**
 * As much of etcd's gRPC interface as two calls need, over node:http2 and with their few protobuf fields written out: a
 * full gRPC client for Node takes several times the time a call, and would be what is measured.
 * Source: etcd's rpc.proto (KV.Put, KV.Range) and gRPC over HTTP/2 (length-prefixed messages, status in trailers).
 */
export class EtcdClient {
  readonly #session: ClientHttp2Session;

  /** `origin` as `http://127.0.0.1:2379`. */
  constructor(origin: string) {
    this.#session = connect(origin);
    this.#session.on('error', () => {});
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return this.#call('/etcdserverpb.KV/Put', [field(1, key), field(2, value)]);
  }

  /** Linearizable, as is etcd's default. */
  get(key: Buffer): Promise<void> {
    return this.#call('/etcdserverpb.KV/Range', [field(1, key)]);
  }

  close(): void {
    this.#session.destroy();
  }

  #call(path: string, fields: readonly Buffer[]): Promise<void> {
    const body = Buffer.concat(fields);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.byteLength, 1);
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        te: 'trailers',
      });
      let status = 'none';
      const note = (headers: Record<string, unknown>): void => {
        if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('data', () => {});
      stream.on('error', reject);
      stream.on('close', () =>
        status === '0' ? resolve() : reject(new Error(`etcd answered gRPC status ${status}`)),
      );
      stream.end(Buffer.concat([prefix, body]));
    });
  }
}

/** A length-delimited protobuf field; lengths of up to two bytes are all that is needed. */
function field(number: number, bytes: Buffer): Buffer {
  const { length } = bytes;
  const head = length < 128 ? [length] : [(length & 127) | 128, must(length >> 7, 'empty')];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...head]), bytes]);
}
