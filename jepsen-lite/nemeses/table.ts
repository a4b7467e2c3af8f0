import { CLOCK_FAULTS, type ClockFault } from './clocks.ts';
import { DISK_FAULTS, type DiskFault } from './disks.ts';
import type { Fault } from './fault.ts';
import { LINK_FAULTS, type LinkFault } from './links.ts';
import { MEMBER_FAULTS, type MemberFault } from './members.ts';
import { PARTITIONS, type Partition } from './partitions.ts';
import { PROCESS_FAULTS, type ProcessFault } from './processes.ts';

export type NemesisName =
  | MemberFault
  | ProcessFault
  | Partition
  | LinkFault
  | DiskFault
  | ClockFault;

/** Every kind of fault, by the name that `--nemesis` takes. */
export const FAULTS: Readonly<Record<NemesisName, Fault>> = {
  ...PROCESS_FAULTS,
  ...PARTITIONS,
  ...LINK_FAULTS,
  ...MEMBER_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
};

export const NEMESES: readonly NemesisName[] = Object.keys(FAULTS) as NemesisName[];
