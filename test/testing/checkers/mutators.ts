import type { Prng } from '../../../src/base/prng.ts';
import { openOf, perform } from '../../../src/testing/checkers/condition-model.ts';
import {
  type Get,
  type History,
  isWrite,
  type List,
  type Operation,
  type SeenAlert,
  type SeenEvent,
  type SeenMessage,
  type WatchLog,
  type Write,
} from '../../../src/testing/checkers/history.ts';
import { provenBy } from '../../../src/testing/checkers/settled.ts';

/** Makes a good history bad in one way; undefined when this one has no place for it. */
export type Mutator = (history: History, prng: Prng) => History | undefined;

const newest = (
  events: readonly SeenEvent[],
  key: string,
  revision: number,
): SeenAlert | undefined =>
  openOf(events.findLast((event) => event.alert.key === key && event.revision <= revision)?.alert);

const replaced = (history: History, old: Operation, by: Operation): History => ({
  ...history,
  operations: history.operations.map((each) => (each === old ? by : each)),
});

const floorOf = (history: History, { call }: Operation): number =>
  Math.max(0, ...history.operations.filter(({ end }) => end < call).map(provenBy));

function pick<T>(prng: Prng, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : prng.pick(items);
}

const gets = (history: History): readonly Get[] =>
  history.operations.filter(
    (each): each is Get => each.kind === 'get' && each.answer !== undefined,
  );

const done = (history: History): readonly Write[] =>
  history.operations.filter(
    (each): each is Write =>
      isWrite(each) && each.outcome.type === 'done' && each.outcome.effect !== 'unchanged',
  );

/** A reader is told the true state of a time that is over. */
const staleRead: Mutator = (history, prng) => {
  const read = pick(
    prng,
    gets(history).filter((each) => floorOf(history, each) > 0),
  );
  if (read === undefined) return undefined;
  const revision = prng.between(0, floorOf(history, read) - 1);
  const answer = { revision, value: newest(history.events, read.key, revision) };
  return replaced(history, read, { ...read, answer });
};

/** The newest change, of which its caller was told, is gone. */
const lostWrite: Mutator = (history) => {
  const last = history.events.at(-1);
  if (last === undefined || !done(history).some(({ id }) => id === last.actor)) return undefined;
  const before = (operation: Operation): boolean =>
    isWrite(operation) || provenBy(operation) < last.revision;
  return {
    ...history,
    operations: history.operations.filter(before),
    events: history.events.slice(0, -1),
    watches: [],
  };
};

const appended = (history: History, write: Write): History | undefined => {
  const revision = history.events.length + 1;
  const before = history.events.findLast(({ alert }) => alert.key === write.key)?.alert;
  const result = perform(before, write, revision);
  if ('code' in result || result.effect === 'unchanged') return undefined;
  const event = { revision, effect: result.effect, actor: write.id, alert: result.after };
  return { ...history, events: [...history.events, event] };
};

/** A command is carried out twice. */
const duplicateApply: Mutator = (history, prng) => {
  const write = pick(
    prng,
    done(history).filter(
      ({ kind, expectedRevision }) => kind === 'raise' && expectedRevision === undefined,
    ),
  );
  return write === undefined ? undefined : appended(history, write);
};

/** Two changes of different conditions stand the wrong way round, against real time. */
const reorderedPair: Mutator = (history, prng) => {
  const writes = new Map(done(history).map((write) => [write.id, write]));
  const pairs = history.events.flatMap((event, at) => {
    const next = history.events[at + 1];
    const [one, other] = [writes.get(event.actor), writes.get(next?.actor ?? '')];
    if (next === undefined || one === undefined || other === undefined) return [];
    return one.end < other.call && one.key !== other.key ? [{ at, one, other, event, next }] : [];
  });
  const pair = pick(prng, pairs);
  if (pair === undefined) return undefined;
  const { at, one, other, event, next } = pair;
  const move = (moved: SeenEvent, revision: number): SeenEvent => ({
    ...moved,
    revision,
    alert: { ...moved.alert, revision },
  });
  const told = (write: Write, revision: number): Write =>
    ({ ...write, outcome: { ...write.outcome, revision } }) as Write;
  return {
    operations: history.operations
      .filter(isWrite)
      .map((each) =>
        each === one ? told(one, at + 2) : each === other ? told(other, at + 1) : each,
      ),
    events: history.events.map((each, place) =>
      place === at ? move(next, at + 1) : place === at + 1 ? move(event, at + 2) : each,
    ),
    watches: [],
  };
};

