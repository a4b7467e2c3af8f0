import { revision } from '../../base/ids.ts';
import { NAME_CHARS_MAX } from '../../base/limits.ts';
import type { Reply } from '../../statemachine/types.ts';
import { ACTIVATION_MAX, alertNumber } from '../commands/parse-parts.ts';
import { EFFECTS, KEPT_EFFECTS, REFUSALS, STATES } from '../commands/words.ts';
import { type ItemReader, malformed } from './item-reader.ts';
import type { ItemWriter } from './item-writer.ts';

/** A reply as an item of a snapshot: which of the three it is, then its fields by place. */

const REFUSAL = 0;
const DONE = 1;
const KEPT = 2;

export function writeReply(out: ItemWriter, reply: Reply): void {
  if (!reply.ok) {
    out.byte(REFUSAL);
    out.whole(REFUSALS.indexOf(reply.code));
    out.unique(reply.message);
  } else if ('alertId' in reply) {
    out.byte(DONE);
    out.whole(EFFECTS.indexOf(reply.effect));
    out.whole(alertNumber(reply.alertId));
    out.whole(reply.activation);
    out.whole(reply.revision);
    out.whole(STATES.indexOf(reply.state));
  } else {
    out.byte(KEPT);
    out.whole(KEPT_EFFECTS.indexOf(reply.effect));
    out.unique(reply.id);
    out.whole(reply.version);
  }
}

/** @throws TocsinError BODY_MALFORMED */
export function readReply(input: ItemReader): Reply {
  const kind = input.byte();
  switch (kind) {
    case REFUSAL:
      return { ok: false, code: input.word(REFUSALS), message: input.uniqueProse() };
    case DONE:
      return {
        ok: true,
        effect: input.word(EFFECTS),
        alertId: input.alertId(),
        activation: input.whole(0, ACTIVATION_MAX),
        revision: revision(input.whole()),
        state: input.word(STATES),
      };
    case KEPT:
      return {
        ok: true,
        effect: input.word(KEPT_EFFECTS),
        id: input.uniqueLine(NAME_CHARS_MAX),
        version: input.whole(),
      };
    default:
      throw malformed(`reply of kind ${kind} is not known`);
  }
}
