import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, replicaId } from '../../src/base/ids.ts';
import {
  type Configuration,
  type ConfigurationAt,
  Configurations,
  configurationOf,
  findFlaw,
  isMemberOf,
  isVoterOf,
  membersOf,
  renderConfiguration,
  votersOf,
} from '../../src/raft/configuration.ts';

const ids = (...numbers: readonly number[]) => numbers.map(replicaId);
const joint = (
  voters: readonly number[],
  outgoing: readonly number[],
  learners: readonly number[] = [],
  next: readonly number[] = [],
): Configuration => ({
  voters: ids(...voters),
  outgoing: ids(...outgoing),
  learners: ids(...learners),
  learnersNext: ids(...next),
});

test('who takes part, who is counted, and how it is written', () => {
  const plain = configurationOf(ids(3, 1, 2), ids(9, 7));
  expect(renderConfiguration(plain)).toBe('1 2 3 + 7 9');
  expect([votersOf(plain), membersOf(plain)]).toEqual([ids(1, 2, 3), ids(1, 2, 3, 7, 9)]);
  const both = joint([1, 2, 4], [1, 2, 3], [7], [3]);
  expect(renderConfiguration(both)).toBe('1 2 4 & 1 2 3 + 7 (3)');
  expect([votersOf(both), membersOf(both)]).toEqual([ids(1, 2, 3, 4), ids(1, 2, 3, 4, 7)]);
  expect([3, 4, 7].map((one) => isVoterOf(both, replicaId(one)))).toEqual([true, true, false]);
  expect([7, 8].map((one) => isMemberOf(both, replicaId(one)))).toEqual([true, false]);
});

test.each([
  ['a replica named twice', joint([1, 1], []), 'named twice'],
  ['lists out of order', joint([1], [3, 2]), 'not in order'],
  ['a learner with a vote', joint([1, 2], [], [2]), 'a voter too'],
  ['a learner that has a vote still', joint([1, 2], [1, 3], [3]), 'a voter too'],
  ['a learner next that never had a vote', joint([1], [1], [], [2]), 'voter that goes'],
  ['a learner next that keeps its vote', joint([1, 2], [1, 2], [], [2]), 'voter that goes'],
])('a configuration with %s is refused', (_what, configuration, flaw) => {
  expect(findFlaw(configuration)).toContain(flaw);
  const list = new Configurations(at(0, 1), []);
  expect(() => list.append(logIndex(1), configuration)).toThrow(flaw);
  expect(() => list.reset({ index: logIndex(1), configuration })).toThrow(flaw);
});

const at = (index: number, voter: number): ConfigurationAt => ({
  index: logIndex(index),
  configuration: configurationOf(ids(voter)),
});

test('whatever is appended, cut and compacted, the newest entry left is in force', () => {
  const step = fc.record({ what: fc.constantFrom('append', 'truncate', 'compact'), by: fc.nat(6) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const list = new Configurations(at(0, 1), []);
      let base = 0;
      let end = 0;
      let model = [at(0, 1)];
      for (const { what, by } of steps) {
        if (what === 'append') {
          end += 1 + by;
          list.append(logIndex(end), at(end, end).configuration);
          model.push(at(end, end));
        } else if (what === 'truncate') {
          const from = Math.max(base + 1, end - by);
          list.truncate(from);
          model = model.filter((each, place) => place === 0 || each.index < from);
          end = Math.min(end, from - 1);
        } else {
          base = Math.min(end, base + by);
          list.compact(logIndex(base));
          const holds = model.findLast((each) => each.index <= base)?.configuration;
          model = model.filter((each) => each.index > base);
          model.unshift({ index: logIndex(base), configuration: holds ?? at(0, 1).configuration });
        }
        end = Math.max(end, base);
        expect(list.newest).toEqual(model.at(-1));
        for (let index = base; index <= end; index += 1)
          expect(list.at(index)).toEqual(model.findLast((each) => each.index <= index));
      }
    }),
  );
});

test('the log is asked for what holds before it begins: that is not known', () => {
  const list = new Configurations(at(5, 1), [at(3, 3), at(5, 5), at(8, 8)]);
  expect(list.at(8).configuration).toEqual(at(8, 8).configuration);
  expect(list.at(7)).toEqual(at(5, 1));
  expect(() => list.truncate(5)).toThrow('behind the base');
  expect(() => list.at(4)).toThrow('no configuration is known');
  expect(() => list.append(logIndex(8), at(8, 1).configuration)).toThrow('after 8');
});