/** A reader is told what nobody ever wrote. */
const phantom: Mutator = (history, prng) => {
  const read = pick(
    prng,
    gets(history).filter(({ answer }) => answer?.value !== undefined),
  );
  if (read?.answer?.value === undefined) return undefined;
  const value = { ...read.answer.value, text: 'p99.99' };
  return replaced(history, read, { ...read, answer: { ...read.answer, value } });
};

/** A list holds one alert as it was before. */
const tornList: Mutator = (history, prng) => {
  const lists = history.operations.filter(
    (each): each is List => each.kind === 'list' && (each.answer?.alerts.length ?? 0) > 0,
  );
  const list = pick(prng, lists);
  if (list?.answer === undefined) return undefined;
  const at = prng.between(0, list.answer.alerts.length - 1);
  const alert = list.answer.alerts[at] as SeenAlert;
  const older = newest(history.events, alert.key, alert.revision - 1);
  const alerts = list.answer.alerts.flatMap((each, place) =>
    place !== at ? [each] : older === undefined ? [] : [older],
  );
  return replaced(history, list, { ...list, answer: { ...list.answer, alerts } });
};

/** Two callers expected the same revision, and both were told yes. */
const bothSwapped: Mutator = (history, prng) => {
  const write = pick(
    prng,
    done(history).filter(({ expectedRevision }) => expectedRevision !== undefined),
  );
  if (write?.outcome.type !== 'done') return undefined;
  const revision = history.events.length + 1;
  const twin: Write = { ...write, id: 'p77.0', process: 77, call: write.call, end: 1e9 };
  const event = history.events[write.outcome.revision - 1] as SeenEvent;
  const alert = {
    ...event.alert,
    revision,
    text: write.kind === 'raise' ? twin.id : event.alert.text,
  };
  return {
    operations: [
      ...history.operations,
      { ...twin, outcome: { ...write.outcome, revision } } as Write,
    ].sort((a, b) => a.call - b.call),
    events: [...history.events, { ...event, actor: twin.id, revision, alert }],
    watches: [],
  };
};

/** An alert that was resolved is seen open again. */
const resurrected: Mutator = (history, prng) => {
  const places = gets(history).flatMap((read) => {
    const closed = history.events.findLast(
      ({ alert, revision }) => alert.key === read.key && revision <= (read.answer?.revision ?? 0),
    );
    if (closed?.alert.state !== 'RESOLVED') return [];
    const value = newest(history.events, read.key, closed.revision - 1);
    return value === undefined ? [] : [{ read, value }];
  });
  const place = pick(prng, places);
  if (place?.read.answer === undefined) return undefined;
  const { read, value } = place;
  return replaced(history, read, { ...read, answer: { ...place.read.answer, value } });
};

/** The revision of a later answer is lower, though what it tells is new. */
const jumpBack: Mutator = (history, prng) => {
  const read = pick(
    prng,
    gets(history).filter((each) => floorOf(history, each) > 0),
  );
  if (read?.answer === undefined) return undefined;
  const revision = prng.between(0, floorOf(history, read) - 1);
  return replaced(history, read, { ...read, answer: { ...read.answer, revision } });
};

type Tear = (messages: readonly SeenMessage[], prng: Prng) => SeenMessage[] | undefined;

const inWatch =
  (tear: Tear): Mutator =>
  (history, prng) => {
    const torn = history.watches.flatMap((watch): WatchLog[] => {
      const messages = tear(watch.messages, prng);
      return messages === undefined ? [] : [{ ...watch, messages }];
    });
    return torn.length === 0 ? undefined : { ...history, watches: torn };
  };

const eventPlaces = (messages: readonly SeenMessage[]): number[] =>
  messages.flatMap(({ type }, at) => (type === 'event' ? [at] : []));

