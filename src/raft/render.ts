import type { EntryId, Message } from './types.ts';

/** One line a thing, for golden scripts, traces and debugging. An entry is written `index@term`. */

const at = (id: EntryId): string => `${id.index}@${id.term}`;

export function renderMessage(m: Message): string {
  const way = `${m.from} → ${m.to}  t${m.term}`;
  switch (m.type) {
    case 'vote-request': {
      const kind = m.pre ? 'pre-vote?' : m.transfer ? 'vote? (by order)' : 'vote?';
      return `${way}  ${kind} last=${at(m.last)}`;
    }
    case 'vote-reply':
      return `${way}  ${m.pre ? 'pre-vote' : 'vote'} ${m.granted ? 'yes' : 'no'}`;
    case 'append-request': {
      const entries = m.entries.map(at).join(' ');
      return `${way}  append prev=${at(m.prev)} [${entries}] commit=${m.commit}`;
    }
    case 'append-reply':
      return m.accepted
        ? `${way}  accepted ${m.index}`
        : `${way}  refused ${m.index} hint=${at(m.hint)}${m.reverted === true ? ' (forgotten)' : ''}`;
    case 'heartbeat':
      return `${way}  heartbeat commit=${m.commit}${m.round === 0 ? '' : ` round=${m.round}`}${m.echo === 0 ? '' : ` reached=${m.reached}`}`;
    case 'heartbeat-reply':
      return `${way}  heard${m.round === 0 ? '' : ` round=${m.round}`}${m.declines === true ? ' (would not lead)' : ''}`;
    case 'snapshot-offer':
      return `${way}  snapshot ${at(m.last)}`;
    case 'read-index':
      return `${way}  read index?`;
    case 'read-index-reply':
      return `${way}  ${m.accepted ? `read index ${m.index}` : 'no read index'}`;
    case 'timeout-now':
      return `${way}  campaign! last=${at(m.last)}`;
  }
}
