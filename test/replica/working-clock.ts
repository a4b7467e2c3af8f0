import { type Millis, millis } from '../../src/base/ids.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

/** A clock on which time passes while something is done: when told so, and a little whenever somebody looks at it. */
export class WorkingClock extends VirtualClock {
  readonly #msPerLook: number;
  #worked = 0;

  constructor(msPerLook = 0) {
    super();
    this.#msPerLook = msPerLook;
  }

  override monotonic(): Millis {
    this.#worked += this.#msPerLook;
    return millis(super.monotonic() + this.#worked);
  }

  work(ms: number): void {
    this.#worked += ms;
  }
}
