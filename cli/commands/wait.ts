import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { AlertRef } from '../../src/statemachine/types.ts';
import { STATES } from '../../src/wire/commands/words.ts';
import { pauseFor } from '../demo/waiting.ts';
import { didYouMean } from '../input/suggest.ts';
import { majorityOf } from '../output/cluster.ts';
import { printable } from '../output/escape.ts';
import { HintedError, usageError } from './failure.ts';
import type { Io } from './io.ts';
import { askEverybody } from './members.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, type Session, withClient } from './session.ts';
import { oneOf, parseRef, whole } from './values.ts';

interface WaitFlags extends ClientFlags {
  readonly for: Condition;
}

/** What is waited for. `look` answers what there is, and whether that is it. */
interface Condition {
  readonly text: string;
  readonly look: (session: Session) => Promise<Seen>;
}

interface Seen {
  readonly isMet: boolean;
  readonly says: string;
}

const EVERY_MS = 150;

/** `tocsin wait --for CONDITION`: for scripts, in place of a sleep. */
export function waitCommand(io: Io): Command {
  const command = new Command('wait')
    .description('wait until something is so; exit status 6 if it is not so in time')
    .requiredOption(
      '--for <condition>',
      'leader, quorum, ready, revision=N, open=N (at most so many), alert/ID=STATE',
      parseCondition,
    );
  return withExamples(addClientOptions(command, '1m'), [
    ['tocsin wait --for leader', 'until a majority follows one'],
    ['tocsin wait --for ready --timeout 5m', 'until every member is there and none trails'],
    ['tocsin wait --for alert/A1042=RESOLVED', 'until an alert is over'],
    ['tocsin wait --for open=0', 'until no alert is open'],
  ]).action(async (flags: WaitFlags) => {
    const started = performance.now();
    const says = await waitFor(io, flags, started);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    await report(io, flags, {
      value: { condition: flags.for.text, says, seconds },
      text: () => `${printable(says)}\n`,
    });
  });
}

/** Goes on through everything that asking again can mend; the last of it is told when the time is up. */
async function waitFor(io: Io, flags: WaitFlags, started: number): Promise<string> {
  const deadline = started + flags.timeout;
  let last = 'nothing was heard yet';
  while (performance.now() < deadline) {
    const timeout = Math.max(1, Math.min(ATTEMPT_MS, Math.ceil(deadline - performance.now())));
    try {
      const met = await attempt(io, { ...flags, timeout }, deadline, (seen) => {
        last = seen;
      });
      if (met !== undefined) return met;
    } catch (error) {
      const known = error instanceof HintedError ? error.error : error;
      if (!TocsinError.is(known) || !known.retryable) throw error;
      last = `${known.code}: ${known.message}`;
      await pauseFor(EVERY_MS);
    }
  }
  throw new TocsinError(
    'DEADLINE_EXCEEDED',
    `${flags.for.text} is not so after ${flags.timeout} ms; last seen: ${last}`,
  );
}

const ATTEMPT_MS = 2_000;

/** Looks over one connection until the condition is met or the time is up. */
async function attempt(
  io: Io,
  flags: WaitFlags,
  deadline: number,
  saw: (says: string) => void,
): Promise<string | undefined> {
  let met: string | undefined;
  await withClient(io, flags, async (session) => {
    while (performance.now() < deadline) {
      const { isMet, says } = await flags.for.look(session);
      saw(says);
      if (isMet) {
        met = says;
        return;
      }
      await pauseFor(EVERY_MS, session.signal);
      session.signal.throwIfAborted();
    }
  });
  return met;
}

/** @throws InvalidArgumentError */
function parseCondition(text: string): Condition {
  const [, name = '', value] = /^([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  if (name.startsWith('alert/') && value !== undefined)
    return { text, look: alertIs(parseRef(name.slice('alert/'.length)), oneOf(STATES)(value)) };
  if (name === 'revision' && value !== undefined)
    return { text, look: revisionIs(whole(1)(value)) };
  if (name === 'open' && value !== undefined) return { text, look: openIs(whole(0)(value)) };
  const look = CLUSTER.get(name);
  if (value === undefined && look !== undefined) return { text, look };
  const close = didYouMean(name, [...CLUSTER.keys(), 'revision', 'open', 'alert']);
  throw usageError(
    `--for ${text}${close}: must be leader, quorum, ready, revision=N, open=N or alert/ID=STATE`,
  );
}

const leaderIs: Condition['look'] = async (session) => {
  const { leader, members } = await askEverybody(session);
  const isMet = leader !== undefined;
  return {
    isMet,
    says: isMet
      ? `replica ${leader} leads`
      : `no leader is known to a majority of ${members.length}`,
  };
};

const quorumIs: Condition['look'] = async (session) => {
  const { members } = await askEverybody(session);
  const reached = members.filter(({ status }) => status !== undefined).length;
  return {
    isMet: reached >= majorityOf(members.length),
    says: `${reached} of ${members.length} answer`,
  };
};

const readyIs: Condition['look'] = async (session) => {
  const { leader, members, commit, differing } = await askEverybody(session);
  const ready = members.filter(({ status }) => (status?.applied ?? -1) >= commit).length;
  return {
    isMet: leader !== undefined && ready === members.length && differing.length === 0,
    says: `${ready} of ${members.length} hold everything up to entry ${commit}`,
  };
};

const CLUSTER: ReadonlyMap<string, Condition['look']> = new Map([
  ['leader', leaderIs],
  ['quorum', quorumIs],
  ['ready', readyIs],
]);

const revisionIs =
  (wanted: number): Condition['look'] =>
  async ({ client, timeoutMs, signal }) => {
    const { revision } = await client.list({}, { limit: 1, timeoutMs, signal });
    return { isMet: revision >= wanted, says: `revision ${revision}` };
  };

const openIs =
  (most: number): Condition['look'] =>
  async ({ client, timeoutMs, signal }) => {
    await client.list({}, { limit: 1, timeoutMs, signal }); // What was answered before counts.
    const { openAlerts } = await client.status(undefined, { timeoutMs, signal });
    return { isMet: openAlerts <= most, says: `${openAlerts} open` };
  };

const alertIs =
  (ref: AlertRef, state: string): Condition['look'] =>
  async ({ client, timeoutMs, signal }) => {
    const { value } = await client.get(ref, { timeoutMs, signal });
    if (value !== undefined) {
      const found = displayState(value);
      return { isMet: found === state, says: `${value.id} is ${found}` };
    }
    // A key is that of an open alert: none means that what there was is over.
    const isOver = 'dedupKey' in ref && state === 'RESOLVED';
    return { isMet: isOver, says: isOver ? 'none is open' : 'there is no such alert' };
  };
