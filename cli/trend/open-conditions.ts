import { TocsinError } from '../../src/base/errors.ts';
import { type Revision, revision } from '../../src/base/ids.ts';
import { LIST_PAGE_MAX } from '../../src/base/limits.ts';
import type { Client } from '../../src/client/client.ts';
import { OpenBook, type PatientCondition } from '../../src/replica/trend/open-book.ts';
import type { ListCursor } from '../../src/statemachine/alert-api.ts';
import type { Alert } from '../../src/statemachine/types.ts';

/** Dedup keys of conditions that rules can raise. */
const OF_RULES = /^(?:phys|tech|trend|score):/;

/**
 * Which conditions are present according to the store, as it goes on: what a replica must know of streams that it begins
 * to speak for. A little behind what was raised: whoever took one up that was over already is told that it is.
 */
export class OpenConditions {
  readonly book: OpenBook = new OpenBook();
  readonly #client: Pick<Client, 'list' | 'watch'>;
  readonly #onOver: (one: PatientCondition) => void;
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();

  /** `onOver` hears of each that is no longer present; not of those that somebody resolved though they are. */
  constructor(
    client: Pick<Client, 'list' | 'watch'>,
    onOver: (one: PatientCondition) => void = () => {},
  ) {
    this.#client = client;
    this.#onOver = onOver;
  }

  /** Resolves when what was open is known. `onLost` hears why it can be followed no longer. */
  async start(onLost: (error: TocsinError) => void): Promise<void> {
    const from = await this.#list();
    this.#following = this.#follow(from).catch((error: unknown) => {
      if (this.#stop.signal.aborted) return;
      if (!TocsinError.is(error)) throw error;
      onLost(error);
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  /** The revision after which whatever happens has to be heard of. */
  async #list(): Promise<Revision> {
    let first: Revision | undefined;
    for (let after: { readonly after?: ListCursor } = {}; ; ) {
      const answer = await this.#client.list(
        { open: true },
        { limit: LIST_PAGE_MAX, consistency: 'local', ...after },
      );
      first ??= answer.revision;
      for (const alert of answer.value.alerts) this.#note(alert);
      if (answer.value.next === undefined) return first;
      after = { after: answer.value.next };
    }
  }

  async #follow(after: Revision): Promise<void> {
    const { signal } = this.#stop;
    for await (const message of this.#client.watch({ from: revision(after + 1), signal })) {
      if (message.type === 'event') this.#note(message.event.alert);
      if (message.type === 'compacted') for (const alert of message.alerts) this.#note(alert);
    }
  }

  #note({ dedupKey, presence, resolution, subject, cause, condition, revision: at }: Alert): void {
    if (!OF_RULES.test(dedupKey)) return;
    const { patient = '', device } = subject;
    if (presence !== 'present' || resolution !== undefined) {
      this.book.remove(dedupKey);
      if (presence !== 'present') this.#onOver({ key: dedupKey, patient, device });
    } else {
      const rule = ruleIn(cause);
      this.book.put({ key: dedupKey, patient, device, rule, condition, revision: at });
    }
  }
}

/** The id in `hr-high@17`. */
function ruleIn(cause: Alert['cause']): string | undefined {
  const at = cause?.rule?.lastIndexOf('@') ?? -1;
  return at < 1 ? undefined : cause?.rule?.slice(0, at);
}
