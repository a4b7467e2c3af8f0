import { CLOCK_MUTANTS } from './clocks.ts';
import { DISK_MUTANTS } from './disks.ts';
import { HEALING_MUTANTS } from './healing.ts';
import { HOUSE_MUTANTS } from './house.ts';
import type { Mutant } from './mutant.ts';
import { PITFALL_MUTANTS } from './pitfalls.ts';
import { MEMBER_PITFALL_MUTANTS } from './pitfalls-members.ts';
import { SERVICE_PITFALL_MUTANTS } from './pitfalls-service.ts';
import { RAFT_MUTANTS } from './raft.ts';
import { READ_MUTANTS } from './reads.ts';
import { REPLICA_MUTANTS } from './replica.ts';
import { ROOM_MUTANTS } from './room.ts';
import { SESSION_MUTANTS } from './sessions.ts';
import { CLUSTER_MUTANTS } from './simulator.ts';
import { STATEMACHINE_MUTANTS } from './statemachine.ts';
import { STORAGE_MUTANTS } from './storage.ts';
import { TURN_MUTANTS } from './turns.ts';

/** Every seeded bug of this repository. */
export const MUTANTS: readonly Mutant[] = [
  ...RAFT_MUTANTS,
  ...PITFALL_MUTANTS,
  ...MEMBER_PITFALL_MUTANTS,
  ...SERVICE_PITFALL_MUTANTS,
  ...STORAGE_MUTANTS,
  ...STATEMACHINE_MUTANTS,
  ...REPLICA_MUTANTS,
  ...HEALING_MUTANTS,
  ...READ_MUTANTS,
  ...DISK_MUTANTS,
  ...ROOM_MUTANTS,
  ...TURN_MUTANTS,
  ...CLOCK_MUTANTS,
  ...SESSION_MUTANTS,
  ...HOUSE_MUTANTS,
  ...CLUSTER_MUTANTS,
];

/** @throws Error when there is none, or more than one */
export function mutantNamed(name: string): Mutant {
  const [mutant, ...more] = MUTANTS.filter((each) => each.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  if (more.length > 0) throw new Error(`mutant ${name} is listed ${more.length + 1} times`);
  return mutant;
}
