import fc from 'fast-check';
import { aRevision, count, type Gen, name, record, when, whole } from './basic-arbitraries.ts';

const some = fc.array(name, { minLength: 1, maxLength: 3 });
const gone = fc.array(record({ device: name, at: aRevision }, {}), { minLength: 1, maxLength: 3 });
const rule = record({ sources: some, targets: some }, {});

/** A sweep that is not through, with what it can be the end of. */
export const sweepOf = (silence: Gen<unknown>, window: Gen<unknown>): Gen<unknown> =>
  record(
    {
      id: whole(1, 999).map((number) => `K${number}`),
      version: count,
      cause: fc.oneof(
        record({ over: fc.constant('silence'), silence }, {}),
        record({ over: fc.constant('window'), window }, {}),
        record({ over: fc.constant('explanation'), rule, gone }, {}),
        record({ over: fc.constant('rule'), rule }, {}),
        record({ over: fc.constant('measuring'), device: name }, {}),
      ),
      at: when,
      until: aRevision,
      done: count,
      by: name,
      dueAt: when,
    },
    {},
  );
