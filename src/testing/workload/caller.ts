import { TocsinError } from '../../base/errors.ts';
import { revision } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { AlertApi, Consistency } from '../../statemachine/alert-api.ts';
import type { Done, Priority, RefusalCode } from '../../statemachine/types.ts';
import { type SeenAlert, seen, type Write, type WriteOutcome } from '../checkers/history.ts';
import type { Recorder } from './recorder.ts';

/** What callers do, as weights, and on how many conditions. */
export interface Mix {
  readonly raise: number;
  readonly clear: number;
  readonly acknowledge: number;
  readonly get: number;
  readonly list: number;
  /** Of writes: how many name the revision they expect, where they know one. */
  readonly guarded: number;
  /** Of reads: how many take what one replica holds. */
  readonly local: number;
  readonly keys: number;
  readonly units: number;
  /** Of clears and acknowledgements: how many are of a condition that it knows of. @defaultValue none */
  readonly aimed?: number;
}

export interface CallerParts {
  readonly api: AlertApi;
  readonly process: number;
  readonly prng: Prng;
  readonly mix: Mix;
  readonly recorder: Recorder;
  /** In any unit, the same for all callers. */
  readonly now: () => number;
  readonly timeoutMs: number;
  /** Goes before each key and unit; new ones keep the history of each condition short. @defaultValue nothing */
  readonly namespace?: () => string;
}

/** What a raise says beside its condition. */
interface RaiseHow extends Pick<Write, 'priority' | 'latching' | 'acknowledgementRequired'> {
  /** Escalation policy. */
  readonly policy?: string;
}

type Asked = Omit<Write, 'call' | 'end' | 'outcome'>;

/** For callers who say themselves what is to be done, and to what. */
export const NO_MIX: Mix = {
  raise: 0,
  clear: 0,
  acknowledge: 0,
  get: 0,
  list: 0,
  guarded: 0,
  local: 0,
  keys: 1,
  units: 1,
};

const PRIORITIES: readonly Priority[] = ['low', 'medium', 'high'];
const REFUSALS: readonly string[] = [
  'ALERT_NOT_FOUND',
  'REVISION_MISMATCH',
  'ACTIVATION_MISMATCH',
  'ALREADY_RESOLVED',
  'KEY_REUSED',
] satisfies readonly RefusalCode[];

/** One caller: does one thing after the other, at random, and writes down what it was told. */
export class Caller {
  #parts: CallerParts;
  /** Newest revision it knows of each condition. */
  readonly #known: Map<string, number> = new Map();
  /** Conditions that were open when it last heard of them. */
  readonly #open: Set<string> = new Set();
  #count = 0;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** Goes on over another connection. */
  use(api: AlertApi): void {
    this.#parts = { ...this.#parts, api };
  }

  /** One operation, to its end. */
  async next(): Promise<void> {
    const { prng, mix, namespace = () => '' } = this.#parts;
    const which = prng.between(1, mix.keys);
    const space = namespace();
    const key = `${space}k${which}`;
    const unit = `${space}u${which % mix.units}`;
    const target = (): string => this.#aim(space) ?? key;
    const total = mix.raise + mix.clear + mix.acknowledge + mix.get + mix.list;
    let draw = prng.unit() * total;
    for (const kind of ['raise', 'clear', 'acknowledge'] as const) {
      draw -= mix[kind];
      if (draw < 0) return this.write(kind, kind === 'raise' ? key : target(), unit);
    }
    const consistency = prng.chance(mix.local) ? 'local' : 'linearizable';
    return draw < mix.get ? this.#get(key, consistency) : this.#list(unit, consistency);
  }

  /** A condition of this name space that was open when this caller last heard of it, if it is to aim. */
  #aim(space: string): string | undefined {
    const { prng, mix } = this.#parts;
    if (mix.aimed === undefined || !prng.chance(mix.aimed)) return undefined;
    const open = [...this.#open].filter((key) => key.startsWith(space));
    return open.length === 0 ? undefined : prng.pick(open);
  }

