import { Command } from 'commander';
import { MEANING } from '../../src/base/errors.ts';
import { clusterJson, membersJson } from '../output/cluster.ts';
import { changeCommands } from './cluster-change.ts';
import { Exit } from './failure.ts';
import type { Io } from './io.ts';
import { askEverybody } from './members.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, withClient } from './session.ts';

/** `tocsin cluster …`. */
export function clusterCommand(io: Io): Command {
  const group = new Command('cluster')
    .description('look at the replicas, change who takes part and who leads')
    .usage('<command> [options]')
    .addCommand(statusCommand(io))
    .addCommand(membersCommand(io))
    .addCommand(digestCommand(io));
  for (const command of changeCommands(io)) group.addCommand(command);
  return withExamples(group, [
    ['tocsin cluster status', 'who leads, who trails, who is away'],
    ['tocsin cluster add ADDRESS --promote', 'let a new replica in'],
    ['tocsin cluster transfer', 'let another one lead'],
  ]);
}

/** Who takes part, as the first replica that answers knows it. */
function membersCommand(io: Io): Command {
  const command = new Command('members').description('who takes part, and how');
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin cluster members', 'voters, learners, and where they are'],
  ]).action(async (flags: ClientFlags) => {
    await withClient(io, flags, async ({ client, timeoutMs, signal }) => {
      const { members } = await client.status(undefined, { timeoutMs, signal });
      const { renderMembers } = await import('../output/change.ts');
      await report(io, flags, {
        value: members,
        rows: members,
        text: (options) => renderMembers(members, options),
      });
    });
  });
}

/** Whether all replicas hold the same. */
function digestCommand(io: Io): Command {
  const command = new Command('digest').description(
    'compare what the replicas hold; exit status 5 if they differ at the same entry',
  );
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin cluster digest', 'equal entry, equal digest'],
  ]).action(async (flags: ClientFlags) => {
    await withClient(io, flags, async (session) => {
      const view = await askEverybody(session);
      const rows = view.members.flatMap(({ status }) => (status === undefined ? [] : [status]));
      const lines = rows.map(({ replicaId, applied, revision, digest, alarms }) => ({
        replicaId,
        applied,
        revision,
        digest,
        alarms,
      }));
      const { renderDigests } = await import('../output/change.ts');
      await report(io, flags, {
        value: { differing: view.differing, replicas: lines },
        rows: lines,
        text: (options) => renderDigests(rows, view.differing, options),
      });
      if (view.differing.length > 0) throw new Exit(DIFFERS);
    });
  });
}

const DIFFERS = 5;

/** Asks every member, reached or not. */
function statusCommand(io: Io): Command {
  const command = new Command('status').description(
    'show every member of the cluster; exit status 6 if a majority knows no leader',
  );
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin cluster status', 'who leads, who trails, who is away'],
    ['tocsin cluster status -o json', 'for programs'],
  ]).action(async (flags: ClientFlags) => {
    await withClient(io, flags, async (session) => {
      const view = await askEverybody(session);
      const { renderCluster } = await import('../output/cluster-table.ts');
      await report(io, flags, {
        value: clusterJson(view),
        rows: membersJson(view),
        text: (options) => renderCluster(view, options),
      });
      // The table has said it already.
      if (view.leader === undefined) throw new Exit(MEANING.UNAVAILABLE.exit);
    });
  });
}
