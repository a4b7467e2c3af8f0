import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { revision, unixMillis } from '../../base/ids.ts';
import {
  REHEARSED_FRAME_COMMANDS,
  REHEARSED_FRAMES,
  REHEARSED_ROUNDS,
  REQUEST_MS_MAX,
} from '../../base/limits.ts';
import type { Command } from '../../statemachine/commands.ts';
import {
  encodeGet,
  encodeList,
  encodeSubmit,
  encodeWatch,
} from '../../wire/clients/client-messages.ts';
import { encodeTime } from '../../wire/clients/deadline.ts';
import { decodeReplies } from '../../wire/clients/replies.ts';
import { encodeCommand, keyFromText } from '../../wire/commands/commands.ts';
import { FrameType } from '../../wire/frame.ts';
import { type Caller, Stage } from './stage.ts';

const SWEEPS = 4;
const WHO = { actor: 'rehearsal', observedAt: unixMillis(1_700_000_000_000) };

/**
 * Runs what the first peers and clients will ask for, on a cluster in memory that is thrown away, a short step in each turn of `loop`. Code
 * that was never run takes ten times as long and more, and whoever comes first would wait for it.
 * @throws whatever goes wrong with what is rehearsed: a bug
 */
export async function rehearse(loop: Clock): Promise<void> {
  const stage = new Stage(loop);
  await stage.perform(async () => {
    await play(await stage.open());
    await stage.startAgain();
  });
}

async function play(caller: Caller): Promise<void> {
  let told = 0;
  caller.follow(FrameType.WATCH, [encodeWatch({ from: undefined, filter: undefined })], () => {
    told += 1;
  });
  for (let round = 1; round <= REHEARSED_ROUNDS; round += 1) {
    const life = lifeOf(round).map((command) => submit(caller, `round ${round}`, [command]));
    await Promise.all([...life, read(caller, round)]);
  }
  for (let frame = 1; frame <= REHEARSED_FRAMES; frame += 1)
    await submit(caller, `frame ${frame}`, raisesOf(frame));
  for (let times = 1; times <= SWEEPS; times += 1) await sweep(caller, `sweep ${times}`);
  await stateOf(caller);
  assert(told > 0, 'who watches is told nothing');
}

/** `scene`: no other submits a command of the same type at the same place. */
async function submit(caller: Caller, scene: string, commands: readonly Command[]): Promise<void> {
  const records = commands.map((command, at) =>
    encodeCommand(command, keyFromText(`${scene} ${at} ${command.type}`)),
  );
  const body = encodeSubmit(REQUEST_MS_MAX, records);
  const replies = decodeReplies(await caller.ask(FrameType.SUBMIT, body));
  assert(
    replies.every(({ ok }) => ok),
    'what is rehearsed is refused',
  );
}

async function read(caller: Caller, round: number): Promise<void> {
  const time = encodeTime(REQUEST_MS_MAX);
  const refs = [{ dedupKey: keyOf(round) }];
  const get = encodeGet({ refs, consistency: 'linearizable' });
  const filter = { bed: 'B7' };
  const list = encodeList({ filter, consistency: 'linearizable', limit: 8, after: undefined });
  await Promise.all([
    caller.ask(FrameType.GET, [time, get]),
    caller.ask(FrameType.LIST, [time, list]),
  ]);
}

/** Goes through all open alerts, in as many entries as it takes. */
async function sweep(caller: Caller, scene: string): Promise<void> {
  const id = 'rehearsed';
  const [sources, targets] = [['OFF'], ['HR:']];
  await submit(caller, scene, [{ ...WHO, type: 'set-inhibition', id, sources, targets }]);
  await submit(caller, scene, [{ ...WHO, type: 'remove-inhibition', id }]);
}

/** A watch that begins with the state: resolves when it is told of it. */
function stateOf(caller: Caller): Promise<void> {
  return new Promise((resolve) => {
    const body = encodeWatch({ from: revision(1), filter: undefined });
    caller.follow(FrameType.WATCH, [body], () => resolve());
  });
}

const keyOf = (round: number): string => `phys:pt-${round}:mon-1:HR:HI`;

const raiseOf = (round: number): Command => ({
  ...WHO,
  type: 'raise',
  dedupKey: keyOf(round),
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { unit: 'ED', bed: 'B7', patient: `pt-${round}`, device: 'mon-1' },
  cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
  latching: false,
  acknowledgementRequired: true,
});

/** Every other alert stays open. */
function lifeOf(round: number): readonly Command[] {
  const target = { dedupKey: keyOf(round) };
  const raise = raiseOf(round);
  if (round % 2 === 0) return [raise];
  return [raise, { ...WHO, type: 'acknowledge', target }, { ...WHO, type: 'clear', target }];
}

/** Other alerts than those of the rounds. */
const raisesOf = (frame: number): readonly Command[] =>
  Array.from({ length: REHEARSED_FRAME_COMMANDS }, (_, at) =>
    raiseOf(REHEARSED_ROUNDS + frame * REHEARSED_FRAME_COMMANDS + at),
  );