  #heard(key: string, isOpen: boolean): void {
    if (isOpen) this.#open.add(key);
    else this.#open.delete(key);
  }

  /** One command about this condition; of a raise, what `how` does not say is drawn. */
  async write(kind: Write['kind'], key: string, unit: string, how: RaiseHow = {}): Promise<void> {
    const { prng, mix, process, recorder, now } = this.#parts;
    this.#count += 1;
    const known = this.#known.get(key);
    const isGuarded = known !== undefined && prng.chance(mix.guarded);
    const raise = {
      priority: prng.pick(PRIORITIES),
      latching: prng.chance(0.3),
      acknowledgementRequired: prng.chance(0.3),
      unit,
      ...how,
    };
    const write = {
      kind,
      id: `c${process}.${this.#count}`,
      key,
      process,
      ...(isGuarded ? { expectedRevision: known } : {}),
      ...(kind === 'raise' ? raise : {}),
    };
    const call = now();
    const outcome = await this.#outcomeOf(write, how.policy);
    if (outcome.type === 'done') this.#known.set(key, outcome.revision);
    if (outcome.type === 'done') this.#heard(key, outcome.state !== 'RESOLVED');
    if (outcome.type === 'refused' && outcome.code === 'ALERT_NOT_FOUND') this.#heard(key, false);
    const end = outcome.type === 'unknown' ? Number.POSITIVE_INFINITY : now();
    recorder.add({ ...write, call, end, outcome });
  }

  async #outcomeOf(write: Asked, policy: string | undefined): Promise<WriteOutcome> {
    try {
      const { effect, alertId, activation, revision: at, state } = await this.#send(write, policy);
      return { type: 'done', effect, alertId, activation, revision: at, state };
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      const { code, outcome } = error;
      if (code === 'BAD_REQUEST') throw error;
      this.#parts.recorder.told(code);
      if (REFUSALS.includes(code)) return { type: 'refused', code: code as RefusalCode };
      return { type: outcome === 'none' ? 'none' : 'unknown' };
    }
  }

  #send({ kind, id, key, unit, ...write }: Asked, policy: string | undefined): Promise<Done> {
    const { api, timeoutMs } = this.#parts;
    const guard =
      write.expectedRevision === undefined
        ? {}
        : { expectedRevision: revision(write.expectedRevision) };
    const common = { actor: id, ...guard };
    const target = { dedupKey: key };
    if (kind === 'clear') return api.clear({ target, ...common }, { timeoutMs });
    if (kind === 'acknowledge') return api.acknowledge({ target, ...common }, { timeoutMs });
    const { priority = 'none', latching = false, acknowledgementRequired = false } = write;
    const what = { dedupKey: key, condition: 'HR:HI', text: id, subject: { unit: unit ?? '' } };
    const how = { priority, latching, acknowledgementRequired, ...(policy && { policy }) };
    return api.raise({ ...what, ...how, ...common }, { timeoutMs });
  }

  async #get(key: string, consistency: Consistency): Promise<void> {
    const { api, process, recorder, now, timeoutMs } = this.#parts;
    const call = now();
    const answer = await this.#answered(api.get({ dedupKey: key }, { consistency, timeoutMs }));
    const value = answer?.value === undefined ? undefined : seen(answer.value);
    if (value !== undefined) this.#known.set(key, value.revision);
    if (answer !== undefined) this.#heard(key, value !== undefined);
    recorder.add({
      kind: 'get',
      key,
      process,
      consistency: asChecked(consistency),
      call,
      end: now(),
      answer: answer === undefined ? undefined : { revision: answer.revision, value },
    });
  }

  async #list(unit: string, consistency: Consistency): Promise<void> {
    const { api, process, recorder, now, timeoutMs } = this.#parts;
    const call = now();
    const filter = { unit, open: true };
    const page = await this.#answered(api.list(filter, { consistency, limit: 1_000, timeoutMs }));
    // What does not fit one page is not one state.
    const isWhole = page !== undefined && page.value.next === undefined;
    const alerts: readonly SeenAlert[] = page?.value.alerts.map(seen) ?? [];
    recorder.add({
      kind: 'list',
      unit,
      process,
      consistency: asChecked(consistency),
      call,
      end: now(),
      answer: isWhole ? { revision: page.revision, alerts } : undefined,
    });
  }

  /** The answer, or undefined when the read failed. */
  async #answered<T>(read: Promise<T>): Promise<T | undefined> {
    try {
      return await read;
    } catch (error) {
      if (!TocsinError.is(error) || error.code === 'BAD_REQUEST') throw error;
      this.#parts.recorder.told(error.code);
      return undefined;
    }
  }
}

const asChecked = (consistency: Consistency): 'linearizable' | 'local' =>
  consistency === 'linearizable' ? 'linearizable' : 'local';
