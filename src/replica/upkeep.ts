import type { Clock } from '../base/clock.ts';
import type { TocsinError } from '../base/errors.ts';
import { type LogIndex, logIndex, lower, type ReplicaId } from '../base/ids.ts';
import { votersOf } from '../raft/configuration.ts';
import type { LogStore } from '../storage/types.ts';
import type { Alarm } from '../wire/clients/status.ts';
import type { Room } from '../wire/peers/room.ts';
import type { CoreDriver } from './core-driver.ts';
import { Scrubber } from './health/scrubber.ts';
import { Waits } from './health/waits.ts';
import type { Members } from './peers/members.ts';
import type { PeerLinks } from './peers/peer-links.ts';
import { Rooms } from './peers/rooms.ts';
import { DiskRoom } from './pipeline/disk-room.ts';
import type { SnapshotDesk } from './snapshots/snapshot-desk.ts';

export interface UpkeepParts {
  readonly self: ReplicaId;
  readonly links: PeerLinks;
  readonly store: LogStore;
  readonly clock: Clock;
  readonly driver: CoreDriver;
  readonly members: Members;
  readonly snapshots: SnapshotDesk;
  readonly applied: () => LogIndex;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** Looks after the disk while the replica runs: that there is room on it, that what is on it is still right. Says what takes long. */
export class Upkeep {
  readonly room: DiskRoom;
  /** On all disks. */
  readonly rooms: Rooms;
  readonly #scrubber: Scrubber;
  readonly #waits: Waits;

  constructor(parts: UpkeepParts) {
    const { self, store, clock, driver, members, links, snapshots, log, onFault } = parts;
    this.#waits = new Waits(parts);
    this.room = new DiskRoom({ store, clock, log, onFault });
    const own = (): Room => this.room.left;
    this.rooms = new Rooms({ self, clock, members, links, own });
    this.#scrubber = new Scrubber({
      store,
      clock,
      isAlone: () => votersOf(driver.configuration).every((id) => id === self),
      readable: () => lower(logIndex(driver.committed), driver.durable),
      mute: (on) => driver.mute(on),
      repair: (damage) => snapshots.repair(damage),
      makeUp: (damage) => snapshots.makeUp(damage),
      log,
      onFault,
    });
  }

  get alarms(): readonly Alarm[] {
    return [...this.room.alarms, ...this.#scrubber.alarms];
  }

  /** Somebody has met damage at rest: it is looked for. */
  rotten(error: TocsinError): void {
    this.#scrubber.hurry(error.message);
  }

  /** Called once a tick. */
  tick(): void {
    this.room.tick();
    this.#scrubber.tick();
    this.#waits.tick();
  }
}
