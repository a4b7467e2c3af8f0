import { ELECTION, PRE_VOTE } from './elections.ts';
import { MEMBERSHIP, READS, TRANSFERS } from './membership.ts';
import { PERSISTENCE, SNAPSHOTS } from './persistence.ts';
import { AGREEMENT_PITFALLS } from './pitfalls.ts';
import { CHANGE_PITFALLS } from './pitfalls-of-change.ts';
import { REPLICATION } from './replication.ts';
import { SERVICE } from './service.ts';
import type { Chapter, Pitfall } from './table.ts';

export const CHAPTERS: readonly Chapter[] = [
  ELECTION,
  PRE_VOTE,
  REPLICATION,
  PERSISTENCE,
  SNAPSHOTS,
  MEMBERSHIP,
  TRANSFERS,
  READS,
  SERVICE,
];

/** The mistakes others made, numbered from 1. */
export const PITFALLS: readonly Pitfall[] = [...AGREEMENT_PITFALLS, ...CHANGE_PITFALLS];
