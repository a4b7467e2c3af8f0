import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { millis } from '../../src/base/ids.ts';
import { admit } from '../../src/replica/pipeline/disk-room.ts';
import type { Proposal } from '../../src/replica/pipeline/proposals.ts';
import type { BatchReply } from '../../src/statemachine/types.ts';
import { takesRoom } from '../../src/wire/commands/admission.ts';
import { checkCommands, encodeCommand } from '../../src/wire/commands/commands.ts';
import { ROOMS } from '../../src/wire/peers/room.ts';
import { command, key } from '../wire/arbitraries.ts';
import { copyOf, join } from '../wire/helpers.ts';

const sent = fc.array(fc.tuple(command, key), { minLength: 1, maxLength: 8 });

test('what frees room is taken in however little is left, whatever comes with it, until the disk is out of it', () => {
  fc.assert(
    fc.property(sent, fc.constantFrom(...ROOMS), (pairs, room) => {
      const commands = join(pairs.map(([one, itsKey]) => encodeCommand(one, itsKey)));
      let told: readonly BatchReply[] | TocsinError | undefined;
      const proposal: Proposal = {
        ...checkCommands(commands),
        commands,
        deadline: millis(7),
        settle: (outcome) => {
          told = outcome;
        },
      };
      const spared = pairs.filter(([one]) => room === 'ample' || !takesRoom(one));
      const admitted = admit(room, proposal);
      if (room === 'out' || spared.length === 0) {
        expect(admitted).toMatchObject({ code: 'DISK_FULL', outcome: 'none' });
        return;
      }
      if (admitted instanceof TocsinError) throw admitted;
      const body = join(spared.map(([one, itsKey]) => encodeCommand(one, itsKey)));
      expect(copyOf(admitted.commands)).toEqual(body);
      expect(admitted).toMatchObject({ ...checkCommands(body), deadline: 7 });
      const failure = new TocsinError('NOT_LEADER', '');
      admitted.settle(failure);
      expect(told).toBe(failure);
      const replies = spared.map((_, at) => ({
        ok: false as const,
        code: 'CONFLICT' as const,
        message: `${at}`,
      }));
      admitted.settle(replies);
      const ownReplies = replies.values();
      expect(told).toEqual(
        pairs.map((pair) =>
          spared.includes(pair)
            ? ownReplies.next().value
            : { ok: false, code: 'DISK_FULL', message: expect.stringContaining('nearly full') },
        ),
      );
    }),
  );
});
