import { TocsinError } from '../../base/errors.ts';
import type { ReplicaId } from '../../base/ids.ts';
import type { Standing } from '../../raft/types.ts';
import type { Members } from '../peers/members.ts';

/** What callers are told by a replica that does not lead, or leads no more. */

export function notLeading({ leader }: Standing, self: ReplicaId, members: Members): TocsinError {
  if (leader === undefined || leader === self)
    return new TocsinError('UNAVAILABLE', `replica ${self} knows no leader now`);
  const address = members.addressOf(leader);
  return new TocsinError('NOT_LEADER', `replica ${leader} leads`, { leader: address });
}

export const describeStanding = ({ term, leader }: Standing): string =>
  `term ${term}: ${leader === undefined ? 'no leader known' : `replica ${leader} leads`}`;

export const unknownOutcome = (why: string): TocsinError =>
  new TocsinError('OUTCOME_UNKNOWN', `${why}; the command may or may not be written`);
