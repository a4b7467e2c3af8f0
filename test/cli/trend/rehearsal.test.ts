import { expect, test } from 'vitest';
import { shippedRules } from '../../../cli/demo/shipped-rules.ts';
import { loadRules } from '../../../cli/input/rules-file.ts';
import { rehearse } from '../../../cli/trend/rehearsal.ts';
import { TocsinError } from '../../../src/base/errors.ts';

test.each(['bidmc.yaml', 'trends.yaml', 'ward.yaml'])(
  'a rehearsal by %s judges each of its samples, reaches nobody, and leaves nothing open',
  async (name) => {
    expect(await rehearse(await loadRules(shippedRules(name)))).toBe(204_800);
  },
);

test('a rehearsal that nobody can bring samples to ends, and leaves nothing running', async () => {
  const rules = await loadRules(shippedRules('ward.yaml'));
  const why = new TocsinError('UNAVAILABLE', 'no monitor');
  await expect(rehearse(rules, () => Promise.reject(why))).rejects.toBe(why);
});
