import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import {
  exitOf,
  type Judgement,
  judgeCluster,
  judgeSilence,
  renderNagios,
  renderPrometheus,
} from '../check/judgement.ts';
import { printable } from '../output/escape.ts';
import { isForPeople } from '../output/formats.ts';
import { Exit, HintedError } from './failure.ts';
import type { Io } from './io.ts';
import { askEverybody } from './members.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, withClient } from './session.ts';
import { whole } from './values.ts';

interface CheckFlags extends ClientFlags {
  readonly trailWarning: number;
  readonly trailCritical: number;
  readonly openWarning?: number;
  readonly openCritical?: number;
  readonly prometheus?: boolean;
}

/** `tocsin check`: for monitoring systems, with exit statuses of their own. */
export function checkCommand(io: Io): Command {
  const command = new Command('check')
    .description('judge the cluster for a monitoring system, in the way of Nagios plugins')
    .option('--trail-warning <entries>', 'a member may trail by so many', whole(0), 1_000)
    .option('--trail-critical <entries>', 'and by so many at most', whole(0), 100_000)
    .option('--open-warning <alerts>', 'so many alerts may be open', whole(0))
    .option('--open-critical <alerts>', 'and so many at most', whole(0))
    .option('--prometheus', 'figures in the text format of Prometheus instead');
  withExamples(addClientOptions(command, '3s'), [
    ['tocsin check', 'is all well?'],
    ['tocsin check --open-warning 50 --open-critical 200', 'is it calm, too?'],
    ['tocsin check --prometheus', 'for the textfile collector'],
  ]);
  command.addHelpText(
    'after',
    '\nExit status, of this command alone: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.',
  );
  return command.action(async (flags: CheckFlags) => {
    const judgement = await judge(io, flags);
    const { level, findings, says, figures } = judgement;
    if (flags.prometheus === true && isForPeople(flags.output))
      io.stdout.write(renderPrometheus(judgement));
    else
      await report(io, flags, {
        value: { level, says, findings, figures },
        text: () =>
          renderNagios(judgement)
            .split('\n')
            .map((line) => printable(line))
            .join('\n'),
      });
    throw new Exit(exitOf(level));
  });
}

async function judge(io: Io, flags: CheckFlags): Promise<Judgement> {
  const { trailWarning, trailCritical, openWarning, openCritical } = flags;
  let judgement: Judgement | undefined;
  try {
    await withClient(io, flags, async (session) => {
      judgement = judgeCluster(await askEverybody(session), {
        trailWarn: trailWarning,
        trailCrit: trailCritical,
        openWarn: openWarning,
        openCrit: openCritical,
      });
    });
  } catch (error) {
    const known = error instanceof HintedError ? error.error : error;
    // What is not the cluster's fault is not for its judge: it ends as UNKNOWN.
    if (!TocsinError.is(known)) throw error;
    if (!known.retryable) return { ...judgeSilence(known.message), level: 'UNKNOWN' };
    return judgeSilence(`${known.code}: ${known.message}`);
  }
  return judgement ?? judgeSilence('nothing was judged');
}
