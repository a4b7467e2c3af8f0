import { type Command, Option } from 'commander';
import { unixMillis } from '../../src/base/ids.ts';
import type { AlertFilter, DisplayState, Kind, Priority } from '../../src/statemachine/types.ts';
import { KINDS, PRIORITIES, STATES } from '../../src/wire/commands/words.ts';
import { usageError } from './failure.ts';
import { parseInstant, parseText, someOf } from './values.ts';

/** The flags that say which alerts a list or a watch is about. */

export interface FilterFlags {
  readonly open?: boolean;
  readonly all?: boolean;
  readonly state?: readonly DisplayState[];
  readonly priority?: readonly Priority[];
  readonly kind?: readonly Kind[];
  readonly key?: string;
  readonly unit?: string;
  readonly bed?: string;
  readonly patient?: string;
  readonly device?: string;
  readonly text?: string;
  readonly raisedFrom?: number;
  readonly raisedUntil?: number;
  readonly stale?: boolean;
}

export const addFilterOptions = (command: Command): Command =>
  command
    .addOption(new Option('--open', 'only what is not resolved').conflicts('all'))
    .option('--all', 'what is resolved too')
    .option(
      '--state <states>',
      'ACTIVE_UNACK, ACTIVE_ACK, LATCHED, RTN_UNACK, RESOLVED, ENTERED_IN_ERROR; with commas',
      someOf(STATES),
    )
    .option('--priority <priorities>', 'high, medium, low, none; with commas', someOf(PRIORITIES))
    .option('--kind <kinds>', 'physiological, technical, advisory; with commas', someOf(KINDS))
    .option('--key <key>', 'dedup key', parseText)
    .option('--unit <unit>', 'ward or unit', parseText)
    .option('--bed <bed>', 'bed', parseText)
    .option('--patient <patient>', 'pseudonym of the patient', parseText)
    .option('--device <device>', 'device', parseText)
    .option('--text <text>', 'in its text, condition or key, whatever the case', parseText)
    .option('--raised-from <time>', 'raised then or later: 2026-03-01T03:04:05Z', parseInstant)
    .option('--raised-until <time>', 'raised before then', parseInstant)
    .option('--stale', 'only what a lost source left behind');

/** An absent flag does not narrow. @throws TocsinError USAGE when nothing could match */
export function filterOf(flags: FilterFlags): AlertFilter {
  const { state, priority, kind, key, unit, bed, patient, device, text } = flags;
  const { raisedFrom = 0, raisedUntil = Number.POSITIVE_INFINITY, stale } = flags;
  if (raisedFrom >= raisedUntil)
    throw usageError('--raised-from does not lie before --raised-until: nothing can match');
  return {
    ...(flags.open === true ? { open: true } : {}),
    ...(state === undefined ? {} : { states: state }),
    ...(priority === undefined ? {} : { priorities: priority }),
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(key === undefined ? {} : { dedupKey: key }),
    ...(unit === undefined ? {} : { unit }),
    ...(bed === undefined ? {} : { bed }),
    ...(patient === undefined ? {} : { patient }),
    ...(device === undefined ? {} : { device }),
    ...(text === undefined ? {} : { text }),
    ...(flags.raisedFrom === undefined ? {} : { raisedFrom: unixMillis(raisedFrom) }),
    ...(flags.raisedUntil === undefined ? {} : { raisedUntil: unixMillis(raisedUntil) }),
    ...(stale === true ? { stale: true } : {}),
  };
}
