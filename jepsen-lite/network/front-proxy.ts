import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { Prng } from '../../src/base/prng.ts';
import { FRAME_HEADER_BYTES, FrameType } from '../../src/wire/frame.ts';
import { decodeHello } from '../../src/wire/handshake.ts';
import { CALLERS } from './network.ts';
import type { Way } from './way.ts';

/** Between any two places. */
export type Ways = (from: number, to: number) => Way;

const REORDER_MS = 100;
/** Bytes a cut direction takes in before the sender has to wait. */
const HELD_BYTES_MAX = 1024 * 1024;

/**
 * Stands before one replica: everybody who dials it comes through here, and says in the first frame who it is. So each
 * direction of each link can be broken by itself, without being root.
 */
export class FrontProxy {
  readonly #id: number;
  readonly #target: number;
  readonly #prng: Prng;
  readonly #ways: Ways;
  readonly #server: Server;
  readonly #links: Set<Link> = new Set();

  private constructor(id: number, target: number, ways: Ways, prng: Prng) {
    this.#id = id;
    this.#target = target;
    this.#ways = ways;
    this.#prng = prng;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens on a port of the loopback, and leads to `target`, which is the place `id`. */
  static async open(
    id: number,
    { port, target }: { readonly port: number; readonly target: number },
    ways: Ways,
    prng: Prng,
  ): Promise<FrontProxy> {
    const proxy = new FrontProxy(id, target, ways, prng);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(port, '127.0.0.1', () => resolve());
    });
    return proxy;
  }

  /** After a change of a way. */
  changed(): void {
    for (const link of this.#links) link.changed();
  }

  /** Breaks the connections that come from, or lead to, this place. */
  reset(place: number): void {
    for (const link of this.#links)
      if (place === this.#id || link.from === place) link.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.reset(this.#id);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    const far = dial({ host: '127.0.0.1', port: this.#target, noDelay: true });
    near.setNoDelay(true);
    const link = new Link(near, far, this.#id, this.#ways, this.#prng);
    this.#links.add(link);
    let open = 2;
    for (const socket of [near, far])
      socket.once('close', () => {
        open -= 1;
        if (open === 0) this.#links.delete(link);
      });
  }
}

/** One connection through the proxy. */
class Link {
  /** Who dialled; undefined until it has said so. */
  from: number | undefined;
  readonly #sockets: readonly Socket[];
  readonly #there: Pipe;
  readonly #back: Pipe;

  constructor(near: Socket, far: Socket, to: number, ways: Ways, prng: Prng) {
    this.#sockets = [near, far];
    const there = (first: Buffer): Way => {
      this.from ??= whoSays(first);
      return ways(this.from, to);
    };
    // Nobody answers before it was spoken to: by then it is known who dialled.
    this.#there = new Pipe(near, far, there, prng);
    this.#back = new Pipe(far, near, () => ways(to, this.from ?? CALLERS), prng);
  }

  changed(): void {
    this.#there.changed();
    this.#back.changed();
  }

  resetAndDestroy(): void {
    for (const socket of this.#sockets) {
      // While it says good-bye libuv cannot reset it (EINVAL), and Node would never close its handle.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }
}

/** From one socket to the other, frame by frame. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #wayOf: (first: Buffer) => Way;
  readonly #prng: Prng;
  #way: Way | undefined;
  #partial: Buffer = Buffer.alloc(0);
  /** Waiting for the end of a cut. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Delayed, in order; one timer waits for the first of them. */
  readonly #line: { readonly unit: Buffer; readonly due: number }[] = [];
  #isClosed = false;

  constructor(from: Socket, to: Socket, wayOf: (first: Buffer) => Way, prng: Prng) {
    this.#from = from;
    this.#to = to;
    this.#wayOf = wayOf;
    this.#prng = prng;
    from.on('data', (chunk) => this.#take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)));
    from.on('error', () => {});
    from.on('close', () => {
      this.#isClosed = true;
      this.changed();
    });
  }

  /** Lets go of what was held, if nothing holds it any more. The end of a connection does not pass a cut either. */
  changed(): void {
    if (this.#way?.isCut === true) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const unit of held) this.#send(unit, 0);
    if (this.#isClosed) this.#to.destroySoon();
    else this.#from.resume();
  }

  #take(chunk: Buffer): void {
    let bytes = this.#partial.byteLength === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    for (let length = unitLength(bytes); length !== undefined; length = unitLength(bytes)) {
      const unit = bytes.subarray(0, length);
      this.#way ??= this.#wayOf(unit);
      this.#pass(unit, this.#way);
      bytes = bytes.subarray(length);
    }
    this.#partial = bytes;
  }

  #pass(unit: Buffer, way: Way): void {
    if (way.isCut) {
      this.#hold(unit);
      return;
    }
    if (!isOfAgreement(unit)) {
      this.#send(unit, 0);
      return;
    }
    if (this.#prng.chance(way.chanceOf('loss'))) return;
    const isLate = this.#prng.chance(way.chanceOf('reorder'));
    this.#send(unit, isLate ? this.#prng.unit() * REORDER_MS : 0);
    if (this.#prng.chance(way.chanceOf('duplicate')))
      this.#send(unit, this.#prng.unit() * REORDER_MS);
  }

  #hold(unit: Buffer): void {
    this.#held.push(unit);
    this.#heldBytes += unit.byteLength;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#from.pause();
  }

  /** With `aside`, so many milliseconds later than its turn, and not in it. */
  #send(unit: Buffer, aside: number): void {
    const delayMs = this.#way?.delayMs ?? 0;
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
    if (this.#way?.isCut === true) this.#hold(unit);
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

const typeOf = (frame: Buffer): number => frame[5] ?? 0;

const isOfAgreement = (frame: Buffer): boolean =>
  typeOf(frame) >= FrameType.VOTE_REQUEST && typeOf(frame) <= FrameType.TIMEOUT_NOW;

/** Who introduces itself by this frame. */
function whoSays(frame: Buffer): number {
  if (typeOf(frame) !== FrameType.HELLO) return CALLERS;
  const { role, replicaId } = decodeHello(frame.subarray(FRAME_HEADER_BYTES));
  return role === 'peer' ? (replicaId ?? CALLERS) : CALLERS;
}
