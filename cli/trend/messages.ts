import type { Code } from '../../src/base/errors.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import type { TrendPeer } from '../../src/replica/trend/trend-peers.ts';
import type { Identity } from '../../src/storage/types.ts';

/** What passes between the replica's main thread and that of its trend tier. */

export interface TrendWorkerData {
  readonly folder: string;
  readonly identity: Identity;
  /** Where it listens. */
  readonly address: string;
  /** The trend tiers of the other members that are known when it starts. */
  readonly others: readonly TrendPeer[];
  /** Judged by until others are sent. */
  readonly rules: RuleSet;
}

export type ToWorker =
  | { readonly type: 'close' }
  /** The trend tiers of the other members from now on. */
  | { readonly type: 'others'; readonly others: readonly TrendPeer[] }
  /** Judge by these from now on. */
  | { readonly type: 'rules'; readonly rules: RuleSet };

export type FromWorker =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'fault'; readonly code: Code; readonly message: string };
