import { assert } from '../base/assert.ts';
import {
  PAUSE_HIGH_SECONDS_MAX,
  PAUSE_LOW_SECONDS_MAX,
  PAUSE_MEDIUM_SECONDS_MAX,
  SECONDS_MAX,
} from '../base/limits.ts';
import type { Cell } from './alerts/transitions.ts';
import type { Policies } from './beside/policies.ts';
import type { AlertCommand, CareCommand } from './care-commands.ts';
import type { Alert, ConditionCommand, Priority, Refusal, RefusalCode } from './types.ts';

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
  command: AlertCommand,
  alert: Alert | undefined,
  cell: Cell,
): Refusal | undefined {
  if (cell.does === 'refuse') return refuse(cell.code, reasonOf(cell.code, command));
  return findRevisionMismatch(command, alert) ?? findActivationMismatch(command, alert);
}

/** A condition that is not open has revision 0: so a raise can ask that none be open yet. */
function findRevisionMismatch(
  command: AlertCommand,
  alert: Alert | undefined,
): Refusal | undefined {
  const actual = alert?.revision ?? 0;
  const expected = command.expectedRevision;
  if (expected === undefined || expected === actual) return undefined;
  const what = alert?.id ?? 'an alert that is not open';
  return refuse('REVISION_MISMATCH', `${what} is at revision ${actual}, not ${expected}`);
}

function findActivationMismatch(
  command: AlertCommand,
  alert: Alert | undefined,
): Refusal | undefined {
  if (command.type !== 'acknowledge' || command.activation === undefined) return undefined;
  assert(alert !== undefined, 'an acknowledgement of no alert passed the table');
  if (command.activation === alert.activation) return undefined;
  const { id, activation } = alert;
  return refuse(
    'ACTIVATION_MISMATCH',
    `${id} is at activation ${activation}, not ${command.activation}`,
  );
}

/** Keys of the machine's own alerts begin so. Others may see to them, but not say whether their condition is present. */
const OWN_KEYS = 'tocsin:';

export const isOwnKey = (dedupKey: string): boolean => dedupKey.startsWith(OWN_KEYS);

/** The condition of an own alert is the machine's to raise and to clear. */
export function findOwner(
  command: ConditionCommand,
  alert: Alert | undefined,
): Refusal | undefined {
  if (command.type === 'acknowledge') return undefined;
  const dedupKey = command.type === 'raise' ? command.dedupKey : alert?.dedupKey;
  if (dedupKey === undefined || !isOwnKey(dedupKey)) return undefined;
  return refuse('NOT_OWNER', `${dedupKey} is a condition of the database itself`);
}

function reasonOf(code: RefusalCode, command: AlertCommand): string {
  assert(command.type !== 'raise', `a raise is never refused for ${code}`);
  const { target } = command;
  if ('id' in target)
    return code === 'ALREADY_RESOLVED' ? `${target.id} is resolved` : `there is no ${target.id}`;
  return `no alert is open under ${target.dedupKey}`;
}

/** For how many seconds at a time the sound of an alert may be off. */
export const PAUSE_SECONDS_MAX: Readonly<Record<Priority, number>> = {
  high: PAUSE_HIGH_SECONDS_MAX,
  medium: PAUSE_MEDIUM_SECONDS_MAX,
  low: PAUSE_LOW_SECONDS_MAX,
  none: SECONDS_MAX,
};

/** What else stands against a command about an open alert: guards that depend on more than its state. */
export function findCareRefusal(
  command: CareCommand,
  alert: Alert,
  policies: Pick<Policies, 'get'>,
): Refusal | undefined {
  switch (command.type) {
    case 'pause': {
      const max = PAUSE_SECONDS_MAX[alert.priority];
      if (command.seconds <= max) return undefined;
      const what = `the sound of a ${alert.priority} alert may be off for ${max} seconds`;
      return refuse('OVER_LIMIT', `${what}, not ${command.seconds}`);
    }
    case 'resolve':
      return command.force === true ? findLackOfSecond(command, alert) : findPresence(alert);
    case 'void':
      return findLackOfSecond(command, alert);
    case 'transfer':
      return findUnrouted(command, alert, policies);
    case 'discharge': {
      const isLoud = alert.priority === 'high' && !alert.acknowledged;
      if (!isLoud || command.reason !== undefined) return undefined;
      return refuse(
        'CONFIRMATION_REQUIRED',
        `${alert.id} is high and not acknowledged: discharging needs a reason`,
      );
    }
    case 'escalate':
      if (alert.escalation !== undefined) return undefined;
      return refuse('RECORD_NOT_FOUND', `no escalation policy applies to ${alert.id}`);
    default:
      return undefined;
  }
}

function findPresence(alert: Alert): Refusal | undefined {
  if (alert.presence === 'cleared') return undefined;
  return refuse(
    'CONFIRMATION_REQUIRED',
    `the condition of ${alert.id} is present: resolving it needs force`,
  );
}

/** The machine's own alerts say that a policy leads nowhere, and so go by none themselves. */
function findUnrouted(
  { policy }: CareCommand & { readonly type: 'transfer' },
  { dedupKey }: Alert,
  policies: Pick<Policies, 'get'>,
): Refusal | undefined {
  if (policy === undefined || !isOwnKey(dedupKey)) return findNoPolicy(policy, policies);
  return refuse('NOT_OWNER', `no policy applies to ${dedupKey}, of the database itself`);
}

/** Who names a policy means it: unlike an alarm, a move waits for nobody. */
export function findNoPolicy(
  id: string | undefined,
  policies: Pick<Policies, 'get'>,
): Refusal | undefined {
  if (id === undefined || policies.get(id) !== undefined) return undefined;
  return refuse('RECORD_NOT_FOUND', `there is no policy ${id}`);
}

/** A high alarm about a patient that is sounding is not ended by one person alone. */
function findLackOfSecond(
  command: CareCommand & { readonly type: 'resolve' | 'void' },
  alert: Alert,
): Refusal | undefined {
  const isGrave =
    alert.kind === 'physiological' &&
    alert.priority === 'high' &&
    alert.presence === 'present' &&
    alert.resolution === undefined;
  const { confirmedBy, actor } = command;
  if (!isGrave || (confirmedBy !== undefined && confirmedBy !== actor)) return undefined;
  const lack = confirmedBy === undefined ? 'has to name' : `names ${actor}, who asks for it, not`;
  return refuse(
    'CONFIRMATION_REQUIRED',
    `${alert.id} is high, about the patient and present: confirmedBy ${lack} a second person`,
  );
}
