import { TocsinError } from '../../src/base/errors.ts';
import { DEMO_ACKNOWLEDGEMENTS_WAITING_MAX } from '../../src/base/limits.ts';
import type { Prng } from '../../src/base/prng.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { Alert, AlertEvent, AlertId, Priority } from '../../src/statemachine/types.ts';
import type { Commands } from './ledger.ts';

export interface NurseOptions {
  readonly commands: Pick<Commands, 'acknowledge'>;
  readonly prng: Prng;
  /** Who is on duty; each alert is somebody's. */
  readonly names: readonly string[];
  /** The alert as it stands now; undefined = it is not open any more. */
  readonly look: (id: AlertId) => Alert | undefined;
}

/** How likely somebody comes, and after how many milliseconds. */
interface Habit {
  readonly chance: number;
  readonly soonestMs: number;
  readonly latestMs: number;
}

const HABITS: Readonly<Record<Priority, Habit>> = {
  high: { chance: 0.95, soonestMs: 500, latestMs: 1_600 },
  medium: { chance: 0.75, soonestMs: 800, latestMs: 2_400 },
  low: { chance: 0.4, soonestMs: 1_000, latestMs: 3_500 },
  none: { chance: 0, soonestMs: 0, latestMs: 0 },
};

/** Acknowledges some of the alerts she sees, a little later, if they still ask for it by then. */
export class Nurse {
  readonly #options: NurseOptions;
  /** By alert and activation: each is decided upon once. */
  readonly #decided: Set<string> = new Set();
  readonly #waiting: Set<NodeJS.Timeout> = new Set();
  readonly #underWay: Set<Promise<void>> = new Set();

  constructor(options: NurseOptions) {
    this.#options = options;
  }

  see({ alert }: AlertEvent): void {
    const state = displayState(alert);
    if (state === 'RESOLVED' || state === 'ACTIVE_ACK' || alert.priority === 'none') return;
    // What stays on though its cause is gone is a new reason to come.
    const reason = `${alert.id} ${alert.activation} ${alert.presence}`;
    if (this.#decided.has(reason)) return;
    if (this.#waiting.size >= DEMO_ACKNOWLEDGEMENTS_WAITING_MAX) return;
    this.#decided.add(reason);
    const { prng, names } = this.#options;
    const { chance, soonestMs, latestMs } = HABITS[alert.priority];
    const delayMs = prng.between(soonestMs, latestMs);
    const actor = prng.pick(names);
    if (!prng.chance(chance)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.#go(alert, actor);
    }, delayMs);
    this.#waiting.add(timer);
  }

  /** Goes to no alert any more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
    await Promise.all(this.#underWay);
  }

  #go({ id, activation }: Alert, actor: string): void {
    const { commands, look } = this.#options;
    const now = look(id);
    if (now === undefined || now.acknowledged || now.activation !== activation) return;
    const going = commands.acknowledge({ target: { id }, activation, actor }).then(
      () => {},
      (error: unknown) => {
        // What came too late is refused, and written down as such by whoever sends it.
        if (!TocsinError.is(error)) throw error;
      },
    );
    this.#underWay.add(going);
    void going.finally(() => this.#underWay.delete(going));
  }
}
