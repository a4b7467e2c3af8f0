import { LIST_PAGE_MAX, RULES_MAX } from '../../src/base/limits.ts';
import type { KeptRule } from '../../src/base/rules/listed-rules.ts';
import type { CareApi, RecordOptions } from '../../src/statemachine/alert-api.ts';

const PAGES = Math.ceil(RULES_MAX / LIST_PAGE_MAX);

/**
 * The rules by which every replica judges, in their order. Those that are in force all the time are all there: the last page
 * is read first, so that whatever moves to an earlier one meanwhile is met there.
 */
export async function rulesInForce(
  client: Pick<CareApi, 'records'>,
  options: RecordOptions,
): Promise<readonly KeptRule[]> {
  const pages: (readonly KeptRule[])[] = [];
  for (let page = PAGES - 1; page >= 0; page -= 1) {
    const place = { limit: LIST_PAGE_MAX, after: page * LIST_PAGE_MAX };
    const { value } = await client.records('rule', { ...options, ...place });
    pages.unshift(value.records);
  }
  return [...new Map(pages.flat().map((rule) => [rule.id, rule])).values()];
}
