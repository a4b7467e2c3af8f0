import type { Code } from '../../src/base/errors.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import type { Identity, Member } from '../../src/storage/types.ts';

/** What passes between the replica's main thread and that of its trend tier. */

export interface TrendWorkerData {
  readonly folder: string;
  readonly identity: Identity;
  /** Where each member's trend tier listens. */
  readonly members: readonly Member[];
  /** Judged by until others are sent. */
  readonly rules: RuleSet;
}

export type ToWorker =
  | { readonly type: 'close' }
  /** Judge by these from now on. */
  | { readonly type: 'rules'; readonly rules: RuleSet };

export type FromWorker =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'fault'; readonly code: Code; readonly message: string };
