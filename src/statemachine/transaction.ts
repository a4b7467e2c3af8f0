import type { Revision } from '../base/ids.ts';
import { displayState } from './alerts/display.ts';
import type { Ledger } from './ledger.ts';
import { isOwnKey, refuse } from './refusals.ts';
import type { Alert, AlertCommand, AlertRef, Asked, DisplayState, Refusal } from './types.ts';

/** What has to be so of an alert. A condition that is not open has revision 0 and no state. */
export interface Guard {
  readonly target: AlertRef;
  readonly revision?: Revision;
  readonly state?: DisplayState;
}

/** Commands about different alerts that are done together, if all guards hold and none would be refused, or not at all. */
export interface TransactionCommand extends Asked {
  readonly type: 'transaction';
  readonly guards: readonly Guard[];
  readonly commands: readonly AlertCommand[];
}

/** Why a transaction is not done. Once this finds nothing, none of its commands is refused: they do not touch each other. */
export function findTransactionRefusal(
  { guards, commands }: TransactionCommand,
  ledger: Ledger,
): Refusal | undefined {
  for (const guard of guards) {
    const refusal = findGuardRefusal(guard, ledger.table.find(guard.target));
    if (refusal !== undefined) return refusal;
  }
  const touched = new Set<string>();
  let opened = 0;
  for (const [at, command] of commands.entries()) {
    const refusal = ledger.refusalOf(command, opened);
    if (refusal !== undefined) return refuse(refusal.code, `command ${at + 1}: ${refusal.message}`);
    const isRaise = command.type === 'raise';
    const alert = ledger.table.find(isRaise ? command : command.target);
    const dedupKey = isRaise ? command.dedupKey : (alert?.dedupKey ?? '');
    if (alert?.resolution !== undefined)
      return refuse('ALREADY_RESOLVED', `command ${at + 1}: ${alert.id} is resolved`);
    // What one command does can end such an alert before another one comes to it.
    if (isOwnKey(dedupKey))
      return refuse('NOT_OWNER', `command ${at + 1}: ${dedupKey} cannot be in a transaction`);
    if (touched.has(dedupKey))
      return refuse('BAD_REQUEST', `command ${at + 1}: ${dedupKey} is in the transaction already`);
    touched.add(dedupKey);
    if (alert === undefined) opened += 1;
  }
  return undefined;
}

function findGuardRefusal(
  { target, revision, state }: Guard,
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
