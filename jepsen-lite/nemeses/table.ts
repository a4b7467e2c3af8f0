import type { Fault } from './fault.ts';
import { LINK_FAULTS, type LinkFault } from './links.ts';
import { PARTITIONS, type Partition } from './partitions.ts';
import { PROCESS_FAULTS, type ProcessFault } from './processes.ts';

export type NemesisName = ProcessFault | Partition | LinkFault;

/** Every kind of fault, by the name that `--nemesis` takes. */
export const FAULTS: Readonly<Record<NemesisName, Fault>> = {
  ...PROCESS_FAULTS,
  ...PARTITIONS,
  ...LINK_FAULTS,
};

export const NEMESES: readonly NemesisName[] = Object.keys(FAULTS) as NemesisName[];
