import { Command, InvalidArgumentError } from 'commander';
import { MEMBERS_MAX } from '../../src/base/limits.ts';
import type { Io } from '../commands/io.ts';
import { addJsonOption, addOutputOptions, withExamples } from '../commands/options.ts';
import { parseAddresses, parseNumber, parseText, whole } from '../commands/values.ts';
import type { ReplayFlags } from './run.ts';

/**
 * `tocsin replay`: plays recordings through rules into a cluster, and checks what the cluster made of them. `io` is the
 * process's own unless given.
 */
export function replayCommand(io?: Io): Command {
  const command = new Command('replay')
    .description(
      'play a folder of recordings through rules into a cluster, and check that what it committed ' +
        'is what was asked, nothing lost and nothing twice; exit status 1 if it is not',
    )
    .argument('<folder>', 'holds recordings named bidmc_NN_Numerics.csv', parseText)
    .option('--rules <file>', 'rules as JSON or YAML (default: the limits of BIDMC, shipped)')
    .option(
      '--speed <factor>',
      'recorded seconds in one second (default: as fast as it goes)',
      speed,
    )
    .option('--out <file>', 'write the alarm transitions that the cluster committed, as CSV')
    .option('--local', 'start replicas for this run, with data in a temporary folder')
    .option('--replicas <count>', 'how many, with --local (default: 3)', whole(1, MEMBERS_MAX))
    .option(
      '--kill-leader-after <rows>',
      'end the process of the leader with SIGKILL after so many rows, with --local',
      whole(1),
    )
    .option(
      '--endpoints <addresses>',
      'replicas of a running cluster, with commas between them',
      parseAddresses,
    )
    .option('--no-progress', 'do not show how far it is');
  return withExamples(addJsonOption(addOutputOptions(command)), [
    ['tocsin replay ./recordings --local', 'three replicas of its own'],
    ['tocsin replay ./recordings --local --kill-leader-after 5000 --out alarms.csv', 'a failover'],
    ['tocsin replay ./recordings --speed 60 --rules ward.yaml', 'an hour in a minute'],
  ]).action(async (folder: string, given: ReplayFlags) => {
    // What the environment says of endpoints is for other clusters than the run's own.
    const isAmbient = command.getOptionValueSource('endpoints') === 'config';
    const { endpoints, ...others } = given;
    const flags = given.local === true && isAmbient ? others : given;
    const { runReplay } = await import('./run.ts');
    const { processIo } = await import('../commands/process-io.ts');
    await runReplay(folder, flags, io ?? processIo());
  });
}

function speed(text: string): number {
  const value = parseNumber(text);
  if (value > 0 && value <= SPEED_MAX) return value;
  throw new InvalidArgumentError(`It must be above 0 and at most ${SPEED_MAX}.`);
}

const SPEED_MAX = 1_000_000;
