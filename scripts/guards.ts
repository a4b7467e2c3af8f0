/** What the domain model asks besides the state, rule by rule, and what the machine checks: printed to docs/lifecycle.md. */

interface Guard {
  readonly rules: string;
  /** In the domain model. */
  readonly asks: string;
  readonly checked: string;
}

export const GUARDS: readonly Guard[] = [
  {
    rules: 'all',
    asks: 'revision, if one is named; a key that was used gets its first reply',
    checked: 'REVISION_MISMATCH; KEY_REUSED when the key comes with another command',
  },
  {
    rules: 'T1, T6',
    asks: 'authenticated source, known subject, known rule version, limits not off',
    checked:
      'NOT_OWNER for conditions of the database itself, QUOTA_EXCEEDED. A device alone stands for its bed and patient; a raise ' +
      'that names nobody is taken. Sources and rule versions are not asked for (decision 0012)',
  },
  {
    rules: 'T2',
    asks: 'coalesced',
    checked: 'where conditions are judged: only what changes becomes a command (decision 0013)',
  },
  {
    rules: 'T7, T8',
    asks: 'source owns the condition',
    checked: 'NOT_OWNER for conditions of the database itself; for others not (decision 0012)',
  },
  {
    rules: 'T9, T10, T11',
    asks: 'role; the activation matches',
    checked:
      'ACTIVATION_MISMATCH when an activation is named; roles are not asked for (decision 0012)',
  },
  { rules: 'T12', asks: 'reason', checked: 'BAD_REQUEST without one' },
  {
    rules: 'T13, T16, T19',
    asks: 'due, and the generation matches',
    checked: 'a timer stands in the record that it is about: what replaces the record moves it',
  },
  {
    rules: 'T14, T15',
    asks: 'a notified target, or in the unit',
    checked:
      'anybody may accept (decision 0012); who rejects what somebody else has accepted changes only their own notification',
  },
  {
    rules: 'T17, T18',
    asks: 'duration by priority and role, high finite only',
    checked: 'OVER_LIMIT by priority, always finite; roles are not asked for (decision 0012)',
  },
  {
    rules: 'T20',
    asks: 'role, reason',
    checked: 'BAD_REQUEST without a reason, RECORD_NOT_FOUND where no policy applies',
  },
  {
    rules: 'T21',
    asks: 'reason; while present force and a role; high physiological ones a second confirmation',
    checked:
      'BAD_REQUEST without a reason; CONFIRMATION_REQUIRED without force, or without the name of a second person, which the ' +
      'record keeps',
  },
  {
    rules: 'T22, T23',
    asks: 'heartbeat missed; fresh snapshot',
    checked: 'the lease of a source, by log time; its next heartbeat',
  },
  {
    rules: 'T24',
    asks: 'patient moved; re-routes unit, bed and policy',
    checked:
      'CONFLICT when the bed is taken; RECORD_NOT_FOUND for a policy that is not in force. The one that is named, in its newest ' +
      'version, begins at its first step. With a device that is lost the alert is stale',
  },
  {
    rules: 'T25',
    asks: 'high ones acknowledged, or a reason',
    checked: 'CONFIRMATION_REQUIRED',
  },
  {
    rules: 'T26',
    asks: 'administrator, reason',
    checked:
      'BAD_REQUEST without a reason; CONFIRMATION_REQUIRED without the name of a second person where T21 asks for one; roles are ' +
      'not asked for (decision 0012)',
  },
  {
    rules: 'T27',
    asks: 'same condition; an acknowledgement of an older activation acknowledges nothing',
    checked: 'such an acknowledgement is noted, and changes no state',
  },
];
