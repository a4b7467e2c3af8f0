import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALERTS_GROUP, revision } from '../../src/base/ids.ts';
import type { Client } from '../../src/client/index.ts';
import { encodeGetAnswer } from '../../src/wire/clients/answers.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { alarm, onStage, type Stage } from './stage.ts';

const read = (stage: Stage, client: Client, dedupKey: string) =>
  stage.clock.settle(client.get({ dedupKey }, { consistency: 'session' }));

/** Answers the next questions of followers as if so many of them knew of nothing yet. */
function lagging(stage: Stage, times: number): { readonly asked: number[] } {
  const seen: { readonly asked: number[] } = { asked: [] };
  let left = times;
  stage.cluster.script = ({ type, replica, channel, id }) => {
    if (type !== FrameType.GET) return false;
    seen.asked.push(replica);
    if (replica === stage.cluster.leader || left === 0) return false;
    left -= 1;
    const answer = encodeGetAnswer({ value: [undefined], revision: revision(0) });
    return channel.send(FrameType.ANSWER, ALERTS_GROUP, id, [answer]);
  };
  return seen;
}

describe('a session read', () => {
  test('is answered by a follower, and spares the leader', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      const { asked } = lagging(stage, 0);

      expect((await read(stage, client, 'a')).value?.id).toBe('A1');
      expect(asked).toHaveLength(1);
      expect(asked).not.toContain(stage.cluster.leader);
    }));

  test('sees what this client wrote, however many replicas are behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        (late, size) =>
          onStage(async (stage) => {
            const client = await stage.client();
            await stage.clock.settle(client.raise(alarm('a')));
            lagging(stage, late);

            const { value, revision: at } = await read(stage, client, 'a');
            expect(value?.id).toBe('A1');
            expect(at).toBe(1);
          }, size),
      ),
      { numRuns: 20 },
    );
  });

  test('never goes back behind what this client has read', () =>
    onStage(async (stage) => {
      const writer = await stage.client();
      const reader = await stage.client();
      await stage.clock.settle(writer.raise(alarm('a')));
      // It has been told of nothing: whatever a follower knows is good enough.
      lagging(stage, 1);
      expect((await read(stage, reader, 'a')).value).toBeUndefined();
      lagging(stage, 0);
      expect((await read(stage, reader, 'a')).value?.id).toBe('A1');
      lagging(stage, 2);
      expect((await read(stage, reader, 'a')).value?.id).toBe('A1');
    }));

  test('of a replica that stays behind ends at the leader', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      const { asked } = lagging(stage, Number.POSITIVE_INFINITY);

      expect((await read(stage, client, 'a')).value?.id).toBe('A1');
      expect(asked.at(-1)).toBe(stage.cluster.leader);
    }));
});
