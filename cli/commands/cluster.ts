import { Command } from 'commander';
import { MEANING } from '../../src/base/errors.ts';
import { clusterJson, membersJson } from '../output/cluster.ts';
import { Exit } from './failure.ts';
import type { Io } from './io.ts';
import { askEverybody } from './members.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, withClient } from './session.ts';

/** `tocsin cluster …`. */
export function clusterCommand(io: Io): Command {
  const group = new Command('cluster')
    .description('look at the replicas')
    .usage('<command> [options]')
    .addCommand(statusCommand(io));
  return withExamples(group, [['tocsin cluster status', 'who leads, who trails, who is away']]);
}

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
