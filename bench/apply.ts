import { join } from 'node:path';
import { logIndex, unixMillis } from '../src/base/ids.ts';
import { newMachine } from '../src/replica/snapshots/machine-image.ts';
import type { Command, Submission } from '../src/statemachine/commands.ts';
import type { Applied } from '../src/statemachine/machine.ts';
import { History } from '../src/statemachine/queries/history.ts';
import { encodeReplies } from '../src/wire/clients/replies.ts';
import { checkCommands, decodeSubmissions, encodeCommand } from '../src/wire/commands/commands.ts';
import { measureMachine } from './measure/machine.ts';
import { type ApplyRow, writeRun } from './measure/results.ts';
import { PAYLOAD_BYTES, paddingOf } from './workloads/alerts.ts';

/**
 * What one command costs the main thread of a replica between its frame and its reply, disk and sockets left out:
 * `npm run bench:apply`. Entries of real records go through the functions that a replica calls, one stage after the other, in
 * this process alone; CPU time of the process, so that what the collector of garbage does beside counts too, and what other
 * processes do does not.
 */

const ENTRY = 200;
/** Enough for every table of the machine to be full, whose entries then go for new ones. */
const WARM_UP = 300_000;
const COMMANDS = 200_000;
const FROM = 1_790_000_000_000;
const TEXT: string = paddingOf(PAYLOAD_BYTES);
const KEY_BYTES = 16;

const raise = (dedupKey: string, n: number): Command => ({
  type: 'raise',
  dedupKey,
  kind: 'physiological',
  priority: 'medium',
  condition: 'HR:HI',
  text: TEXT,
  subject: { unit: 'ED', bed: `B${n % 500}` },
  cause: { metric: 'HR', value: 141, limit: 131 },
  latching: false,
  acknowledgementRequired: false,
  actor: 'ward',
  observedAt: unixMillis(FROM + n),
});

const see = (type: 'acknowledge' | 'clear', dedupKey: string, n: number): Command => ({
  type,
  target: { dedupKey },
  actor: 'nurse-7',
  observedAt: unixMillis(FROM + n),
});

const CONDITIONS = 20_000;

/** Conditions that come, are heard of again, are acknowledged and go, as many at a time as a large house has. */
function life(n: number): Command {
  const dedupKey = `phys:pt-${n % CONDITIONS}:mon-01:HR:HI`;
  const turn = Math.floor(n / CONDITIONS) % 4;
  if (turn < 2) return raise(dedupKey, n);
  return see(turn === 2 ? 'acknowledge' : 'clear', dedupKey, n);
}

const pair = (n: number): Command =>
  n % 2 === 0 ? raise(`single:${n >> 1}`, n) : see('clear', `single:${n >> 1}`, n);

const WORKLOADS: readonly (readonly [asks: string, commandAt: (n: number) => Command])[] = [
  ['a raise and its clear, as in `bench:cluster`', pair],
  ['raise, raise again, acknowledge, clear', life],
  ['raises that stay open', (n) => raise(`open:${n}`, n)],
];

function keyOf(n: number): Uint8Array {
  const key = Buffer.alloc(KEY_BYTES);
  // As random as a client's: no order in which a table could be walked.
  for (let at = 0; at < KEY_BYTES; at += 4)
    key.writeUInt32LE(Math.imul(n + at, 0x9e3779b1) >>> 0, at);
  return key;
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** One machine, given entry after entry. */
class Applying {
  readonly #machine = newMachine({ seed: 0 });
  readonly #history = new History();
  readonly #commandAt: (n: number) => Command;
  readonly spent = { check: 0, decode: 0, apply: 0, reply: 0 };
  #count = 0;
  #index = 0;

  constructor(commandAt: (n: number) => Command) {
    this.#commandAt = commandAt;
  }

  entry(): void {
    const body = this.#body();
    let began = cpuUs();
    const lap = (stage: keyof Applying['spent']): void => {
      const now = cpuUs();
      this.spent[stage] += now - began;
      began = now;
    };
    checkCommands(body);
    lap('check');
    const submissions = decodeSubmissions(body);
    lap('decode');
    const replies = this.#apply(submissions);
    lap('apply');
    encodeReplies(replies);
    lap('reply');
  }

  #body(): Uint8Array {
    const from = this.#count;
    this.#count += ENTRY;
    const records = Array.from({ length: ENTRY }, (_, at) =>
      encodeCommand(this.#commandAt(from + at), keyOf(from + at)),
    );
    return Buffer.concat(records);
  }

  #apply(submissions: readonly Submission[]): Applied['replies'] {
    this.#index += 1;
    const time = unixMillis(FROM + this.#index);
    const out: Applied = { replies: [], events: [] };
    this.#machine.apply({ index: logIndex(this.#index), time, submissions }, out);
    for (const event of out.events) this.#history.push(event);
    return out.replies;
  }
}

const rounded = (us: number): number => Math.round((us / COMMANDS) * 100) / 100;

function measure(asks: string, commandAt: (n: number) => Command): ApplyRow {
  const applying = new Applying(commandAt);
  for (let n = 0; n < WARM_UP; n += ENTRY) applying.entry();
  const before = { ...applying.spent };
  for (let n = 0; n < COMMANDS; n += ENTRY) applying.entry();
  const { check, decode, apply, reply } = applying.spent;
  return {
    asks,
    checkUs: rounded(check - before.check),
    decodeUs: rounded(decode - before.decode),
    applyUs: rounded(apply - before.apply),
    replyUs: rounded(reply - before.reply),
  };
}

const rows: ApplyRow[] = [];
for (const [asks, commandAt] of WORKLOADS) {
  const row = measure(asks, commandAt);
  rows.push(row);
  const { checkUs, decodeUs, applyUs, replyUs } = row;
  console.log(
    `${asks.padEnd(46)} check ${checkUs}  decode ${decodeUs}  apply ${applyUs}  reply ${replyUs} µs of CPU`,
  );
}
const out = process.argv[2] ?? join('bench', 'results', 'apply.json');
const machine = await measureMachine();
await writeRun(out, { bench: 'apply', at: new Date().toISOString(), machine, rows });
console.log(`written to ${out}`);
