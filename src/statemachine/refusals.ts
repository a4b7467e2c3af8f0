import { assert } from '../base/assert.ts';
import type { Cell } from './transitions.ts';
import type { Alert, Command, Refusal, RefusalCode } from './types.ts';

export const refuse = (code: RefusalCode, message: string): Refusal => ({
  ok: false,
  code,
  message,
});

/**
 * Why a command may not be done, or undefined. First what the state forbids, then the revision and
 * the activation that the caller named: who names an old revision of a resolved alert learns that
 * it is resolved.
 */
export function findRefusal(
  command: Command,
  alert: Alert | undefined,
  cell: Cell,
): Refusal | undefined {
  if (cell.does === 'refuse') return refuse(cell.code, reasonOf(cell.code, command));
  return findRevisionMismatch(command, alert) ?? findActivationMismatch(command, alert);
}

/** A condition that is not open has revision 0: so a raise can ask that none be open yet. */
function findRevisionMismatch(command: Command, alert: Alert | undefined): Refusal | undefined {
  const actual = alert?.revision ?? 0;
  const expected = command.expectedRevision;
  if (expected === undefined || expected === actual) return undefined;
  const what = alert?.id ?? 'an alert that is not open';
  return refuse('REVISION_MISMATCH', `${what} is at revision ${actual}, not ${expected}`);
}

function findActivationMismatch(command: Command, alert: Alert | undefined): Refusal | undefined {
  if (command.type !== 'acknowledge' || command.activation === undefined) return undefined;
  assert(alert !== undefined, 'an acknowledgement of no alert passed the table');
  if (command.activation === alert.activation) return undefined;
  const { id, activation } = alert;
  return refuse(
    'ACTIVATION_MISMATCH',
    `${id} is at activation ${activation}, not ${command.activation}`,
  );
}

function reasonOf(code: RefusalCode, command: Command): string {
  assert(command.type !== 'raise', `a raise is never refused for ${code}`);
  const { target } = command;
  if ('id' in target)
    return code === 'ALREADY_RESOLVED' ? `${target.id} is resolved` : `there is no ${target.id}`;
  return `no alert is open under ${target.dedupKey}`;
}
