import { logIndex, unixMillis } from '../src/base/ids.ts';
import { ALERT_SLAB_BYTES, COMMANDS_PER_FRAME_MAX } from '../src/base/limits.ts';
import { rehearse } from '../src/replica/rehearsal/rehearse.ts';
import { newMachine } from '../src/replica/snapshots/machine-image.ts';
import type { WindowId } from '../src/statemachine/beside/suppression.ts';
import type { Command } from '../src/statemachine/commands.ts';
import type { AlertMachine, Applied } from '../src/statemachine/machine.ts';
import type { RaiseCommand } from '../src/statemachine/types.ts';
import { SystemClock } from '../src/transport/system-clock.ts';
import { decodeSubmissions, encodeCommand, keyFromText } from '../src/wire/commands/commands.ts';
import { CollectionTrace } from './measure/collections.ts';
import { between, lookNow, ownOf, type Span } from './measure/thread-time.ts';
import { raiseOfMonitor } from './workloads/alerts.ts';

/**
 * How long one entry takes while very many alerts at rest are gone through: `npm run bench:sweeps -- ALERTS`. A third of
 * them are of one gateway, the others of gateways with 32 each, of which every other one has a sensor that is off.
 Times are what the thread ran, the
 * collector of garbage told apart.
 */

const ALERTS = Number(process.argv[2] ?? 300_000);
const BIG = Math.floor(ALERTS / 3);
const PER_GATEWAY = 32;
const FROM = 1_790_000_000_000;
const HOUR_MS = 3_600_000;
const SOURCE = 'ECG:LEADS_OFF';

const deviceOf = (n: number): string =>
  n < BIG ? 'big' : `gw-${Math.floor((n - BIG) / PER_GATEWAY)}`;

/** One in 32 is a sensor that is off, or of no importance; the others are of what it measures. */
function conditionOf(n: number): string {
  if (n % PER_GATEWAY !== 0 || n === 0) return n % 2 === 0 ? 'HR:HI' : 'SpO2:LO';
  return n >= BIG && n % (2 * PER_GATEWAY) === 0 ? SOURCE : 'BATTERY:LO';
}

function alertAt(n: number): RaiseCommand {
  const condition = conditionOf(n);
  const device = deviceOf(n);
  const isOfBody = condition.startsWith('HR') || condition.startsWith('SpO2');
  const key = `phys:pt-${n}:${device}:${condition}`;
  return {
    ...raiseOfMonitor(key, `pt-${n}`, `B${n % 500}`, unixMillis(FROM)),
    kind: isOfBody ? 'physiological' : 'technical',
    condition,
    subject: { unit: `U${n % 100}`, bed: `B${n % 500}`, patient: `pt-${n}`, device },
  };
}

