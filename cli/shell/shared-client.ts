import type { ConnectOptions, OperatorClient, Services } from '../commands/io.ts';

/** One connection for all commands of a session: whoever closes it lets go, and it stays for the next one. */
export class SharedClient {
  readonly #connect: Services['connect'];
  #key = '';
  #client: OperatorClient | undefined;

  constructor(connect: Services['connect']) {
    this.#connect = connect;
  }

  /** As `Services.connect`. Another cluster or another name is another connection. */
  readonly connect = async (options: ConnectOptions): Promise<OperatorClient> => {
    const key = JSON.stringify([options.endpoints, options.name]);
    if (this.#client === undefined || key !== this.#key) {
      await this.close();
      this.#client = await this.#connect(options);
      this.#key = key;
    }
    return lent(this.#client);
  };

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }
}

const lent = (client: OperatorClient): OperatorClient =>
  new Proxy(client, {
    get: (target, name) => {
      if (name === 'close') return () => Promise.resolve();
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
