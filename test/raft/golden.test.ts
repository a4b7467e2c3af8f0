import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { renderConfiguration } from '../../src/raft/configuration.ts';
import { renderMessage } from '../../src/raft/render.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';

/**
 * Golden interaction scripts: a command a line, `----`, what came of it. The file's name is the claim, its comments say
 * why. `UPDATE=1` rewrites them; read the diff. Commands:
 *
 *   cluster N [OPTION X …]    campaign R         propose R NAME      read R CONTEXT
 *   tick R [TIMES]            sync R | sync all  deliver [A>B …]     drop [A>B …]
 *   crash R [SURVIVE]         start R [FORGETS]  lost R PEER         transfer R TO
 *   stalled R TICKS           prefer R
 *   compact R TO              fetch R            mute R on|off       stepdown R
 *   change R VOTERS LEARNERS  members            settle              calm TICKS
 *   state
 *
 * Options of a cluster: `entries` at most so many in an append, `voters` of the first configuration. Lists of ids have commas.
 */
const FOLDER = join(import.meta.dirname, 'golden');

class Script {
  #cluster: CoreCluster | undefined;

  run(command: string): string {
    const [verb = '', ...words] = command.split(/\s+/);
    if (verb === 'cluster') {
      this.#cluster = clusterOf(words);
      return 'ok';
    }
    const cluster = this.#cluster;
    if (cluster === undefined) throw new Error('a script begins with: cluster N');
    const before = cluster.network.length;
    const order = ORDERS[verb];
    if (order === undefined) throw new Error(`unknown command: ${verb}`);
    const note = order(cluster, Number(words[0]), words);
    const sent = cluster.network
      .slice(verb === 'deliver' || verb === 'drop' ? cluster.network.length : before)
      .map((item) => renderMessage(item.message));
    return [...note, ...sent].join('\n') || 'nothing';
  }
}

function clusterOf(words: readonly string[]): CoreCluster {
  const size = Number(words[0]);
  const option = (name: string): number | undefined =>
    words.includes(name) ? Number(words[words.indexOf(name) + 1]) : undefined;
  const entries = option('entries');
  const raft = entries === undefined ? {} : { appendEntriesMax: entries };
  return new CoreCluster({ size, seed: 1, raft, voters: option('voters') ?? size });
}

type Words = readonly string[];
type Order = (cluster: CoreCluster, id: number, words: Words) => readonly string[];

/** An order that shows nothing but what it sets in motion. */
const silent =
  (order: (cluster: CoreCluster, id: number, words: Words) => void): Order =>
  (cluster, id, words) => {
    order(cluster, id, words);
    return [];
  };

const ORDERS: Readonly<Record<string, Order>> = {
  campaign: silent((cluster, id) => cluster.campaign(id)),
  read: silent((cluster, id, words) => cluster.read(id, Number(words[1]))),
  crash: silent((cluster, id, words) => cluster.crash(id, Number(words[1] ?? 0))),
  start: silent((cluster, id, words) =>
    cluster.start(id, words[1] === undefined ? undefined : Number(words[1])),
  ),
  stalled: silent((cluster, id, words) => cluster.stalled(id, Number(words[1]))),
  prefer: silent((cluster, id) => cluster.prefer(new Map([[replicaId(id), 1]]))),
  lost: silent((cluster, id, words) => cluster.peerLost(id, Number(words[1]))),
  compact: silent((cluster, id, words) => cluster.compact(id, Number(words[1]))),
  mute: silent((cluster, id, words) => cluster.mute(id, words[1] === 'on')),
  stepdown: silent((cluster, id) => cluster.stepDown(id)),
  tick: silent((cluster, id, words) => {
    for (let times = Number(words[1] ?? 1); times > 0; times -= 1) cluster.tick(id);
  }),
  sync: silent((cluster, id, words) => {
    for (const member of cluster.running)
      if (words[0] === 'all' || member.id === id)
        while (member.writes.length > 0) cluster.sync(member.id);
  }),
  propose: (cluster, id, words) => {
    const index = cluster.propose(id, words[1] ?? '');
    return [index === undefined ? 'not taken' : `at ${index}`];
  },
  deliver: (cluster, _id, words) => deliver(cluster, words),
  drop: (cluster, _id, words) =>
    take(cluster, words).map((at) => {
      const [item] = cluster.network.splice(at, 1);
      return item === undefined ? '' : `dropped  ${renderMessage(item.message)}`;
    }),
  transfer: (cluster, id, words) => [cluster.transfer(id, Number(words[1])) ? 'begun' : 'refused'],
  fetch: (cluster, id) => [cluster.fetch(id) ? 'installed' : 'nothing new'],
  change: (cluster, id, words) => {
    const result = cluster.change(id, idsIn(words[1]), idsIn(words[2]));
    return [result.ok ? 'begun' : `${result.reason}: ${result.says}`];
  },
  members: (cluster) => members(cluster),
  calm: (cluster, ticks) => {
    cluster.calm(ticks);
    return state(cluster);
  },
  settle: (cluster) => {
    cluster.settle();
    return state(cluster);
  },
  state: (cluster) => state(cluster),
};

