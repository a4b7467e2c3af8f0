import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import { NO_MEMBERS } from './change.ts';
import type { ClusterView, MemberView } from './cluster.ts';
import { printable } from './escape.ts';
import type { Paint } from './paint.ts';
import { type Column, renderTable, type TableOptions } from './table.ts';
import { formatDuration } from './time.ts';

/** A line per member, and below it the sentence to read first at night. */
export function renderCluster(view: ClusterView, options: TableOptions): string {
  const { members, clusterId } = view;
  if (members.length === 0) return `cluster ${clusterId}: ${NO_MEMBERS}\n`;
  return (
    renderTable(columnsOf(view, options.paint), members, options) + verdictOf(view, options.paint)
  );
}

const DIGEST_CHARS = 8;

function columnsOf(view: ClusterView, paint: Paint): readonly Column<MemberView>[] {
  const of =
    (read: (status: ReplicaStatus) => string) =>
    ({ status }: MemberView): string =>
      status === undefined ? '-' : read(status);
  return [
    { title: 'ID', cell: ({ id }) => String(id), align: 'right' },
    { title: 'ADDRESS', cell: ({ address }) => printable(address), shrinkTo: 24 },
    { title: 'ROLE', cell: (member) => roleOf(member, paint) },
    { title: 'TERM', cell: of(({ term }) => String(term)), align: 'right' },
    {
      title: 'LEADER',
      cell: of(({ leader }) => String(leader ?? 'none')),
      align: 'right',
      drop: 1,
    },
    { title: 'COMMIT', cell: of(({ commit }) => String(commit)), align: 'right', drop: 5 },
    { title: 'APPLIED', cell: of(({ applied }) => String(applied)), align: 'right' },
    {
      title: 'TRAILS BY',
      cell: of(({ applied }) => String(Math.max(0, view.commit - applied))),
      align: 'right',
    },
    { title: 'REVISION', cell: of(({ revision }) => String(revision)), align: 'right', drop: 4 },
    { title: 'DIGEST', cell: of(({ digest }) => digest.slice(0, DIGEST_CHARS)), drop: 3 },
    { title: 'OPEN', cell: of(({ openAlerts }) => String(openAlerts)), align: 'right' },
    {
      title: 'UPTIME',
      cell: of(({ uptimeMs }) => formatDuration(uptimeMs)),
      align: 'right',
      drop: 2,
    },
    {
      title: 'LAST',
      cell: of(({ lastIndex }) => String(lastIndex)),
      align: 'right',
      isExtra: true,
    },
    { title: 'AGENT', cell: of(({ agent }) => printable(agent)), isExtra: true },
  ];
}

function roleOf({ status }: MemberView, paint: Paint): string {
  if (status === undefined) return paint('bad', 'unreached');
  if (status.role === 'leader') return paint('good', 'leader');
  return status.role;
}

function verdictOf({ clusterId, members, leader, differing }: ClusterView, paint: Paint): string {
  const reached = members.filter(({ status }) => status !== undefined).length;
  const leads =
    leader === undefined
      ? paint('bad', `no leader is known to a majority of ${members.length}`)
      : `replica ${leader} leads`;
  const lines = [`\ncluster ${clusterId}: ${leads}, ${reached} of ${members.length} reached`];
  for (const { id, problem } of members)
    if (problem !== undefined) lines.push(`replica ${id}: ${printable(problem)}`);
  if (differing.length > 0)
    lines.push(
      paint('bad', `replicas ${differing.join(' and ')} hold different states at the same entry`),
    );
  return `${lines.join('\n')}\n`;
}