const watchGap = inWatch((messages, prng) => {
  const at = pick(prng, eventPlaces(messages).slice(0, -1));
  return at === undefined ? undefined : messages.filter((_, place) => place !== at);
});

const watchDuplicate = inWatch((messages, prng) => {
  const at = pick(prng, eventPlaces(messages));
  return at === undefined ? undefined : messages.toSpliced(at, 0, messages[at] as SeenMessage);
});

/** An alert that left the filter is told as one that stays. */
const watchStay = inWatch((messages, prng) => {
  const at = pick(
    prng,
    eventPlaces(messages).filter((place) => leavesAt(messages, place)),
  );
  if (at === undefined) return undefined;
  return messages.with(at, { ...(messages[at] as SeenMessage), leaves: false } as SeenMessage);
});

const leavesAt = (messages: readonly SeenMessage[], at: number): boolean => {
  const message = messages[at];
  return message?.type === 'event' && message.leaves === true;
};

/** A watcher is told that it knows what has yet to happen: it would begin there when it comes again. */
const watchAhead: Mutator = (history, prng) => {
  const revision = history.events.length + prng.between(1, 3);
  const messages: readonly SeenMessage[] = [{ type: 'progress', revision }];
  // Of a unit in which nothing happens: nothing but the number is wrong.
  return { ...history, watches: [{ name: 'ahead', from: 1, unit: 'empty', messages }] };
};

const watchReorder = inWatch((messages, prng) => {
  const places = eventPlaces(messages);
  const at = pick(
    prng,
    places.flatMap((_, which) => (which === 0 ? [] : [which])),
  );
  if (at === undefined) return undefined;
  const [one, other] = [places[at - 1] as number, places[at] as number];
  const swapped = [...messages];
  swapped[one] = messages[other] as SeenMessage;
  swapped[other] = messages[one] as SeenMessage;
  return swapped;
});

/** An activation is annunciated a second time. */
const annunciatedTwice: Mutator = (history, prng) => {
  const places = history.events.filter(
    ({ effect }) => effect === 'escalated' || effect === 'reactivated',
  );
  const event = pick(prng, places);
  if (event === undefined) return undefined;
  const events = history.events.map((each) =>
    each.alert.id === event.alert.id && each.revision >= event.revision
      ? { ...each, alert: { ...each.alert, activation: each.alert.activation + 1 } }
      : each,
  );
  return { operations: history.operations, events, watches: [] };
};

export const MUTATORS: Readonly<Record<string, Mutator>> = {
  'stale read': staleRead,
  'lost write': lostWrite,
  'duplicate apply': duplicateApply,
  'reordered pair': reorderedPair,
  phantom: phantom,
  'torn list': tornList,
  'compare-and-set that both win': bothSwapped,
  'write resurrected after delete': resurrected,
  'revision that jumps back': jumpBack,
  'watch gap': watchGap,
  'watch duplicate': watchDuplicate,
  'watch reorder': watchReorder,
  'watch that keeps what left': watchStay,
  'watch ahead of what happened': watchAhead,
  'annunciated twice': annunciatedTwice,
};

/**
 * A value that was overwritten before the read was called, told without any number: for the check that looks at none.
 * Its writer had its answer before the one who overwrote it began, so no other order explains it.
 */
export function staleValue(history: History, prng: Prng): History | undefined {
  const writes = done(history);
  const leftBy = ({ outcome }: Write): SeenAlert | undefined =>
    outcome.type === 'done' ? openOf(history.events[outcome.revision - 1]?.alert) : undefined;
  const places = gets(history).flatMap((read) =>
    writes.flatMap((old) => {
      const value = old.key === read.key ? leftBy(old) : undefined;
      const isOver = writes.some(
        (by) => by.key === read.key && old.end < by.call && by.end < read.call,
      );
      return value !== undefined && isOver ? [{ read, value }] : [];
    }),
  );
  const place = pick(prng, places);
  if (place === undefined) return undefined;
  const { read, value } = place;
  return replaced(history, read, { ...read, answer: { revision: 0, value } });
}
