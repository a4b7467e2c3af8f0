import { revision } from '../../src/base/ids.ts';
import {
  decodeGet,
  decodeList,
  decodeWatch,
  encodeGet,
  encodeList,
  encodeWatch,
  type GetRequest,
  type ListRequest,
  type WatchRequest,
} from '../../src/wire/clients/client-messages.ts';
import { encodeTime } from '../../src/wire/clients/deadline.ts';
import {
  decodeHistory,
  encodeHistory,
  type HistoryRequest,
} from '../../src/wire/clients/history-query.ts';
import {
  decodeRecords,
  encodeRecords,
  type RecordsRequest,
} from '../../src/wire/clients/record-queries.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { frame, timed } from './pinned.ts';

/** What clients ask without changing anything. */
export function requestFrames(): void {
  const get: GetRequest = {
    refs: [{ id: 'A1042' }, { dedupKey: 'phys:pt-1:HR' }],
    consistency: 'linearizable',
  };
  frame('get', FrameType.GET, [encodeTime(5_000), encodeGet(get)], timed(decodeGet), get);
  const list: ListRequest = {
    filter: {
      open: true,
      states: ['LATCHED'],
      priorities: ['high', 'low'],
      kinds: ['technical'],
      unit: 'icu',
    },
    consistency: 'local',
    limit: 100,
    after: 'A9',
    at: revision(1050),
  };
  frame('list', FrameType.LIST, [encodeTime(5_000), encodeList(list)], timed(decodeList), list);
  const records: RecordsRequest = { kind: 'silence', after: 3, limit: 9, consistency: 'local' };
  frame(
    'records',
    FrameType.RECORDS,
    [encodeTime(5_000), encodeRecords(records)],
    timed(decodeRecords),
    records,
  );
  const history: HistoryRequest = {
    id: 'A1042',
    from: revision(1050),
    limit: 9,
    consistency: 'local',
  };
  frame(
    'history',
    FrameType.HISTORY,
    [encodeTime(5_000), encodeHistory(history)],
    timed(decodeHistory),
    history,
  );
  const watch: WatchRequest = { from: revision(1), filter: { bed: '12' } };
  frame('watch', FrameType.WATCH, [encodeWatch(watch)], decodeWatch, watch);
  const size = (body: Uint8Array): number => body.byteLength;
  frame('status', FrameType.STATUS, [], size, 0);
  frame('cancel', FrameType.CANCEL, [], size, 0);
}
