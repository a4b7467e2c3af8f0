import type { ChangeReport, QuorumTally } from '../../src/wire/clients/admin-messages.ts';
import type { ReplicaAddress, ReplicaStatus } from '../../src/wire/clients/status.ts';
import { printable } from './escape.ts';
import { type Column, renderTable, renderTableOr, type TableOptions } from './table.ts';

const OUTCOMES: Readonly<Record<ChangeReport['outcome'], string>> = {
  done: 'done: it is committed',
  unchanged: 'nothing to do',
  planned: 'nothing was done; this is what it would do',
  refused: 'refused',
};

/** What became, or would become, of a change: the members, and what the cluster can lose before and after. */
export function renderChange(report: ChangeReport, options: TableOptions): string {
  const { outcome, says, before, after, members } = report;
  const verdict = says === '' ? OUTCOMES[outcome] : `${OUTCOMES[outcome]}: ${printable(says)}`;
  return [
    renderMembers(members, options),
    `\nbefore: ${sentenceOf(before)}\nafter:  ${sentenceOf(after)}\n`,
    `${options.paint(outcome === 'refused' ? 'bad' : 'good', verdict)}\n`,
  ].join('');
}

/** What a replica knows that was formatted to join and is not added yet. */
export const NO_MEMBERS =
  'who answered knows no members: it waits until tocsin cluster add adds it';

export const renderMembers = (members: readonly ReplicaAddress[], options: TableOptions): string =>
  renderTableOr(NO_MEMBERS, COLUMNS, members, options);

const COLUMNS: readonly Column<ReplicaAddress>[] = [
  { title: 'ID', cell: ({ id }) => String(id), align: 'right' },
  { title: 'ADDRESS', cell: ({ address }) => printable(address), shrinkTo: 24 },
  { title: 'ROLE', cell: ({ roles = [] }) => roles.join(', ') || '-' },
  { title: 'PRIORITY', cell: ({ priority }) => String(priority ?? '-'), align: 'right', drop: 1 },
];

function sentenceOf({ voters, needed, alive }: QuorumTally): string {
  const spare = alive - needed;
  const verdict = spare < 0 ? `${-spare} too few` : `${spare} more may fail`;
  return `${voters} ${voters === 1 ? 'voter' : 'voters'}, ${needed} needed, ${alive} there: ${verdict}`;
}

/** What each replica holds, and whether two hold different things at the same entry. */
export function renderDigests(
  statuses: readonly ReplicaStatus[],
  differing: readonly number[],
  options: TableOptions,
): string {
  const verdict =
    differing.length === 0
      ? options.paint('good', 'no two replicas differ at the same entry')
      : options.paint('bad', `replicas ${differing.join(' and ')} differ at the same entry`);
  const alarms = statuses.flatMap(({ replicaId, alarms: all }) =>
    all.map(({ says }) => `replica ${replicaId}: ${printable(says)}\n`),
  );
  return [renderTable(DIGESTS, statuses, options), `\n${verdict}\n`, ...alarms].join('');
}

const DIGESTS: readonly Column<ReplicaStatus>[] = [
  { title: 'ID', cell: ({ replicaId }) => String(replicaId), align: 'right' },
  { title: 'APPLIED', cell: ({ applied }) => String(applied), align: 'right' },
  { title: 'REVISION', cell: ({ revision }) => String(revision), align: 'right' },
  { title: 'DIGEST', cell: ({ digest }) => digest },
];
