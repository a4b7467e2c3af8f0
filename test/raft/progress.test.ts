import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, replicaId } from '../../src/base/ids.ts';
import { Progress, Window } from '../../src/raft/progress.ts';
import { onHeartbeatReply } from '../../src/raft/replication.ts';
import type { HeartbeatReply } from '../../src/raft/types.ts';
import { drain, heard, loneLeader } from './lone-core.ts';

test('a window is full by count or by bytes, and what is answered makes room again', () => {
  const window = new Window(2, 100);
  window.add(logIndex(1), 10);
  window.add(logIndex(3), 10);
  expect(window.full).toBe(true);
  expect(() => window.add(logIndex(4), 1)).toThrow('past a full window');
  window.freeTo(logIndex(2));
  expect([window.full, window.count]).toEqual([false, 1]);
  expect(() => window.add(logIndex(3), 1)).toThrow('was sent before');
  window.freeTo(logIndex(9));
  window.add(logIndex(10), 100);
  expect([window.full, window.count]).toEqual([true, 1]);
  window.clear();
  expect([window.full, window.count]).toEqual([false, 0]);
});

test('a window that has been answered is as good as new, whatever went through it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 40 }), (sizes) => {
      const window = new Window(4, 100);
      for (const [at, bytes] of sizes.entries()) {
        if (window.full) window.freeTo(logIndex(at));
        window.add(logIndex(at + 1), bytes);
      }
      window.freeTo(logIndex(sizes.length));
      expect(window.count).toBe(0);
      window.add(logIndex(sizes.length + 1), 99);
      expect(window.full).toBe(false);
    }),
  );
});

test('whatever is answered in whatever order, match stays below next and never falls', () => {
  const step = fc.record({ what: fc.constantFrom('send', 'accept', 'probe'), at: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const progress = new Progress(logIndex(5), new Window(3, 50));
      for (const { what, at } of steps) {
        const { match } = progress;
        if (what === 'send' && !progress.paused) progress.sent(logIndex(progress.next + 1), 20);
        if (what === 'accept') expect(progress.accept(logIndex(at))).toBe(at > match);
        if (what === 'probe')
          progress.becomeProbe(logIndex(Math.max(match + 1, Math.min(at, progress.next))));
        expect(progress.match).toBeGreaterThanOrEqual(match);
        expect(progress.next).toBeGreaterThan(progress.match);
        if (progress.state === 'probe') expect(progress.window.count).toBe(0);
      }
    }),
  );
});

test('probing never begins at or below what is known to match', () => {
  const progress = new Progress(logIndex(5), new Window(3, 50));
  progress.accept(logIndex(7));
  expect(() => progress.becomeProbe(logIndex(7))).toThrow('though 7 is known to match');
});

test('an answer that is no news and not to this probe leaves the probe under way', () => {
  const progress = new Progress(logIndex(9), new Window(3, 50));
  progress.sent(logIndex(9), 1);
  progress.accept(logIndex(0));
  expect([progress.state, progress.paused]).toEqual(['probe', true]);
  progress.accept(logIndex(8));
  expect([progress.state, progress.paused, progress.next]).toEqual(['replicate', false, 9]);
});

test('whatever a probing peer newly holds ends the probe: the window begins behind it', () => {
  const progress = new Progress(logIndex(9), new Window(3, 50));
  progress.sent(logIndex(9), 1);
  expect(progress.accept(logIndex(3))).toBe(true);
  expect([progress.state, progress.paused, progress.next]).toEqual(['replicate', false, 4]);
});

test('an answer that agrees with the place before the probe ends it, though it is no news', () => {
  const progress = new Progress(logIndex(9), new Window(3, 50));
  progress.accept(logIndex(8));
  progress.becomeProbe(logIndex(9));
  progress.sent(logIndex(9), 1);
  expect(progress.accept(logIndex(8))).toBe(false);
  expect([progress.state, progress.paused, progress.next]).toEqual(['replicate', false, 9]);
});

test('what was under way when a snapshot is offered waits for nothing any more', () => {
  const progress = new Progress(logIndex(1), new Window(1, 50));
  progress.accept(logIndex(0));
  progress.sent(logIndex(2), 1);
  expect([progress.state, progress.window.full]).toEqual(['replicate', true]);
  progress.becomeSnapshot(logIndex(7));
  expect([progress.paused, progress.window.full]).toEqual([true, false]);
});

test('an offer ends when the peer holds what was offered, and not with less', () => {
  const progress = new Progress(logIndex(3), new Window(3, 50));
  progress.becomeSnapshot(logIndex(7));
  expect(progress.accept(logIndex(6))).toBe(true);
  expect([progress.state, progress.paused, progress.next]).toEqual(['snapshot', true, 7]);
  progress.accept(logIndex(7));
  expect([progress.state, progress.paused, progress.next]).toEqual(['replicate', false, 8]);
});

test('an answer to a heartbeat counts only of those to whom the leader sends its log', () => {
  const core = loneLeader();
  drain(core);
  const { role } = core.state;
  if (role.role !== 'leader') throw new Error('it does not lead');
  onHeartbeatReply(core.state, role, heard([9, 1, core.standing.term], 1) as HeartbeatReply);
  expect(role.progress.has(replicaId(9))).toBe(false);
  expect(drain(core)).toEqual([]);
});
