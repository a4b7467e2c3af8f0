import { Command, Option } from 'commander';
import { POLICY_REPEATS_MAX } from '../../src/base/limits.ts';
import type { EscalationStep } from '../../src/statemachine/beside/policies.ts';
import type { Priority } from '../../src/statemachine/types.ts';
import { PRIORITIES } from '../../src/wire/commands/words.ts';
import { repeatable } from '../input/repeatable.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { warnOfUnknown } from './schedule-find.ts';
import { betweenCommas, oneOf, parseText, whole } from './values.ts';
import { addRecordOptions, keep, parseSeconds, type WriteFlags } from './writing.ts';

/** `tocsin policy …`: who is told, in which order, while nobody acknowledges. */
export function policyCommand(io: Io): Command {
  const group = new Command('policy')
    .description('escalation policies: who is told while nobody acknowledges')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'policy',
        line: 'tocsin policy list',
        says: 'list the policies in force',
        none: 'escalation policies',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderPolicies(...view),
      }),
    )
    .addCommand(setCommand(io))
    .addCommand(removeCommand(io));
  return withExamples(group, [
    ['tocsin policy list', 'what is in force'],
    ['tocsin policy set default --step user:anna=30s --step role:charge=1m', 'for every alert'],
    ['tocsin policy remove icu', 'new alerts go by the default'],
  ]);
}

interface SetFlags extends WriteFlags {
  readonly step: readonly EscalationStep[];
  readonly repeat: number;
  readonly minPriority: Priority;
  readonly confirm: number;
}

function setCommand(io: Io): Command {
  const command = new Command('set')
    .description('make the next version of a policy; open alerts keep the one they have')
    .argument('<id>', 'its name; default is for alerts that name none', parseText)
    .requiredOption(
      '--step <targets=duration>',
      'whom to tell, with commas, and how long to wait; repeat the flag for more steps',
      repeatable(parseStep),
    )
    .option(
      '--repeat <number>',
      'how often to go through it again',
      whole(0, POLICY_REPEATS_MAX),
      0,
    )
    .option(
      '--min-priority <priority>',
      'alerts of lower priority are not escalated',
      oneOf(PRIORITIES),
      'medium',
    )
    .addOption(
      new Option('--confirm <duration>', 'a notification not confirmed in this time has expired')
        .argParser(parseSeconds)
        .default(parseSeconds('30s'), '30s'),
    );
  return withExamples(addRecordOptions(command), [
    ['tocsin policy set icu --step user:anna=30s --step user:ben,role:charge=1m', 'two steps'],
    ['tocsin policy set default --step schedule:icu=45s --repeat 2', 'whoever is on call, thrice'],
  ]).action(async (id: string, flags: SetFlags) => {
    const { step: steps, repeat, minPriority, confirm } = flags;
    const policy = { id, steps, repeat, minPriority, confirmSeconds: confirm };
    await keep(io, flags, async (client, said, options) => {
      const kept = await client.keep({ type: 'set-policy', ...policy, ...said }, options);
      await warnOfUnknown(io, client, steps, options);
      return kept;
    });
  });
}

function removeCommand(io: Io): Command {
  const command = new Command('remove')
    .description('new alerts no longer get the policy; those that have it keep it')
    .argument('<id>', 'its name', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin policy remove icu', 'new alerts go by the default'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'remove-policy', id, ...said }, options),
    );
  });
}

/** `user:anna,role:charge=30s`; no targets before the `=`: only waits. */
function parseStep(
  text: string,
  before: readonly EscalationStep[] | undefined,
): readonly EscalationStep[] {
  const at = text.lastIndexOf('=');
  if (at < 0)
    throw usageError(`${text} is not a step`, 'targets and a duration: user:anna,role:charge=30s');
  const targets = betweenCommas(text.slice(0, at));
  const delaySeconds = parseSeconds(text.slice(at + 1));
  return [...(before ?? []), { targets, delaySeconds }];
}