const idsIn = (list: string | undefined): number[] => list?.split(',').map(Number) ?? [];

/** Who takes part, as each member has it in its log; and in brackets what of that is committed, if it differs. */
function members(cluster: CoreCluster): string[] {
  return cluster.members.flatMap(({ id, core }) => {
    if (core === undefined) return [];
    const now = renderConfiguration(core.configuration);
    const committed = renderConfiguration(core.configurationAt(core.committed));
    return [`${id}: ${now || 'nobody'}${now === committed ? '' : ` [${committed || 'nobody'}]`}`];
  });
}

const fits = (words: readonly string[], from: number, to: number): boolean =>
  words.length === 0 || words.includes(`${from}>${to}`);

/** Places in the network of what fits, the last first, so that taking one does not move the others. */
function take(cluster: CoreCluster, words: readonly string[]): number[] {
  return cluster.network
    .flatMap(({ message }, at) => (fits(words, message.from, message.to) ? [at] : []))
    .reverse();
}

/** Delivers what is under way now, in order, and shows what that set in motion. */
function deliver(cluster: CoreCluster, words: readonly string[]): string[] {
  const due = cluster.network.filter(({ message }) => fits(words, message.from, message.to));
  const lines: string[] = [];
  for (const item of due) {
    const known = new Set(cluster.network);
    cluster.deliver(cluster.network.indexOf(item));
    const set = cluster.network.filter((each) => !known.has(each));
    lines.push(...set.map((each) => renderMessage(each.message)));
  }
  return lines;
}

function state(cluster: CoreCluster): string[] {
  const reads = [...cluster.reads].map(([context, answer]) =>
    answer === 'dropped' ? `read ${context}: dropped` : `read ${context}: ≤ ${answer.index}`,
  );
  const members = cluster.members.map((member) => {
    if (member.core === undefined) return `${member.id}: down`;
    const { role, term, leader } = member.core.standing;
    const log = Array.from({ length: member.core.last.index }, (_, at) =>
      String(member.core?.termAt(at + 1) ?? '·'),
    ).join('');
    return `${member.id}: ${role} t${term} leader=${leader ?? '-'} log=${log || '-'} commit=${member.core.committed}`;
  });
  return [...members, ...reads];
}

/** `$ command` lines with their output after `----`, up to the next blank line. */
function replay(text: string): string {
  const script = new Script();
  const out: string[] = [];
  let skipping = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('$ ')) {
      out.push(line, '----', script.run(line.slice(2)), '');
      skipping = true;
    } else if (line.startsWith('#') || (line === '' && !skipping)) {
      if (line.startsWith('#')) skipping = false;
      out.push(line);
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test('there are golden scripts', () => {
  expect(scripts.length).toBeGreaterThan(5);
});

test.each(scripts)('%s', (name) => {
  const path = join(FOLDER, name);
  const expected = readFileSync(path, 'utf8');
  const actual = replay(expected);
  if (process.env['UPDATE'] === '1') writeFileSync(path, actual);
  else expect(actual).toBe(expected);
});
