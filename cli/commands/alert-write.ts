import { Command } from 'commander';
import type { RaiseInput } from '../../src/statemachine/alert-api.ts';
import type { AlertRef, Cause, Kind, Priority, Subject } from '../../src/statemachine/types.ts';
import { KINDS, PRIORITIES } from '../../src/wire/commands/words.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import {
  type Labels,
  oneOf,
  parseLabel,
  parseNumber,
  parseRef,
  parseText,
  whole,
} from './values.ts';
import { addWriteOptions, parseSeconds, type WriteFlags, write, writeTo } from './writing.ts';

/** The commands that change an alert. */

interface RaiseFlags extends WriteFlags {
  readonly condition: string;
  readonly priority: Priority;
  readonly text?: string;
  readonly kind?: Kind;
  readonly unit?: string;
  readonly bed?: string;
  readonly patient?: string;
  readonly device?: string;
  readonly metric?: string;
  readonly value?: number;
  readonly unitOfMeasure?: string;
  readonly limit?: number;
  readonly rule?: string;
  readonly latching?: boolean;
  readonly ackRequired?: boolean;
  readonly resetAfterClear?: boolean;
  readonly ackFor?: number;
  readonly policy?: string;
  readonly label?: Labels;
}

interface AckFlags extends WriteFlags {
  readonly activation?: number;
  readonly note?: string;
}

const ACTIVATION_MAX = 2 ** 32 - 1;
const REF_MEANS = 'alert id such as A1042, or the dedup key of an open alert';

export function raiseCommand(io: Io): Command {
  const command = new Command('raise')
    .description('report that a condition is present: opens an alert, or continues the open one')
    .argument('<key>', 'dedup key: names the condition; at most one alert of it is open', parseText)
    .requiredOption('--condition <code>', 'what is wrong, as a code: HR:HI', parseText)
    .requiredOption('--priority <priority>', 'high, medium, low or none', oneOf(PRIORITIES))
    .option('--text <text>', 'what is wrong, for people (default: the condition)', parseText)
    .option('--kind <kind>', 'physiological (default), technical or advisory', oneOf(KINDS))
    .option('--unit <unit>', 'ward or unit', parseText)
    .option('--bed <bed>', 'bed', parseText)
    .option('--patient <patient>', 'pseudonym, never a name', parseText)
    .option('--device <device>', 'device', parseText)
    .option('--metric <metric>', 'what was measured: HR', parseText)
    .option('--value <number>', 'the sample that decided', parseNumber)
    .option(
      '--unit-of-measure <ucum>',
      'of value and limit, in UCUM: /min, %, mm[Hg], Cel',
      parseText,
    )
    .option('--limit <number>', 'the limit in force', parseNumber)
    .option('--rule <rule>', 'rule and version: hr-high@1', parseText)
    .option('--latching', 'stays on until somebody acknowledges it')
    .option(
      '--reset-after-clear',
      'of a latching one: an acknowledgement counts only when it is gone',
    )
    .option('--ack-required', 'somebody has to acknowledge it even when it is gone before')
    .option(
      '--ack-for <duration>',
      'an acknowledgement holds so long, then it is annunciated again',
      parseSeconds,
    )
    .option('--policy <id>', 'escalation policy (default: the one named default)', parseText)
    .option('--label <name=value>', 'a label; repeat the flag for more', parseLabel);
  return withExamples(addWriteOptions(command), [
    [
      "tocsin alert raise bed:B12:HR:HI --condition HR:HI --priority high --text 'Heart rate high'",
      'a heart rate over its limit',
    ],
    [
      'tocsin alert raise mon-3:lead-off --condition ECG:TEC --priority low --kind technical --bed B12',
      'a sensor that came off',
    ],
    [
      'tocsin alert raise bed:B12:HR:HI --condition HR:HI --priority high --metric HR --value 141 --limit 131 --unit-of-measure /min',
      'with the sample that decided and the limit in force',
    ],
  ]).action(async (key: string, flags: RaiseFlags) => {
    const input = raiseInputOf(key, flags);
    await write(io, flags, (client, given, options) =>
      client.raise({ ...input, ...given }, options),
    );
  });
}

export function clearCommand(io: Io): Command {
  const command = new Command('clear')
    .description('report that a condition is gone')
    .argument('<alert>', REF_MEANS, parseRef);
  return withExamples(addWriteOptions(command), [
    ['tocsin alert clear A1042', 'by id'],
    ['tocsin alert clear bed:B12:HR:HI', 'the open one under a key'],
  ]).action(async (target: AlertRef, flags: WriteFlags) => {
    await writeTo(target, io, flags, (client, given, options) =>
      client.clear({ target, ...given }, options),
    );
  });
}

export function ackCommand(io: Io): Command {
  const command = new Command('ack')
    .description('acknowledge an alert: somebody has seen it and takes charge')
    .argument('<alert>', REF_MEANS, parseRef)
    .option(
      '--activation <number>',
      'the activation that was seen; refuse if there is a newer one',
      whole(1, ACTIVATION_MAX),
    )
    .option('--note <text>', 'what is being done', parseText);
  return withExamples(addWriteOptions(command), [
    ['tocsin alert ack A1042', 'take charge of it'],
    ['tocsin alert ack A1042 --activation 2', 'only if it was not annunciated again since'],
    ["tocsin alert ack A1042 --note 'at the bed'", 'with a note'],
  ]).action(async (target: AlertRef, flags: AckFlags) => {
    const { activation, note } = flags;
    await writeTo(target, io, flags, (client, given, options) =>
      client.acknowledge(
        {
          target,
          ...given,
          ...(activation === undefined ? {} : { activation }),
          ...(note === undefined ? {} : { note }),
        },
        options,
      ),
    );
  });
}

function raiseInputOf(key: string, flags: RaiseFlags): RaiseInput {
  const { condition, priority, text, kind, label, ackFor, policy } = flags;
  const { unit, bed, patient, device } = flags;
  const subject: Subject = {
    ...(unit === undefined ? {} : { unit }),
    ...(bed === undefined ? {} : { bed }),
    ...(patient === undefined ? {} : { patient }),
    ...(device === undefined ? {} : { device }),
  };
  const cause = causeOf(flags);
  return {
    dedupKey: key,
    condition,
    priority,
    subject,
    latching: flags.latching === true,
    acknowledgementRequired: flags.ackRequired === true,
    ...(flags.resetAfterClear ? { resetAfterClear: true } : {}),
    ...(text === undefined ? {} : { text }),
    ...(kind === undefined ? {} : { kind }),
    ...(cause === undefined ? {} : { cause }),
    ...(label === undefined ? {} : { labels: label }),
    ...(ackFor === undefined ? {} : { acknowledgementSeconds: ackFor }),
    ...(policy === undefined ? {} : { policy }),
  };
}

function causeOf({ metric, value, unitOfMeasure, limit, rule }: RaiseFlags): Cause | undefined {
  if (metric === undefined) {
    const flags = {
      '--value': value,
      '--unit-of-measure': unitOfMeasure,
      '--limit': limit,
      '--rule': rule,
    };
    const [orphan] = Object.entries(flags).find(([, given]) => given !== undefined) ?? [];
    if (orphan === undefined) return undefined;
    throw usageError(
      `${orphan} says nothing without --metric`,
      'add --metric, for example --metric HR',
    );
  }
  return {
    metric,
    value: value ?? null,
    ...(unitOfMeasure === undefined ? {} : { unit: unitOfMeasure }),
    ...(limit === undefined ? {} : { limit }),
    ...(rule === undefined ? {} : { rule }),
  };
}
