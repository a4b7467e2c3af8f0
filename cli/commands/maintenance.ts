import { Command } from 'commander';
import { unixMillis } from '../../src/base/ids.ts';
import type { WindowId } from '../../src/statemachine/beside/suppression.ts';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { parseInstant, parseText } from './values.ts';
import { addRecordOptions, keep, parseSeconds, type WriteFlags } from './writing.ts';

/** `tocsin maintenance …`. */
export function maintenanceCommand(io: Io): Command {
  const group = new Command('maintenance')
    .description('maintenance windows: places and devices that are being worked on')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'window',
        line: 'tocsin maintenance list',
        says: 'list the windows, those that are not over first',
        none: 'maintenance windows',
        render: async (...view) =>
          (await import('../output/record-tables.ts')).renderWindows(...view),
      }),
    )
    .addCommand(openCommand(io))
    .addCommand(endCommand(io));
  return withExamples(group, [
    ['tocsin maintenance list', 'what is being worked on'],
    ['tocsin maintenance open --device mon-3 --for 1h --reason calibration', 'from now on'],
    ['tocsin maintenance end M4', 'before its time'],
  ]);
}

interface OpenFlags extends WriteFlags {
  readonly unit?: string;
  readonly bed?: string;
  readonly device?: string;
  readonly from?: number;
  readonly for: number;
  readonly reason: string;
}

function openCommand(io: Io): Command {
  const command = new Command('open')
    .description('mark the alerts of a place or a device for a time; they stay in every list')
    .option('--unit <unit>', 'ward or unit', parseText)
    .option('--bed <bed>', 'bed', parseText)
    .option('--device <device>', 'device', parseText)
    .option('--from <time>', 'when it begins (default: now)', parseInstant)
    .requiredOption('--for <duration>', 'how long it lasts', parseSeconds)
    .requiredOption('--reason <text>', 'why', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin maintenance open --device mon-3 --for 1h --reason calibration', 'a device'],
    [
      "tocsin maintenance open --unit icu-2 --bed 7 --from 2026-12-01T08:00:00Z --for 2h --reason 'new monitor'",
      'a bed, later',
    ],
  ]).action(async (flags: OpenFlags) => {
    const { unit, bed, device, reason } = flags;
    const startAt = unixMillis(flags.from ?? io.wall());
    const scope = {
      ...(unit === undefined ? {} : { unit }),
      ...(bed === undefined ? {} : { bed }),
      ...(device === undefined ? {} : { device }),
    };
    await keep(io, flags, (client, said, options) =>
      client.keep(
        {
          type: 'open-window',
          ...scope,
          startAt,
          endAt: unixMillis(startAt + flags.for * 1_000),
          reason,
          ...said,
        },
        options,
      ),
    );
  });
}

function endCommand(io: Io): Command {
  const command = new Command('end')
    .description('end a window before its time; windows are never removed')
    .argument('<id>', 'window id such as M4', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin maintenance end M4', 'the work is done'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'end-window', id: id as WindowId, ...said }, options),
    );
  });
}
