/**
 * Whether a device's clock goes wrong, told by how much later than its device time each sample is received. Of a stretch of
 * time the least such delay counts: waiting in queues only adds to it. A clock that is ahead shows at once; one that is
 * behind looks like samples that waited, so its delay has to stay the same for a while, which a backlog's does not.
 */

const WINDOW_MS = 10_000;
const WINDOWS = 3;
const STEADY_MS = 1_000;

interface DeviceClock {
  windowStart: number;
  /** Least delay of this window, and of the one before. */
  least: number;
  before: number;
  run: number;
  isOn: boolean;
}

const UNSEEN: DeviceClock = {
  windowStart: Number.NaN,
  least: Infinity,
  before: Number.NaN,
  run: 0,
  isOn: false,
};

export interface ClockTransition {
  readonly subject: number;
  readonly phase: 'start' | 'end';
  /** Below zero: the device is ahead. */
  readonly delayMs: number;
}

export class ClockWatch {
  readonly #boundMs: number;
  readonly #clocks: DeviceClock[] = [];

  constructor(boundMs: number) {
    this.#boundMs = boundMs;
  }

  /** Both in milliseconds; `receivedAt` by the replica's clock. Undefined = nothing has changed. */
  add(subject: number, receivedAt: number, time: number): ClockTransition | undefined {
    let clock = this.#clocks[subject];
    if (clock === undefined) {
      clock = { ...UNSEEN };
      this.#clocks[subject] = clock;
    }
    if (Number.isNaN(clock.windowStart)) clock.windowStart = receivedAt;
    const isOver = receivedAt - clock.windowStart >= WINDOW_MS;
    const change = isOver ? this.#judge(subject, clock) : undefined;
    if (isOver) {
      clock.windowStart = receivedAt;
      clock.before = clock.least;
      clock.least = Infinity;
    }
    clock.least = Math.min(clock.least, receivedAt - time);
    return change;
  }

  /** Whether an alert tells of it. */
  isWrong(subject: number): boolean {
    return this.#clocks[subject]?.isOn === true;
  }

  /** Takes up what is known to be wrong, so that its end is told. */
  resume(subject: number): void {
    const clock = this.#clocks[subject];
    if (clock !== undefined) clock.isOn = true;
    else this.#clocks[subject] = { ...UNSEEN, isOn: true };
  }

  #judge(subject: number, clock: DeviceClock): ClockTransition | undefined {
    const { least, before, isOn } = clock;
    const isSteady = Math.abs(least - before) < STEADY_MS;
    const isWrong = least < -this.#boundMs || (least > this.#boundMs && isSteady);
    clock.run = isWrong === isOn ? 0 : clock.run + 1;
    if (clock.run < WINDOWS) return undefined;
    clock.run = 0;
    clock.isOn = isWrong;
    return { subject, phase: isWrong ? 'start' : 'end', delayMs: least };
  }
}
