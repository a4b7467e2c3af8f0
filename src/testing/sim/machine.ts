import type { Notifier } from '../../replica/notifier.ts';
import type { Replica } from '../../replica/replica.ts';
import type { Identity } from '../../storage/types.ts';
import type { Listener } from '../../transport/types.ts';
import type { SimDisk } from './disk.ts';
import type { ProcessClock } from './process-clock.ts';
import type { ReplicaView } from './view.ts';

/** One replica that runs, dies and runs again, with its disk. */
export interface Machine {
  readonly id: number;
  /** The number of the host, and of the address, where the disk is at the moment. */
  place: number;
  readonly host: string;
  identity: Identity;
  readonly disk: SimDisk;
  clock: ProcessClock;
  replica: Replica | undefined;
  /** Of the replica, while it runs. */
  view: ReplicaView | undefined;
  notifier: Notifier | undefined;
  listener: Listener | undefined;
  isStarting: boolean;
  /** Gives up the start under way, which may wait for others for ever. */
  giveUp: AbortController;
  /** Is not started again by itself. */
  staysDown: boolean;
  /** Its disk is empty; another one takes its place. */
  isGone: boolean;
}

/** Nothing that it holds has rotted, and it does not say so. */
export function isSound({ disk, replica }: Machine): boolean {
  const alarms = replica?.status().alarms ?? [];
  return !disk.isRotting && alarms.every(({ name }) => name !== 'log-damaged');
}

/** What else runs in the process of a replica, and dies with it. */
export interface Companion {
  started(machine: Machine): void;
  /** Called while its clock still stands, if it does. */
  died(machine: Machine): void;
}
