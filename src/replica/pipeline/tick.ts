import type { LogIndex } from '../../base/ids.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import { EntryRecord } from '../../wire/log/record.ts';
import type { CoreDriver } from '../core-driver.ts';

/** A leader proposes an entry that carries its time alone, if something is due and nothing under way carries time to it. */
export function tickIfDue(driver: CoreDriver, machine: AlertMachine, applied: LogIndex): void {
  if (machine.nextDue === Number.POSITIVE_INFINITY || applied < driver.lastIndex) return;
  const now = driver.sealer.stamp();
  if (machine.nextDue <= now) driver.propose(EntryRecord.draft('tick', now, 0, []));
}
