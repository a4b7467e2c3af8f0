import { assert } from '../base/assert.ts';
import { logIndex, unixMillis } from '../base/ids.ts';
import { REHEARSED_ROUNDS } from '../base/limits.ts';
import type { AlertMachine, Applied } from '../statemachine/machine.ts';
import type { ConditionCommand } from '../statemachine/types.ts';
import { decodeSubmit, encodeSubmit } from '../wire/clients/client-messages.ts';
import { encodeReplies } from '../wire/clients/replies.ts';
import { encodeEvent } from '../wire/clients/watch-messages.ts';
import { encodeCommand, keyFromText, SubmissionReader } from '../wire/commands/commands.ts';
import { newMachine } from './snapshots/machine-image.ts';
import type { Turns } from './turns.ts';

const OBSERVED_AT = unixMillis(1_700_000_000_000);

/**
 * Runs what the first clients will ask for, as far as each turn has time and on a machine that is thrown away. Code that was never run takes ten times
 * as long and more, and whoever comes first would wait for it: a frame of hundreds of commands is taken in one step.
 */
export async function rehearse(turns: Turns): Promise<void> {
  const machine = await turns.make(() => newMachine({ seed: 1 }));
  const steps = lives(machine);
  await turns.done((isOver) => {
    do if (steps.next().done) return false;
    while (!isOver());
    return true;
  });
}

function* lives(machine: AlertMachine): Generator<undefined, undefined> {
  for (let round = 1; round <= REHEARSED_ROUNDS; round += 1) yield* life(machine, round);
}

/** One alert, from the frame to the answer and to whoever watches. */
function* life(machine: AlertMachine, round: number): Generator<undefined, undefined> {
  const records: Uint8Array[] = [];
  for (const command of lifeOf(round)) {
    records.push(encodeCommand(command, keyFromText(`${round} ${command.type}`)));
    yield;
  }
  const { commands } = decodeSubmit(Buffer.concat(encodeSubmit(1_000, records)));
  yield;
  const out: Applied = { replies: [], events: [] };
  machine.begin({ index: logIndex(round), time: OBSERVED_AT }, out);
  for (const reader = new SubmissionReader(commands); !reader.isAtEnd; ) {
    const submission = reader.next();
    yield;
    machine.take(submission, out);
    yield;
  }
  machine.end();
  encodeReplies(out.replies);
  for (const event of out.events) {
    yield;
    encodeEvent(event);
  }
  assert(
    out.replies.every(({ ok }) => ok),
    'what is rehearsed is refused',
  );
}

function lifeOf(round: number): readonly ConditionCommand[] {
  const dedupKey = `phys:pt-${round}:mon-1:HR:HI`;
  const who = { actor: 'rehearsal', observedAt: OBSERVED_AT };
  return [
    {
      ...who,
      type: 'raise',
      dedupKey,
      kind: 'physiological',
      priority: 'high',
      condition: 'HR:HI',
      text: 'Heart rate high',
      subject: { unit: 'ED', bed: 'B7', patient: `pt-${round}`, device: 'mon-1' },
      cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
      latching: false,
      acknowledgementRequired: true,
    },
    { ...who, type: 'acknowledge', target: { dedupKey } },
    { ...who, type: 'clear', target: { dedupKey } },
  ];
}
