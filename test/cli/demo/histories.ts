import type { Held, Told } from '../../../cli/demo/account.ts';
import { logIndex, unixMillis } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import type { Command } from '../../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../../src/statemachine/machine.ts';
import { isDone, type Priority, type RaiseCommand } from '../../../src/statemachine/types.ts';

/** What callers were told and what three replicas hold, when everything went well. */
export interface Good {
  readonly told: readonly Told[];
  readonly held: readonly Held[];
}

const KEYS = ['phys:p1:m1:HR:HI', 'phys:p1:m1:SpO2:LO', 'tech:p2:m2:HR:TEC', 'demo:probe'];
const PRIORITIES: readonly Priority[] = ['high', 'medium', 'low', 'none'];

/** A good history of so many commands; some callers were told nothing certain, of commands done and not done. */
export function goodHistory(seed: number, commands: number): Good {
  const prng = new Prng(seed);
  const machine = new AlertMachine({ repliesMax: 1_000 });
  const out: Applied = { replies: [], events: [] };
  const told: Told[] = [];
  for (let at = 1; at <= commands; at += 1) {
    const command = draw(prng, at, out);
    if (prng.chance(0.05)) {
      told.push({ command, outcome: prng.chance(0.5) ? 'none' : 'unknown' });
      continue;
    }
    const submissions = [{ key: String(at).padStart(32, '0'), fingerprint: at, command }];
    const batch = { index: logIndex(at), time: unixMillis(1_000 + at), submissions };
    machine.apply(batch, out);
    const reply = out.replies.at(-1);
    const outcome = reply !== undefined && isDone(reply) ? reply : 'none';
    told.push({ command, outcome: outcome !== 'none' && prng.chance(0.1) ? 'unknown' : outcome });
  }
  const alerts = machine.list({}, { limit: 1_000 }).alerts;
  const digest = machine.digest.toString(16);
  const held = [1, 2, 3].map((replica) => ({
    replica,
    events: out.events,
    alerts,
    applied: commands,
    digest,
  }));
  return { told, held };
}

function draw(prng: Prng, at: number, { events }: Applied): Command {
  const origin = {
    actor: prng.pick(['monitor', 'nurse-1', 'nurse-2']),
    observedAt: unixMillis(at),
  };
  const dedupKey = prng.pick(KEYS);
  const latest = events.length > 0 ? prng.pick(events.slice(-4)).alert : undefined;
  const target = latest === undefined || prng.chance(0.5) ? { dedupKey } : { id: latest.id };
  const choice = prng.unit();
  if (choice < 0.5) return raiseOf(prng, dedupKey, origin);
  if (choice < 0.75) return { type: 'clear', target, ...origin };
  return { type: 'acknowledge', target, ...origin, ...(prng.chance(0.3) ? { note: 'seen' } : {}) };
}

const raiseOf = (
  prng: Prng,
  dedupKey: string,
  origin: Pick<RaiseCommand, 'actor' | 'observedAt'>,
): RaiseCommand => ({
  type: 'raise',
  dedupKey,
  kind: 'physiological',
  priority: prng.pick(PRIORITIES),
  condition: 'HR:HI',
  text: prng.pick(['Tachycardia', 'Extreme tachycardia']),
  subject: { bed: 'B01', patient: 'pt-07f3' },
  latching: dedupKey.startsWith('tech'),
  acknowledgementRequired: false,
  ...(prng.chance(0.5) ? { cause: { metric: 'HR', value: prng.between(100, 200) } } : {}),
  ...(prng.chance(0.2) ? { labels: { b: '2', a: '1' } } : {}),
  ...origin,
});
