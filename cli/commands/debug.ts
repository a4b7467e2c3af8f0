import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { settingsOf } from '../config/settings.ts';
import { surroundingsOf } from '../config/surroundings.ts';
import { leavesOf } from '../config/tree.ts';
import { explainCluster } from '../explain/cluster.ts';
import { clusterJson } from '../output/cluster.ts';
import { printable } from '../output/escape.ts';
import { formatInstant } from '../output/time.ts';
import type { WholeProgram } from './config.ts';
import { HintedError } from './failure.ts';
import type { Io } from './io.ts';
import { askEverybody } from './members.ts';
import { addClientOptions, type ClientFlags, durationOption, withExamples } from './options.ts';
import { report, withClient } from './session.ts';
import { parseText } from './values.ts';
import { packageVersion } from './version.ts';

/** `tocsin debug …`: for whoever has to find out from afar. */
export function debugCommand(io: Io, wholeProgram: WholeProgram): Command {
  const group = new Command('debug')
    .description('gather what somebody needs who has to find out from afar')
    .usage('<command> [options]')
    .addCommand(bundleCommand(io, wholeProgram));
  return withExamples(group, [['tocsin debug bundle', 'everything in one file']]);
}

interface BundleFlags extends ClientFlags {
  readonly out?: string;
  readonly data: string;
  readonly measureFor: number;
}

function bundleCommand(io: Io, wholeProgram: WholeProgram): Command {
  const command = new Command('bundle')
    .description(
      'write versions, settings, the state of every member and measurements of this machine to one JSON file; nothing of alerts or patients',
    )
    .option('--out <file>', 'where to (default: tocsin-bundle-TIME.json here)', parseText)
    .option('--data <folder>', 'on the disk to be measured', parseText, '.')
    .addOption(durationOption('--measure-for <duration>', 'how long to measure', '1s'));
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin debug bundle --measure-for 100ms', 'everything in one file'],
    ['tocsin debug bundle --out for-support.json', 'under this name'],
  ]).action(async (flags: BundleFlags) => {
    const time = formatInstant(io.wall());
    const path = flags.out ?? `tocsin-bundle-${time.replaceAll(':', '')}.json`;
    const parts = {
      time,
      version: packageVersion(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      settings: await kept(() => settings(io, wholeProgram)),
      cluster: await kept(() => cluster(io, flags)),
      machine: await kept(() => machine(flags)),
    };
    await io.files.write(path, `${JSON.stringify(parts, undefined, 2)}\n`);
    const failed = Object.entries(parts).flatMap(([name, part]) =>
      typeof part === 'object' && 'failed' in part ? [name] : [],
    );
    await report(io, flags, {
      value: { path, failed },
      text: () =>
        `wrote ${printable(path)}${failed.length === 0 ? '' : `; without ${failed.join(', ')}: the file says why`}\n`,
    });
  });
}

/** What cannot be found out is part of what was found out. */
async function kept(find: () => Promise<unknown>): Promise<object> {
  try {
    return { found: await find() };
  } catch (error) {
    const known = error instanceof HintedError ? error.error : error;
    return { failed: TocsinError.is(known) ? `${known.code}: ${known.message}` : String(known) };
  }
}

/** Which settings are set, and where; not what to, which may name people or places, but for addresses and times. */
async function settings(io: Io, wholeProgram: WholeProgram): Promise<unknown> {
  const surroundings = await surroundingsOf(io, undefined);
  const set = leavesOf(await wholeProgram()).flatMap(({ path, command }) =>
    settingsOf(command, path, surroundings).filter(({ text }) => text !== undefined),
  );
  const shown = set.map(({ key, origin, text }) => ({
    key,
    origin,
    ...(TELLABLE.has(key) ? { text } : {}),
  }));
  return [...new Map(shown.map((one) => [JSON.stringify(one), one])).values()];
}

const TELLABLE: ReadonlySet<string> = new Set(['endpoints', 'timeout', 'output', 'consistency']);

async function cluster(io: Io, flags: BundleFlags): Promise<unknown> {
  let found: unknown;
  await withClient(io, flags, async (session) => {
    const view = await askEverybody(session);
    found = { ...explainCluster(view), seen: clusterJson(view) };
  });
  return found;
}

async function machine({ data: folder, measureFor: durationMs }: BundleFlags): Promise<unknown> {
  const [{ measure }, { verdictsOf }] = await Promise.all([
    import('../doctor/probes.ts'),
    import('../doctor/verdicts.ts'),
  ]);
  const measured = await measure({ folder, durationMs, timeServer: undefined });
  return { measured, verdicts: verdictsOf(measured) };
}
