import { Command } from 'commander';
import type { Io } from './io.ts';
import { withExamples } from './options.ts';
import { listCommandOf } from './record-list.ts';
import { parseText, parseTexts } from './values.ts';
import { ADD_REASON, addRecordOptions, confirmable, keep, type WriteFlags } from './writing.ts';

/** `tocsin bed …`, `tocsin patient …`, `tocsin device …`: who is where, and what measures them. */

export function bedCommand(io: Io): Command {
  const group = new Command('bed')
    .description('beds, and who is in them')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'bed',
        line: 'tocsin bed list',
        says: 'list the beds, and who is in them',
        none: 'beds',
        render: async (...view) => (await import('../output/ward-tables.ts')).renderBeds(...view),
      }),
    )
    .addCommand(bedChange(io, 'set', 'make a bed known', 'a bed that patients can be in'))
    .addCommand(
      bedChange(io, 'remove', 'forget a bed that is empty', 'nobody is in it, and no device at it'),
    );
  return withExamples(group, [
    ['tocsin bed list', 'who is where'],
    ['tocsin bed set icu-2 7', 'a new bed'],
  ]);
}

function bedChange(io: Io, verb: 'set' | 'remove', says: string, purpose: string): Command {
  const command = new Command(verb)
    .description(says)
    .argument('<unit>', 'ward or unit', parseText)
    .argument('<bed>', 'its name there', parseText);
  return withExamples(addRecordOptions(command), [[`tocsin bed ${verb} icu-2 7`, purpose]]).action(
    async (unit: string, bed: string, flags: WriteFlags) => {
      await keep(io, flags, (client, said, options) =>
        client.keep({ type: `${verb}-bed`, unit, bed, ...said }, options),
      );
    },
  );
}

export function patientCommand(io: Io): Command {
  const group = new Command('patient')
    .description(
      'patients by pseudonym: admitted, moved and discharged, and their alerts with them',
    )
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'patient',
        line: 'tocsin patient list',
        says: 'list the patients, those who are there first',
        none: 'patients',
        render: async (...view) =>
          (await import('../output/ward-tables.ts')).renderPatients(...view),
      }),
    )
    .addCommand(admitCommand(io))
    .addCommand(moveCommand(io))
    .addCommand(leaveCommand(io));
  return withExamples(group, [
    ['tocsin patient admit pt-7f3 icu-2 7', 'into an empty bed'],
    ['tocsin patient move pt-7f3 icu-2 9 --with mon-3', 'the monitor goes along'],
    ["tocsin patient discharge pt-7f3 --reason 'to the ward'", 'open alerts end with it'],
  ]);
}

function admitCommand(io: Io): Command {
  const command = new Command('admit')
    .description('put a patient into an empty bed; never give a name, only a pseudonym')
    .argument('<patient>', 'pseudonym', parseText)
    .argument('<unit>', 'ward or unit', parseText)
    .argument('<bed>', 'bed', parseText);
  return withExamples(addRecordOptions(command), [
    [
      'tocsin patient admit pt-7f3 icu-2 7',
      'alerts of the devices at that bed are about pt-7f3 now',
    ],
  ]).action(async (patient: string, unit: string, bed: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'admit-patient', patient, unit, bed, ...said }, options),
    );
  });
}

interface MoveFlags extends WriteFlags {
  readonly with?: readonly string[];
  readonly policy?: string;
}

function moveCommand(io: Io): Command {
  const command = new Command('move')
    .description('move a patient; open alerts go along, those of devices that stay become stale')
    .argument('<patient>', 'pseudonym', parseText)
    .argument('<unit>', 'ward or unit', parseText)
    .argument('<bed>', 'an empty bed', parseText)
    .option('--with <device>', 'a device that goes along; repeat the flag for more', parseTexts)
    .option('--policy <id>', 'escalation policy there; begins at its first step', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin patient move pt-7f3 icu-2 9 --with mon-3', 'the monitor goes along'],
    ['tocsin patient move pt-7f3 ward-1 3 --policy ward', 'the monitors stay, others are told'],
  ]).action(async (patient: string, unit: string, bed: string, flags: MoveFlags) => {
    const { with: devices = [], policy } = flags;
    const how = policy === undefined ? {} : { policy };
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'move-patient', patient, unit, bed, devices, ...how, ...said }, options),
    );
  });
}

interface LeaveFlags extends WriteFlags {
  readonly reason?: string;
}

function leaveCommand(io: Io): Command {
  const command = new Command('discharge')
    .description('a patient leaves: the bed is empty, and open alerts end')
    .argument('<patient>', 'pseudonym', parseText)
    .option('--reason <text>', 'needed while a high alert is not acknowledged', parseText);
  return withExamples(addRecordOptions(command), [
    ["tocsin patient discharge pt-7f3 --reason 'to the ward'", 'whatever is open'],
  ]).action(async (patient: string, flags: LeaveFlags) => {
    const { reason } = flags;
    const why = reason === undefined ? {} : { reason };
    await keep(io, flags, (client, said, options) =>
      confirmable(
        client.keep({ type: 'discharge-patient', patient, ...why, ...said }, options),
        ADD_REASON,
      ),
    );
  });
}

export function deviceCommand(io: Io): Command {
  const group = new Command('device')
    .description('devices, and the beds that they are at')
    .usage('<command> [options]')
    .addCommand(
      listCommandOf(io, {
        kind: 'device',
        line: 'tocsin device list',
        says: 'list the devices, and where they are',
        none: 'devices',
        render: async (...view) =>
          (await import('../output/ward-tables.ts')).renderDevices(...view),
      }),
    )
    .addCommand(attachCommand(io))
    .addCommand(deviceChange(io, 'detach', 'take a device from its bed; its alerts become stale'))
    .addCommand(deviceChange(io, 'remove', 'forget a device that is at no bed'));
  return withExamples(group, [
    ['tocsin device attach mon-3 icu-2 7', 'its alerts are about that bed, and who is in it'],
    ['tocsin device detach mon-3', 'to be cleaned'],
  ]);
}

interface AttachFlags extends WriteFlags {
  readonly model?: string;
}

function attachCommand(io: Io): Command {
  const command = new Command('attach')
    .description('put a device at a bed: alerts that name it alone are about that bed')
    .argument('<device>', 'as in the subject of its alerts', parseText)
    .argument('<unit>', 'ward or unit', parseText)
    .argument('<bed>', 'bed', parseText)
    .option('--model <name>', 'what it is', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin device attach mon-3 icu-2 7 --model CM-9', 'a monitor at bed 7'],
  ]).action(async (device: string, unit: string, bed: string, flags: AttachFlags) => {
    const { model } = flags;
    const what = model === undefined ? {} : { model };
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'attach-device', device, unit, bed, ...what, ...said }, options),
    );
  });
}

function deviceChange(io: Io, verb: 'detach' | 'remove', says: string): Command {
  const command = new Command(verb)
    .description(says)
    .argument('<device>', 'as in the subject of its alerts', parseText);
  return withExamples(addRecordOptions(command), [[`tocsin device ${verb} mon-3`, says]]).action(
    async (device: string, flags: WriteFlags) => {
      await keep(io, flags, (client, said, options) =>
        client.keep({ type: `${verb}-device`, device, ...said }, options),
      );
    },
  );
}