/** A machine, and what its entries took. */
class Timed {
  readonly #machine: AlertMachine = newMachine({
    seed: 0,
    packing: { unpackedMax: COMMANDS_PER_FRAME_MAX, slabBytes: ALERT_SLAB_BYTES },
  });
  #time = FROM;
  #sent = 0;
  #made = '';

  fill(): void {
    for (let n = 0; n < ALERTS; n += COMMANDS_PER_FRAME_MAX) {
      const count = Math.min(COMMANDS_PER_FRAME_MAX, ALERTS - n);
      this.#apply(Array.from({ length: count }, (_, i) => alertAt(n + i)));
    }
    while (this.#isDue()) this.#apply([]);
  }

  /** `command`, and the entries after it until nothing is left to do. */
  async measure(what: string, command?: Command, seconds = 0): Promise<void> {
    this.#time += seconds * 1_000;
    const trace = new CollectionTrace();
    await trace.begin();
    const spans: Span[] = [];
    let events = 0;
    let next = command === undefined ? [] : [command];
    do {
      const before = lookNow();
      events += this.#apply(next);
      spans.push(between(before, lookNow()));
      next = [];
    } while (this.#isDue());
    const collections = await trace.end();
    const times = spans.map((span) => ownOf(span, collections)).sort((a, b) => a - b);
    const at = (share: number): string =>
      (times[Math.floor(times.length * share)] ?? 0).toFixed(1).padStart(5);
    const longest = (times.at(-1) ?? 0).toFixed(1).padStart(5);
    console.log(
      `${what.padEnd(40)} ${count(times.length)} entries, ${count(events)} events; an entry ran: median ${at(0.5)}, p99 ${at(0.99)}, longest ${longest} ms`,
    );
  }

  #isDue(): boolean {
    return this.#machine.nextDue <= this.#time + 1;
  }

  /** Carries out what is not measured, and answers the id of what it made. */
  prepare(command: Command): string {
    this.#apply([command]);
    while (this.#isDue()) this.#apply([]);
    return this.#made;
  }

  #apply(commands: readonly Command[]): number {
    this.#time += 1;
    const records = commands.map((command) => {
      this.#sent += 1;
      return encodeCommand(command, keyFromText(`${this.#sent}`));
    });
    const out: Applied = { replies: [], events: [] };
    const index = logIndex(this.#machine.applied + 1);
    const submissions = decodeSubmissions(Buffer.concat(records));
    this.#machine.apply({ index, time: unixMillis(this.#time), submissions }, out);
    for (const reply of out.replies) {
      if (!reply.ok) throw new Error(`${reply.code}: ${reply.message}`);
      if ('id' in reply) this.#made = reply.id;
    }
    return out.events.length;
  }
}

const by = { actor: 'nurse-1', observedAt: unixMillis(FROM) };
const rule = (id: string, sources: readonly string[]): Command => ({
  type: 'set-inhibition',
  id,
  sources,
  targets: ['HR:'],
  ...by,
});
const count = (value: number): string => value.toLocaleString('en-US').padStart(7);

// As before a replica starts.
await rehearse(new SystemClock());
const timed = new Timed();
timed.fill();
console.log(`${count(ALERTS)} alerts, ${count(BIG)} of them of one gateway`);
for (const nth of ['once', 'again']) {
  timed.prepare(rule('idle', ['PROBE:A', 'PROBE:B', 'PROBE:C', 'PROBE:D']));
  await timed.measure(`a rule goes that explained none, ${nth}`, {
    type: 'remove-inhibition',
    id: 'idle',
    ...by,
  });
  timed.prepare(rule('ecg-off', [SOURCE, 'ECG:INOP']));
  await timed.measure(`a rule goes that explained a third, ${nth}`, {
    type: 'remove-inhibition',
    id: 'ecg-off',
    ...by,
  });
  const id = timed.prepare({
    type: 'open-window',
    unit: 'U7',
    startAt: unixMillis(FROM),
    endAt: unixMillis(FROM + 24 * HOUR_MS),
    reason: 'bench',
    ...by,
  });
  await timed.measure(`a window over a unit ends, ${nth}`, {
    type: 'end-window',
    id: id as WindowId,
    ...by,
  });
  timed.prepare({
    type: 'silence',
    matchers: [
      { field: 'device', values: ['big'] },
      { field: 'unit', values: ['U7'] },
    ],
    seconds: 60,
    reason: 'bench',
    ...by,
  });
  await timed.measure(`a silence over some of a gateway ends, ${nth}`, undefined, 61);
  timed.prepare({ ...alertAt(0), dedupKey: `off-${nth}`, kind: 'technical', condition: SOURCE });
  timed.prepare(rule('ecg-off', [SOURCE]));
  await timed.measure(`a sensor of a gateway is on, ${nth}`, {
    type: 'clear',
    target: { dedupKey: `off-${nth}` },
    ...by,
  });
  timed.prepare({ type: 'heartbeat', source: 'big', leaseSeconds: 30, ...by });
  await timed.measure(`a gateway is lost, ${nth}`, undefined, 31);
}
