import { assert } from '../base/assert.ts';
import { logIndex, unixMillis } from '../base/ids.ts';
import { ALERT_SLAB_BYTES, REHEARSED_ROUNDS } from '../base/limits.ts';
import type { Command } from '../statemachine/commands.ts';
import type { AlertMachine, Applied } from '../statemachine/machine.ts';
import { decodeSubmit, encodeSubmit } from '../wire/clients/client-messages.ts';
import { encodeReplies } from '../wire/clients/replies.ts';
import { encodeEvent } from '../wire/clients/watch-messages.ts';
import { encodeCommand, keyFromText, SubmissionReader } from '../wire/commands/commands.ts';
import { newMachine } from './snapshots/machine-image.ts';
import type { Turns } from './turns.ts';

const OBSERVED_AT = unixMillis(1_700_000_000_000);
const WHO = { actor: 'rehearsal', observedAt: OBSERVED_AT };
const ROUNDS_PER_SWEEP = 75;

/**
 * Runs what the first clients will ask for, as far as each turn has time and on a machine that is thrown away. Code that was never run takes ten times
 * as long and more, and whoever comes first would wait for it: a frame of hundreds of commands is taken in one step.
 */
export async function rehearse(turns: Turns): Promise<void> {
  const packing = { unpackedMax: 1, slabBytes: ALERT_SLAB_BYTES };
  const machine = await turns.make(() => newMachine({ seed: 1, packing }));
  const steps = play(machine);
  await turns.done((isOver) => {
    do if (steps.next().done) return false;
    while (!isOver(true));
    return true;
  });
}

type Steps = Generator<undefined, undefined>;

function* play(machine: AlertMachine): Steps {
  for (let round = 1; round <= REHEARSED_ROUNDS; round += 1) {
    yield* entry(machine, lifeOf(round));
    if (round % ROUNDS_PER_SWEEP === 0) yield* sweep(machine);
  }
}

/** From the frame to the answers, and to whoever watches. */
function* entry(machine: AlertMachine, commands: readonly Command[]): Steps {
  const index = logIndex(machine.applied + 1);
  const records: Uint8Array[] = [];
  for (const command of commands) {
    records.push(encodeCommand(command, keyFromText(`${index} ${command.type}`)));
    yield;
  }
  const { commands: body } = decodeSubmit(Buffer.concat(encodeSubmit(1_000, records)));
  yield;
  const out: Applied = { replies: [], events: [] };
  machine.begin({ index, time: unixMillis(OBSERVED_AT + index) }, out);
  for (const reader = new SubmissionReader(body); !reader.isAtEnd; ) {
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

/** Goes through all open alerts, in as many entries as it takes. */
function* sweep(machine: AlertMachine): Steps {
  const id = 'rehearsed';
  yield* entry(machine, [
    { ...WHO, type: 'set-inhibition', id, sources: ['OFF'], targets: ['HR:'] },
  ]);
  yield* entry(machine, [{ ...WHO, type: 'remove-inhibition', id }]);
  while (machine.nextDue <= machine.time + 1)
    yield* entry(machine, [{ ...WHO, type: 'clear', target: { id: 'A1' } }]);
}

/** Every other alert stays open. */
function lifeOf(round: number): readonly Command[] {
  const dedupKey = `phys:pt-${round}:mon-1:HR:HI`;
  const raise: Command = {
    ...WHO,
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
  };
  if (round % 2 === 0) return [raise];
  const target = { dedupKey };
  return [raise, { ...WHO, type: 'acknowledge', target }, { ...WHO, type: 'clear', target }];
}
