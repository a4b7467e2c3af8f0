import type { Command } from '../../statemachine/commands.ts';

/** How a replica that is short of something tells commands apart before it takes them in. */

/**
 * The lane of a command: 0 urgent, 1 routine, 2 background. What silences or clears is never left
 * behind.
 */
export const URGENCY_LEAST = 2;

/** Changes of what is in force for everybody: they can wait for what is about a patient. */
const ROUTINE: ReadonlySet<Command['type']> = new Set([
  'set-policy',
  'remove-policy',
  'set-rule',
  'remove-rule',
  'set-schedule',
  'extend-schedule',
  'remove-schedule',
  'set-inhibition',
  'remove-inhibition',
  'restore-inhibitions',
  'set-bed',
  'remove-bed',
  'remove-device',
]);

export function urgencyOf(command: Command): number {
  if (ROUTINE.has(command.type)) return 1;
  if (command.type !== 'raise' || command.priority === 'high') return 0;
  return command.priority === 'none' ? URGENCY_LEAST : 1;
}

type TakesRoom = {
  readonly [T in Command['type']]: (command: Extract<Command, { readonly type: T }>) => boolean;
};

const always = (): boolean => true;
const never = (): boolean => false;

/**
 * Whether a command can add to what is kept, by its type: such a one has to wait while the disk is nearly full. The others
 * end, move or mark what is there. Three that add are among these, each of what is bounded in number: a heartbeat, or every source
 * would be missed; a silence, for whoever has to bear the sound; a session, or a client that comes now could end nothing.
 */
const TAKES_ROOM: TakesRoom = {
  raise: always,
  clear: never,
  acknowledge: never,
  unacknowledge: never,
  accept: never,
  reject: never,
  pause: never,
  resume: never,
  escalate: never,
  resolve: never,
  transfer: never,
  discharge: never,
  void: never,
  merge: never,
  'set-policy': always,
  'remove-policy': never,
  report: never,
  silence: never,
  unsilence: never,
  'open-window': always,
  'end-window': never,
  'set-inhibition': always,
  'remove-inhibition': never,
  'restore-inhibitions': never,
  heartbeat: never,
  'retire-source': never,
  'open-incident': always,
  'set-rule': always,
  'remove-rule': never,
  'change-incident': ({ close }) => close !== true,
  'set-schedule': always,
  'extend-schedule': never,
  'remove-schedule': never,
  'open-session': never,
  'keep-session': never,
  'end-session': never,
  'set-bed': always,
  'remove-bed': never,
  'admit-patient': always,
  'move-patient': never,
  'discharge-patient': never,
  'attach-device': always,
  'detach-device': never,
  'remove-device': never,
  transaction: ({ commands }) => commands.some(takesRoom),
};

export function takesRoom(command: Command): boolean {
  const decide = TAKES_ROOM[command.type] as (command: Command) => boolean;
  return decide(command);
}
