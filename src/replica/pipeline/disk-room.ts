import { must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type Millis, millis } from '../../base/ids.ts';
import { DISK_LOOK_MS } from '../../base/limits.ts';
import type { Message } from '../../raft/types.ts';
import type { BatchReply, NotTaken } from '../../statemachine/types.ts';
import { roomOf } from '../../storage/space.ts';
import type { LogStore } from '../../storage/types.ts';
import type { Alarm } from '../../wire/clients/status.ts';
import { takesRoom, urgencyOf } from '../../wire/commands/admission.ts';
import { type CommandRecord, recordsOf } from '../../wire/commands/commands.ts';
import { recordOf } from '../../wire/log/record.ts';
import type { Room } from '../../wire/peers/room.ts';

import type { Proposal } from './proposals.ts';

export interface DiskRoomParts {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * Sees to it that the disk is never filled to the brim: in good time nothing new is taken in, only what ends something;
 * at last nothing at all. What is there is served all the while, and it goes on by itself when there is room again.
 */
export class DiskRoom {
  readonly #parts: DiskRoomParts;
  #room: Room = 'ample';
  #lookedAt: Millis = millis(Number.NEGATIVE_INFINITY);
  #isBusy = false;

  constructor(parts: DiskRoomParts) {
    this.#parts = parts;
  }

  /** Nothing is written that can wait. */
  get isOut(): boolean {
    return this.#room === 'out';
  }

  /** How much there is. */
  get left(): Room {
    return this.#room;
  }

  /**
   * Whether what a peer sends can be taken in. A leader that has room sends on; what is not taken here is to it as if it had
   * been lost on the way. Votes and the entries of elections are: few, small, and without them nobody can be asked.
   */
  takes(message: Message): boolean {
    if (!this.isOut) return true;
    if (message.type === 'snapshot-offer') return false;
    if (message.type !== 'append-request') return true;
    return message.entries.every((entry) => recordOf(entry).kind !== 'commands');
  }

  get alarms(): readonly Alarm[] {
    return this.#room === 'ample' ? [] : [{ name: 'disk-full', says: SAYS[this.#room] }];
  }

  /** Called once a tick. */
  tick(): void {
    const { store, clock, onFault } = this.#parts;
    const now = clock.monotonic();
    if (this.#isBusy || now - this.#lookedAt < DISK_LOOK_MS) return;
    this.#isBusy = true;
    this.#lookedAt = now;
    store.freeBytes().then(
      (bytes) => {
        this.#isBusy = false;
        this.#become(roomOf(bytes, this.#room));
      },
      (error: unknown) => {
        // A store that was closed meanwhile is no fault.
        if (!TocsinError.is(error) || error.code !== 'CLOSED') onFault(error);
      },
    );
  }

  /** A write found no room at all. */
  ranOut(): void {
    this.#become('out');
  }

  #become(room: Room): void {
    if (room === this.#room) return;
    this.#room = room;
    this.#parts.log(room === 'ample' ? 'the disk has room again' : SAYS[room]);
  }
}

/** What of a proposal is taken in where so much room is left, or why nothing is. */
export function admit(room: Room, proposal: Proposal): Proposal | TocsinError {
  if (room === 'ample' || (room === 'low' && !proposal.takesRoom)) return proposal;
  const taken = room === 'low' ? sparing(proposal) : undefined;
  return taken ?? new TocsinError('DISK_FULL', SAYS[room]);
}

/**
 * A proposal of those commands alone that take no room: whoever sends much at once must not be kept from ending something by what
 * else is sent. The others are told so in their places. Undefined = all of them take room.
 */
function sparing(proposal: Proposal): Proposal | undefined {
  const records = [...recordsOf(proposal.commands)];
  const spared = records.filter(({ command }) => !takesRoom(command));
  if (spared.length === 0) return undefined;
  return {
    commands: Buffer.concat(spared.map(({ bytes }) => bytes)),
    count: spared.length,
    urgency: Math.min(...spared.map(({ command }) => urgencyOf(command))),
    takesRoom: false,
    deadline: proposal.deadline,
    settle: (outcome) =>
      proposal.settle(outcome instanceof TocsinError ? outcome : withNotTaken(records, outcome)),
  };
}

/** The replies to those records that were taken in, and between them what the others are told. */
function withNotTaken(
  records: readonly CommandRecord[],
  replies: readonly BatchReply[],
): readonly BatchReply[] {
  const next = replies.values();
  return records.map(({ command }) =>
    takesRoom(command) ? NOT_TAKEN : must(next.next().value, 'a reply to each that was taken in'),
  );
}

const SAYS: Readonly<Record<Exclude<Room, 'ample'>, string>> = {
  low: 'the disk is nearly full: only commands that end, acknowledge or silence something are taken',
  out: 'the disk is full: nothing is taken',
};

const NOT_TAKEN: NotTaken = { ok: false, code: 'DISK_FULL', message: SAYS.low };
