import { expect, test } from 'vitest';
import { shippedRules } from '../../../cli/demo/shipped-rules.ts';
import { loadRules } from '../../../cli/input/rules-file.ts';
import { rehearse } from '../../../cli/trend/rehearsal.ts';

test.each(['bidmc.yaml', 'trends.yaml', 'ward.yaml'])(
  'a rehearsal by %s judges each of its samples, reaches nobody, and leaves nothing open',
  async (name) => {
    expect(await rehearse(await loadRules(shippedRules(name)))).toBe(204_800);
  },
);
