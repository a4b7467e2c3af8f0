import { type Command, Option } from 'commander';
import type { AlertFilter, DisplayState, Kind, Priority } from '../../src/statemachine/types.ts';
import { KINDS, PRIORITIES, STATES } from '../../src/wire/words.ts';
import { parseText, someOf } from './values.ts';

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
    .option('--device <device>', 'device', parseText);

/** An absent flag does not narrow. */
export function filterOf(flags: FilterFlags): AlertFilter {
  const { state, priority, kind, key, unit, bed, patient, device } = flags;
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
  };
}
