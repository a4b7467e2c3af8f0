import { Command } from 'commander';
import { LIST_PAGE_MAX } from '../../src/base/limits.ts';
import type { QueryKind, QueryTypes } from '../../src/statemachine/beside/records-beside.ts';
import type { TableOptions } from '../output/table.ts';
import type { Io } from './io.ts';
import { addClientOptions, addConsistencyOption, type ReadFlags, withExamples } from './options.ts';
import { readOptionsOf, report, withClient } from './session.ts';
import { whole } from './values.ts';

interface ListFlags extends ReadFlags {
  readonly limit: number;
  readonly after?: number;
}

export interface Listing<K extends QueryKind> {
  readonly kind: K;
  /** For the help: `tocsin silence list`. */
  readonly line: string;
  readonly says: string;
  /** What there are none of, where the list is empty. */
  readonly none: string;
  readonly render: (
    records: readonly QueryTypes[K][],
    now: number,
    options: TableOptions,
  ) => Promise<string>;
}

/** `… list`: the records of one kind, live ones first. */
export function listCommandOf<K extends QueryKind>(io: Io, listing: Listing<K>): Command {
  const command = new Command('list')
    .description(listing.says)
    .option(
      '--limit <number>',
      `at most so many, up to ${LIST_PAGE_MAX}`,
      whole(1, LIST_PAGE_MAX),
      LIST_PAGE_MAX,
    )
    .option('--after <number>', 'continue after the page that ended so', whole(0));
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    [listing.line, 'for people'],
    [`${listing.line} -o json`, 'for programs'],
  ]).action(async (flags: ListFlags) => {
    await withClient(io, flags, async (session) => {
      const { limit, after } = flags;
      const { value, revision } = await session.client.records(listing.kind, {
        ...readOptionsOf(session, flags),
        limit,
        ...(after === undefined ? {} : { after }),
      });
      const { records, next } = value;
      const text = async (options: TableOptions): Promise<string> => {
        if (records.length === 0 && next === undefined)
          return `no ${listing.none}${after === undefined ? '' : ` after ${after}`} at revision ${revision}\n`;
        const table = await listing.render(records, io.wall(), options);
        return next === undefined ? table : `${table}more: --after ${next}\n`;
      };
      await report(io, flags, {
        value: { revision, records, ...(next === undefined ? {} : { next }) },
        rows: records,
        text,
      });
    });
  });
}
