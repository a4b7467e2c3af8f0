import type { Revision } from '../base/ids.ts';
import { FOLLOWERS_MAX } from '../base/limits.ts';
import { displayState } from './alerts/display.ts';
import { isWard, type WardCommand } from './beside/ward.ts';
import type { WardBook } from './beside/ward-book.ts';
import type { AlertCommand } from './care-commands.ts';
import type { Ledger } from './ledger.ts';
import { isOwnKey, refuse } from './refusals.ts';
import type { Alert, AlertRef, Asked, DisplayState, Refusal } from './types.ts';

/** What has to be so of an alert. A condition that is not open has revision 0 and no state. */
export interface AlertGuard {
  readonly target: AlertRef;
  readonly revision?: Revision;
  readonly state?: DisplayState;
}

/** What has to be so of a bed, a patient or a device: one that is not known has version 0. */
export interface RecordGuard {
  readonly record: 'bed' | 'patient' | 'device';
  /** Of a bed: `unit/bed`. */
  readonly id: string;
  readonly version: number;
}

export type Guard = AlertGuard | RecordGuard;

/** What can be part of a transaction. */
export type PartCommand = AlertCommand | WardCommand;

/**
 * Commands that are done together, if all guards hold and none would be refused, or not at all: about different alerts, and
 * about beds, patients and devices, one after another. Patients who leave by one of them make room for the others.
 */
export interface TransactionCommand extends Asked {
  readonly type: 'transaction';
  readonly guards: readonly Guard[];
  readonly commands: readonly PartCommand[];
}

/** Why a transaction is not done. Once this finds nothing, none of its commands is refused. */
export function findTransactionRefusal(
  { guards, commands }: TransactionCommand,
  ledger: Ledger,
  ward: WardBook,
): Refusal | undefined {
  for (const guard of guards) {
    const refusal =
      'target' in guard
        ? findChange(guard, ledger.table.find(guard.target))
        : findNewVersion(guard, ward);
    if (refusal !== undefined) return refusal;
  }
  const check = new Check(ledger, ward, commands.filter(isWard));
  for (const [at, command] of commands.entries()) {
    const refusal = isWard(command) ? check.ofWard(command) : check.ofAlert(command);
    if (refusal !== undefined) return refuse(refusal.code, `command ${at + 1}: ${refusal.message}`);
  }
  return undefined;
}

/**
 * Looks at one command after another. Those about alerts do not touch each other, nor the alerts that a patient takes along; so
 * what holds for each alone holds for all of them. Those about the ward are planned.
 */
class Check {
  readonly #ledger: Ledger;
  readonly #ward: WardBook;
  readonly #plan: ReturnType<WardBook['plan']>;
  readonly #touched = new Set<string>();
  readonly #following = new Set<string>();
  #opened = 0;

  constructor(ledger: Ledger, ward: WardBook, commands: readonly WardCommand[]) {
    this.#ledger = ledger;
    this.#ward = ward;
    this.#plan = ward.plan(commands);
  }

  ofAlert(command: AlertCommand): Refusal | undefined {
    const refusal = this.#ledger.refusalOf(command, this.#opened);
    if (refusal !== undefined) return refusal;
    const isRaise = command.type === 'raise';
    const alert = this.#ledger.table.find(isRaise ? command : command.target);
    const dedupKey = isRaise ? command.dedupKey : (alert?.dedupKey ?? '');
    if (alert?.resolution !== undefined)
      return refuse('ALREADY_RESOLVED', `${alert.id} is resolved`);
    // What one command does can end such an alert before another one comes to it.
    if (isOwnKey(dedupKey)) return refuse('NOT_OWNER', `${dedupKey} cannot be in a transaction`);
    if (this.#touched.has(dedupKey) || this.#following.has(dedupKey)) return twice(dedupKey);
    this.#touched.add(dedupKey);
    if (alert === undefined) this.#opened += 1;
    return undefined;
  }

  ofWard(command: WardCommand): Refusal | undefined {
    const refusal = this.#plan.add(command);
    if (refusal !== undefined) return refusal;
    for (const { dedupKey } of this.#ward.followers(command)) {
      if (this.#touched.has(dedupKey)) return twice(dedupKey);
      this.#following.add(dedupKey);
    }
    if (this.#following.size <= FOLLOWERS_MAX) return undefined;
    return refuse('OVER_LIMIT', `more than ${FOLLOWERS_MAX} alerts would be taken along`);
  }
}

const twice = (dedupKey: string): Refusal =>
  refuse('BAD_REQUEST', `${dedupKey} is in the transaction already`);

function findChange(
  { target, revision, state }: AlertGuard,
  alert: Alert | undefined,
): Refusal | undefined {
  const name = 'id' in target ? target.id : target.dedupKey;
  const at = alert?.revision ?? 0;
  if (revision !== undefined && revision !== at)
    return refuse('GUARD_FAILED', `${name} is at revision ${at}, not ${revision}`);
  const is = alert === undefined ? 'not known' : displayState(alert);
  if (state === undefined || state === is) return undefined;
  return refuse('GUARD_FAILED', `${name} is ${is}, not ${state}`);
}

function findNewVersion(
  { record, id, version }: RecordGuard,
  { beds, patients, devices }: WardBook,
): Refusal | undefined {
  const kept = { bed: beds, patient: patients, device: devices }[record].get(id);
  const at = kept?.version ?? 0;
  if (at === version) return undefined;
  return refuse('GUARD_FAILED', `${record} ${id} is at version ${at}, not ${version}`);
}
