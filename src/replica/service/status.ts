import { hashToHex } from '../../base/hash.ts';
import { logIndex } from '../../base/ids.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import type { Identity } from '../../storage/types.ts';
import type { Alarm, ReplicaStatus, StageTime } from '../../wire/clients/status.ts';
import type { CoreDriver } from '../core-driver.ts';
import type { Members } from '../peers/members.ts';

export interface StatusParts {
  readonly identity: Identity;
  readonly agent: string;
  readonly driver: CoreDriver;
  readonly machine: AlertMachine;
  readonly members: Members;
  readonly uptimeMs: number;
  readonly alarms: readonly Alarm[];
  readonly stages: readonly StageTime[];
}

/** What a replica says of itself. */
export function statusOf(parts: StatusParts): ReplicaStatus {
  const { identity, agent, driver, machine, members, uptimeMs, alarms, stages } = parts;
  const { role, term, leader } = driver.standing;
  return {
    replicaId: identity.replicaId,
    incarnation: identity.incarnation,
    clusterId: identity.clusterId,
    role,
    term,
    leader,
    leaderAddress: members.addressOf(leader),
    commit: logIndex(driver.committed),
    applied: machine.applied,
    lastIndex: driver.lastIndex,
    revision: machine.revision,
    digest: hashToHex(machine.digest),
    uptimeMs: Math.floor(uptimeMs),
    agent,
    openAlerts: machine.openCount,
    members: members.lines,
    alarms,
    ...(stages.some(({ count }) => count > 0) ? { stages } : {}),
  };
}
