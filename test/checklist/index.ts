import { ELECTION, PRE_VOTE } from './elections.ts';
import { MEMBERSHIP, READS, TRANSFERS } from './membership.ts';
import { PERSISTENCE, SNAPSHOTS } from './persistence.ts';
import { REPLICATION } from './replication.ts';
import { SERVICE } from './service.ts';
import type { Chapter } from './table.ts';

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
