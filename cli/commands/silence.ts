import { Command, InvalidArgumentError } from 'commander';
import type {
  Matcher,
  MatcherField,
  SilenceId,
} from '../../src/statemachine/beside/suppression.ts';
import { MATCHER_FIELDS } from '../../src/wire/clients/record-shapes.ts';
import { KINDS, PRIORITIES } from '../../src/wire/commands/words.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { betweenCommas, oneOf, parseAlertId, parseText } from './values.ts';
import { addRecordOptions, keep, parseSeconds, type WriteFlags } from './writing.ts';

/** `tocsin silence …`. */
export function silenceCommand(io: Io): Command {
  const group = new Command('silence')
    .description('silences: alerts that do not annunciate for a time, and stay in every list')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'silence',
        line: 'tocsin silence list',
        says: 'list the silences, those in force first',
        none: 'silences',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderSilences(...view),
      }),
    )
    .addCommand(addCommand(io))
    .addCommand(endCommand(io));
  return withExamples(group, [
    ['tocsin silence list', 'what is silenced'],
    ["tocsin silence add bed=B12 --for 10m --reason 'nursing care'", 'a bed, for a time'],
    ['tocsin silence end S7', 'before its time'],
  ]);
}

interface AddFlags extends WriteFlags {
  readonly for: number;
  readonly untilCleared?: boolean;
  readonly reason: string;
}

function addCommand(io: Io): Command {
  const command = new Command('add')
    .description('silence what is open now; whatever begins afterwards breaks through')
    .argument(
      '<matcher...>',
      `field=value, or values with commas: ${MATCHER_FIELDS.join(', ')}`,
      parseMatcher,
    )
    .requiredOption('--for <duration>', 'for how long; less for urgent alerts', parseSeconds)
    .requiredOption('--reason <text>', 'why', parseText)
    .option('--until-cleared', 'it also ends for each alert when its condition is gone');
  return withExamples(addRecordOptions(command), [
    ["tocsin silence add bed=B12 --for 10m --reason 'nursing care'", 'a bed'],
    ["tocsin silence add alert=A1042 --for 5m --until-cleared --reason 'seen'", 'one alert'],
    [
      "tocsin silence add device=mon-3 priority=low,none --for 8h --reason 'old probe'",
      'what matters less, of one device',
    ],
  ]).action(async (matchers: readonly Matcher[], flags: AddFlags) => {
    const { reason, untilCleared } = flags;
    await keep(io, flags, (client, said, options) =>
      client.keep(
        {
          type: 'silence',
          matchers,
          seconds: flags.for,
          ...(untilCleared === true ? { untilCleared: true } : {}),
          reason,
          ...said,
        },
        options,
      ),
    );
  });
}

function endCommand(io: Io): Command {
  const command = new Command('end')
    .description('end a silence before its time')
    .argument('<id>', 'silence id such as S7', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin silence end S7', 'it annunciates again'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'unsilence', id: id as SilenceId, ...said }, options),
    );
  });
}

function parseMatcher(text: string, before: readonly Matcher[] | undefined): readonly Matcher[] {
  const [field = '', list = ''] = text.split(/=(.*)/s);
  const given = betweenCommas(list);
  if (!MATCHER_FIELDS.includes(field as MatcherField) || given.length === 0)
    throw usageError(
      `${text} is not a matcher`,
      `as bed=B12; fields: ${MATCHER_FIELDS.join(', ')}`,
    );
  const values = given.map((value) => parseValue(field as MatcherField, value));
  return [...(before ?? []), { field: field as MatcherField, values }];
}

/** A silence that can match nothing, or less than was meant, is taken for one that does. */
function parseValue(field: MatcherField, value: string): string {
  if (MATCHER_FIELDS.some((other) => value.startsWith(`${other}=`)))
    throw usageError(`${value} is a matcher of its own`, 'put a space before it, and no comma');
  try {
    return VALUES[field]?.(value) ?? value;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw usageError(`${field}: ${error.message}`);
    throw error;
  }
}

const VALUES: Readonly<Partial<Record<MatcherField, (text: string) => string>>> = {
  alert: parseAlertId,
  kind: oneOf(KINDS),
  priority: oneOf(PRIORITIES),
};
