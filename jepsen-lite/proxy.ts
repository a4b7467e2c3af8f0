import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { Prng } from '../src/base/prng.ts';
import { FRAME_HEADER_BYTES, FrameType } from '../src/wire/frame.ts';

/** What one direction of a link does to what passes. */
export interface Way {
  /** Nothing passes; what was sent meanwhile follows when that is over, as TCP sends it again. */
  isCut: boolean;
  /** Milliseconds everything is late, and up to as much again. */
  delayMs: number;
  /** Chances for a frame of agreement; nothing else is lost, doubled or overtaken. */
  loss: number;
  duplicate: number;
  reorder: number;
}

export const HEALTHY: Readonly<Way> = {
  isCut: false,
  delayMs: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
};
const REORDER_MS = 100;
/** Bytes a cut direction takes in before the sender has to wait. */
const HELD_BYTES_MAX = 1024 * 1024;

/** One link between two processes, through this process, so that it can be broken without being root. */
export class LinkProxy {
  readonly there: Way = { ...HEALTHY };
  readonly back: Way = { ...HEALTHY };
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  readonly #pipes: Set<Pipe> = new Set();
  readonly #prng: Prng;
  readonly #target: number;

  private constructor(target: number, prng: Prng) {
    this.#target = target;
    this.#prng = prng;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens on a port of the loopback, and leads to `target`. */
  static async open(target: number, prng: Prng, port: number): Promise<LinkProxy> {
    const proxy = new LinkProxy(target, prng);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(port, '127.0.0.1', () => resolve());
    });
    return proxy;
  }

  /** After a change of `there` or `back`. */
  changed(): void {
    for (const pipe of this.#pipes) pipe.flush();
  }

  heal(): void {
    Object.assign(this.there, HEALTHY);
    Object.assign(this.back, HEALTHY);
    this.changed();
  }

  /** Breaks every connection. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    const far = dial({ host: '127.0.0.1', port: this.#target, noDelay: true });
    near.setNoDelay(true);
    const pipes = [
      new Pipe(near, far, this.there, this.#prng),
      new Pipe(far, near, this.back, this.#prng),
    ];
    for (const pipe of pipes) this.#pipes.add(pipe);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const pipe of pipes) this.#pipes.delete(pipe);
        (socket === near ? far : near).destroy();
      });
    }
  }
}

/** From one socket to the other, frame by frame. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #way: Way;
  readonly #prng: Prng;
  #partial: Buffer = Buffer.alloc(0);
  /** Waiting for the end of a cut. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Delayed, in order; one timer waits for the first of them. */
  readonly #line: { readonly unit: Buffer; readonly due: number }[] = [];

  constructor(from: Socket, to: Socket, way: Way, prng: Prng) {
    this.#from = from;
    this.#to = to;
    this.#way = way;
    this.#prng = prng;
    from.on('data', (chunk) => this.#take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)));
    from.on('end', () => to.end());
  }

  flush(): void {
    if (this.#way.isCut) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const unit of held) this.#send(unit, 0);
    this.#from.resume();
  }

  #take(chunk: Buffer): void {
    let bytes = this.#partial.byteLength === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    for (let length = unitLength(bytes); length !== undefined; length = unitLength(bytes)) {
      this.#pass(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    this.#partial = bytes;
  }

  #pass(unit: Buffer): void {
    const { loss, duplicate, reorder, isCut } = this.#way;
    if (isCut) {
      this.#hold(unit);
      return;
    }
    if (!isOfAgreement(unit)) {
      this.#send(unit, 0);
      return;
    }
    if (this.#prng.chance(loss)) return;
    this.#send(unit, this.#prng.chance(reorder) ? this.#prng.unit() * REORDER_MS : 0);
    if (this.#prng.chance(duplicate)) this.#send(unit, this.#prng.unit() * REORDER_MS);
  }

  #hold(unit: Buffer): void {
    this.#held.push(unit);
    this.#heldBytes += unit.byteLength;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#from.pause();
  }

  /** With `aside`, so many milliseconds later than its turn, and not in it. */
  #send(unit: Buffer, aside: number): void {
    const { delayMs } = this.#way;
    const now = performance.now();
    const due = now + delayMs * (1 + this.#prng.unit());
    if (aside > 0) {
      setTimeout(() => this.#write(unit), due - now + aside);
      return;
    }
    this.#line.push({ unit, due: delayMs === 0 ? now : due });
    if (this.#line.length === 1) this.#advance();
  }

  /** Writes what is due, in order: nothing overtakes another by chance, whichever timer comes first. */
  #advance(): void {
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      const wait = first.due - performance.now();
      if (wait > 0) {
        setTimeout(() => this.#advance(), wait);
        return;
      }
      this.#line.shift();
      this.#write(first.unit);
    }
  }

  #write(unit: Buffer): void {
    if (this.#way.isCut) this.#hold(unit);
    else if (this.#to.writable) this.#to.write(unit);
  }
}

/** Length of the frame at the beginning, or of all of it when it is none; undefined when more must come first. */
function unitLength(bytes: Buffer): number | undefined {
  if (bytes.byteLength === 0) return undefined;
  if (!bytes.subarray(0, 4).equals(MAGIC.subarray(0, Math.min(4, bytes.byteLength))))
    return bytes.byteLength;
  if (bytes.byteLength < FRAME_HEADER_BYTES) return undefined;
  const length = FRAME_HEADER_BYTES + bytes.readUInt32LE(12);
  return bytes.byteLength < length ? undefined : length;
}

const MAGIC = Buffer.from('TOCS');

const isOfAgreement = (frame: Buffer): boolean => {
  const type = frame[5] ?? 0;
  return type >= FrameType.VOTE_REQUEST && type <= FrameType.TIMEOUT_NOW;
};
