import { ALERTS_GROUP } from '../../src/base/ids.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { BatchReply } from '../../src/statemachine/types.ts';
import { TcpTransport } from '../../src/transport/tcp-transport.ts';
import type { Channel } from '../../src/transport/types.ts';
import { decodeStatusAnswer } from '../../src/wire/clients/answers.ts';
import { decodeFail, encodeSubmit } from '../../src/wire/clients/client-messages.ts';
import { decodeReplies } from '../../src/wire/clients/replies.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import { encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { CLIENT } from './scripted.ts';

/** Frames by hand: what a replica answers, without a client's retries in between. */
export class RawClient {
  readonly channel: Channel;
  readonly #waiting: Map<number, (type: FrameType, body: Uint8Array) => void> = new Map();
  #id = 0;

  private constructor(channel: Channel) {
    this.channel = channel;
    channel.onFrame = (type, _group, id, body) => {
      this.#waiting.get(id)?.(type, body);
      this.#waiting.delete(id);
    };
  }

  static async dial(address: string): Promise<RawClient> {
    const transport = new TcpTransport();
    return new RawClient(await transport.dial(address, CLIENT, AbortSignal.timeout(5_000)));
  }

  request(
    type: FrameType,
    body: readonly Uint8Array[],
  ): Promise<{ type: FrameType; body: Uint8Array }> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve) => {
      this.#waiting.set(id, (answerType, answer) => resolve({ type: answerType, body: answer }));
      this.channel.send(type, ALERTS_GROUP, id, body);
    });
  }

  /** @throws TocsinError what FAIL says */
  async submit(commands: readonly { command: Command; key: string }[]): Promise<BatchReply[]> {
    const records = commands.map(({ command, key }) => encodeCommand(command, keyFromText(key)));
    const { type, body } = await this.request(FrameType.SUBMIT, encodeSubmit(5_000, records));
    if (type === FrameType.FAIL) throw decodeFail(body);
    return decodeReplies(body);
  }

  async status(): Promise<ReplicaStatus> {
    const { body } = await this.request(FrameType.STATUS, []);
    return decodeStatusAnswer(body);
  }

  close(): void {
    this.channel.close();
  }
}
