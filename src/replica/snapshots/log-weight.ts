import { type LogIndex, logIndex } from '../../base/ids.ts';
import { LOG_KEPT_BYTES_MAX } from '../../base/limits.ts';

/** A place in the log, and how much of the log had gone by up to there. */
interface Mark {
  readonly index: LogIndex;
  readonly bytes: number;
}

/** So coarsely places are remembered. */
const STEP_BYTES = LOG_KEPT_BYTES_MAX / 64;

/** How far back the newest LOG_KEPT_BYTES_MAX of the log reach, to a step: entries differ in size, and so do days. */
export class LogWeight {
  #bytes = 0;
  /** The first is the newest behind which so much lies, if any has so much behind it. */
  readonly #marks: Mark[] = [];

  note(index: LogIndex, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes - (this.#marks.at(-1)?.bytes ?? 0) >= STEP_BYTES)
      this.#marks.push({ index, bytes: this.#bytes });
    while (this.#isHeavy(this.#marks[1])) this.#marks.shift();
  }

  /** Behind this place lies as much as may be kept; 0 = there is not so much. */
  get heavyFrom(): LogIndex {
    const [first] = this.#marks;
    return first !== undefined && this.#isHeavy(first) ? first.index : logIndex(0);
  }

  #isHeavy(mark: Mark | undefined): boolean {
    return mark !== undefined && this.#bytes - mark.bytes >= LOG_KEPT_BYTES_MAX;
  }
}
