import { assert } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { unixMillis } from '../../src/base/ids.ts';
import type { AlertApi } from '../../src/statemachine/alert-api.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { acknowledgeFrom, clearFrom, raiseFrom } from '../../src/statemachine/inputs.ts';
import type { Done } from '../../src/statemachine/types.ts';
import type { Told } from './account.ts';

/** The commands of an AlertApi. */
export type Commands = Pick<AlertApi, 'raise' | 'clear' | 'acknowledge'>;

export interface LedgerOptions {
  /** More than so many commands are refused with OVERLOADED before they are sent. */
  readonly commandsMax: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** Writes down each command and what its caller was told. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #told: Told[] = [];
  readonly #actors: Set<string> = new Set();
  #started = 0;

  constructor(options: LedgerOptions) {
    assert(options.commandsMax >= 1, `a ledger of ${options.commandsMax} commands`);
    this.#options = options;
  }

  /** Commands whose callers have been told, in the order in which they were. */
  get told(): readonly Told[] {
    return this.#told;
  }

  /** Commands whose callers still wait. */
  get waiting(): number {
    return this.#started - this.#told.length;
  }

  get isFull(): boolean {
    return this.#started >= this.#options.commandsMax;
  }

  /** Everybody a command was written down for. */
  get actors(): ReadonlySet<string> {
    return this.#actors;
  }

  /** The same commands, by `actor` where nobody else is named, and written down here. */
  around(api: Commands, actor: string): Commands {
    const origin = () => ({ actor, observedAt: unixMillis(this.#options.wall()) });
    return {
      raise: (input, options) => {
        const command = raiseFrom(input, origin());
        const { type: _, ...full } = command;
        return this.#note(command, () => api.raise(full, options));
      },
      clear: (input, options) => {
        const command = clearFrom(input, origin());
        const { type: _, ...full } = command;
        return this.#note(command, () => api.clear(full, options));
      },
      acknowledge: (input, options) => {
        const command = acknowledgeFrom(input, origin());
        const { type: _, ...full } = command;
        return this.#note(command, () => api.acknowledge(full, options));
      },
    };
  }

  async #note(command: Command, send: () => Promise<Done>): Promise<Done> {
    if (this.isFull)
      throw new TocsinError('OVERLOADED', `${this.#started} commands are written down already`);
    this.#started += 1;
    this.#actors.add(command.actor);
    try {
      const outcome = await send();
      this.#told.push({ command, outcome });
      return outcome;
    } catch (error) {
      // Whatever broke that has no code may have broken after the command was written.
      const isNothing = TocsinError.is(error) && error.outcome === 'none';
      this.#told.push({ command, outcome: isNothing ? 'none' : 'unknown' });
      throw error;
    }
  }
}
