import { Command } from 'commander';
import type { CareInput } from '../../src/statemachine/alert-api.ts';
import type { AlertRef, Subject } from '../../src/statemachine/types.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { type Example, withExamples } from './options.ts';
import { parseRef, parseText } from './values.ts';
import {
  ADD_REASON,
  addWriteOptions,
  confirmable,
  parseSeconds,
  type WriteFlags,
  writeTo,
} from './writing.ts';

/** The commands for what is done about an alert beside acknowledging it. */

const REF_MEANS = 'alert id such as A1042, or the dedup key of an open alert';

interface CareFlags extends WriteFlags {
  readonly reason?: string;
  readonly for?: number;
  readonly force?: boolean;
  readonly confirmedBy?: string;
  readonly unit?: string;
  readonly bed?: string;
  readonly patient?: string;
  readonly device?: string;
  readonly policy?: string;
}

interface Verb {
  readonly name: string;
  readonly says: string;
  readonly examples: readonly Example[];
  /** Adds the flags of its own. */
  readonly flags?: (command: Command) => Command;
  readonly input: (target: AlertRef, flags: CareFlags) => CareInput;
  /** What to pass when more is asked for than these flags say. */
  readonly confirm?: (flags: CareFlags) => string;
}

const needsReason = (command: Command): Command =>
  command.requiredOption('--reason <text>', 'why; kept in the history', parseText);
const mayHaveReason = (command: Command): Command =>
  command.option('--reason <text>', 'why; kept in the history', parseText);
const mayBeConfirmed = (command: Command): Command =>
  command.option(
    '--confirmed-by <name>',
    'who else agrees: for a high alert about a patient that is present',
    parseText,
  );
const reasonOf = ({ reason = '' }: CareFlags): { readonly reason: string } => ({ reason });
const anyReason = ({ reason }: CareFlags): { readonly reason?: string } =>
  reason === undefined ? {} : { reason };
const confirmation = ({ confirmedBy }: CareFlags): { readonly confirmedBy?: string } =>
  confirmedBy === undefined ? {} : { confirmedBy };

const ADD_FORCE = 'if it is to end although its condition is present, add --force';
const ADD_SECOND = 'add --confirmed-by <name>: who else agrees, not the one who asks';

const VERBS: readonly Verb[] = [
  {
    name: 'unack',
    says: 'take an acknowledgement back: the alert needs somebody again',
    examples: [["tocsin alert unack A1042 --reason 'wrong bed'", 'it was not that one']],
    flags: needsReason,
    input: (target, flags) => ({ type: 'unacknowledge', target, ...reasonOf(flags) }),
  },
  {
    name: 'accept',
    says: 'take responsibility, without saying that it was seen to',
    examples: [['tocsin alert accept A1042', 'on the way']],
    input: (target) => ({ type: 'accept', target }),
  },
  {
    name: 'reject',
    says: 'decline responsibility: the next step of the policy follows at once',
    examples: [["tocsin alert reject A1042 --reason 'in theatre'", 'somebody else has to go']],
    flags: mayHaveReason,
    input: (target, flags) => ({ type: 'reject', target, ...anyReason(flags) }),
  },
  {
    name: 'pause',
    says: 'turn the sound off for a time; a new annunciation turns it on again',
    examples: [['tocsin alert pause A1042 --for 2m', 'while somebody is at the bed']],
    flags: (command) =>
      command.requiredOption(
        '--for <duration>',
        'for how long, up to a cap by priority',
        parseSeconds,
      ),
    input: (target, flags) => ({ type: 'pause', target, seconds: flags.for ?? 0 }),
  },
  {
    name: 'resume',
    says: 'turn the sound on again',
    examples: [['tocsin alert resume A1042', 'before the pause is over']],
    input: (target) => ({ type: 'resume', target }),
  },
  {
    name: 'escalate',
    says: 'carry out the next step of the escalation policy now',
    examples: [["tocsin alert escalate A1042 --reason 'help needed'", 'do not wait for the timer']],
    flags: needsReason,
    input: (target, flags) => ({ type: 'escalate', target, ...reasonOf(flags) }),
  },
  {
    name: 'resolve',
    says: 'end an alert by decision',
    examples: [
      ["tocsin alert resolve A1042 --reason 'device removed'", 'its condition is gone'],
      ["tocsin alert resolve A1042 --force --reason 'false alarm'", 'although it is present'],
    ],
    flags: (command) =>
      mayBeConfirmed(needsReason(command)).option('--force', 'although the condition is present'),
    input: (target, flags) => ({
      type: 'resolve',
      target,
      ...reasonOf(flags),
      ...(flags.force === true ? { force: true } : {}),
      ...confirmation(flags),
    }),
    confirm: ({ force }) => (force === true ? ADD_SECOND : ADD_FORCE),
  },
  {
    name: 'transfer',
    says: 'the patient was moved: what is given replaces that part of the subject',
    examples: [['tocsin alert transfer A1042 --unit icu-2 --bed 7', 'to another bed']],
    flags: (command) =>
      command
        .option('--unit <unit>', 'ward or unit', parseText)
        .option('--bed <bed>', 'bed', parseText)
        .option('--patient <patient>', 'pseudonym, never a name', parseText)
        .option('--device <device>', 'device', parseText)
        .option('--policy <id>', 'escalation policy there; begins at its first step', parseText),
    input: (target, flags) => ({
      type: 'transfer',
      target,
      subject: subjectOf(flags),
      ...(flags.policy === undefined ? {} : { policy: flags.policy }),
    }),
  },
  {
    name: 'discharge',
    says: 'the patient left, or the device was taken off: ends the alert',
    examples: [['tocsin alert discharge A1042', 'nobody is in the bed any more']],
    flags: mayHaveReason,
    input: (target, flags) => ({ type: 'discharge', target, ...anyReason(flags) }),
    confirm: () => ADD_REASON,
  },
  {
    name: 'void',
    says: 'it should never have been: ends an alert for good, and keeps it as evidence',
    examples: [["tocsin alert void A1042 --reason 'test of the monitor'", 'entered in error']],
    flags: (command) => mayBeConfirmed(needsReason(command)),
    input: (target, flags) => ({
      type: 'void',
      target,
      ...reasonOf(flags),
      ...confirmation(flags),
    }),
    confirm: () => ADD_SECOND,
  },
];

function subjectOf({ unit, bed, patient, device }: CareFlags): Subject {
  if ((unit ?? bed ?? patient ?? device) === undefined)
    throw usageError('nothing says where to', 'give --unit, --bed, --patient or --device');
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(bed === undefined ? {} : { bed }),
    ...(patient === undefined ? {} : { patient }),
    ...(device === undefined ? {} : { device }),
  };
}

export const careCommands = (io: Io): readonly Command[] =>
  VERBS.map(({ name, says, examples, flags = (command) => command, input, confirm }) => {
    const command = new Command(name).description(says).argument('<alert>', REF_MEANS, parseRef);
    return withExamples(addWriteOptions(flags(command)), examples).action(
      async (target: AlertRef, given: CareFlags) => {
        const asked = input(target, given);
        await writeTo(target, io, given, (client, said, options) =>
          confirmable(client.care({ ...asked, ...said }, options), confirm?.(given)),
        );
      },
    );
  });
