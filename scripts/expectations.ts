/**
 * What people who know the good tools of the field expect of this one, and where it stands. docs/expectations.md is
 * printed from here; a test sees to it that each test named here exists.
 */

/** Shown by tests, meant to come, or left out on purpose. */
export type Standing =
  | { readonly is: 'done'; readonly tests: readonly (readonly [file: string, name: string])[] }
  | { readonly is: 'planned'; readonly where: string }
  | { readonly is: 'declined'; readonly because: string };

export interface Expectation {
  readonly says: string;
  /** Who has it already. */
  readonly seenIn: string;
  readonly standing: Standing;
}

const done = (...tests: readonly (readonly [string, string])[]): Standing => ({
  is: 'done',
  tests,
});
const planned = (where: string): Standing => ({ is: 'planned', where });
const declined = (because: string): Standing => ({ is: 'declined', because });

const expect = (says: string, seenIn: string, standing: Standing): Expectation => ({
  says,
  seenIn,
  standing,
});

const GATEWAY = 'the HTTP gateway and its pages';
const METRICS = 'metrics and logs (`src/observe`)';
const PACKAGING = 'packaging and deployment';

/** In the order of their numbers, which stay what they are. */
export const EXPECTATIONS: readonly Expectation[] = [
  expect(
    'A demo with one command: cluster, data and load',
    'cockroach demo',
    done(['test/cli/demo/run.test.ts', 'survives the death of its leader, and nothing is lost']),
  ),
  expect(
    'A server for development that prints the addresses of page, API and metrics',
    'temporal server start-dev',
    planned(GATEWAY),
  ),
  expect(
    'First write and first read within three commands',
    'rqlite, TigerBeetle',
    done(['test/readme.test.ts', 'the session of the README gives what the README shows']),
  ),
  expect(
    'A README that shows what its commands really print',
    'TigerBeetle',
    done(['test/readme.test.ts', 'the session of the README gives what the README shows']),
  ),
  expect(
    'Named contexts, checked by connecting, and back to the one before',
    'nats',
    done(
      [
        'test/cli/config/context.test.ts',
        'are added, selected, left again for the one before, and removed',
      ],
      ['test/cli/config/context.test.ts', 'are checked by connecting'],
    ),
  ),
  expect(
    'The output of every command as table, JSON, JSON lines, YAML or CSV',
    'etcdctl, temporal, kubectl',
    done(['test/cli/commands/formats.test.ts', '%s answers as %s']),
  ),
  expect(
    'Plain output for grep and awk',
    'etcdctl',
    done(['test/cli/output/table.test.ts', 'nothing is cut where there is no terminal']),
  ),
  expect(
    'Exit statuses that are written down and stay',
    'clig.dev',
    done(['test/cli/commands/help.test.ts', 'names every status that a code can end with']),
  ),
  expect(
    'A status of its own for "nobody knows whether it happened"',
    'nobody',
    done([
      'test/cli/commands/failures.test.ts',
      'an unknown outcome names the flag that makes repeating safe',
    ]),
  ),
  expect(
    'A health check for Nagios, as JSON and for Prometheus',
    'nats server check',
    done(
      ['test/cli/check/check.test.ts', 'when %s ends with %i and says so in its first line'],
      [
        'test/cli/check/check.test.ts',
        'gives its figures with their thresholds, to Prometheus as gauges',
      ],
    ),
  ),
  expect(
    'A table of the cluster: role, term, index, lag, version, errors',
    'etcdctl endpoint status, consul',
    done(['test/cli/output/cluster.test.ts', 'at 120 columns']),
  ),
  expect(
    'How far each replica trails the leader',
    'consul operator raft list-peers',
    done(['test/cli/output/cluster.test.ts', 'at 80 columns']),
  ),
  expect(
    'A hash over the state of each replica, compared',
    'etcdctl endpoint hashkv',
    done([
      'test/cli/output/cluster.test.ts',
      'that differ at the same entry are a fault, and named',
    ]),
  ),
  expect(
    'A test of the machine with thresholds, PASS or FAIL',
    'etcdctl check perf',
    done(
      ['test/cli/doctor/doctor.test.ts', 'is judged by its %s: %j is %s'],
      ['test/cli/doctor/doctor.test.ts', 'is a table of verdicts'],
    ),
  ),
  expect(
    'A load generator built in',
    'nats bench',
    done([
      'test/cli/bench/bench.test.ts',
      'keeps so many calls under way, and clears what it raises',
    ]),
  ),
  expect(
    'A live view of the cluster',
    'nats top',
    done(
      ['test/cli/top/top.test.ts', 'fits any terminal, without a line that wraps or scrolls'],
      ['test/cli/top/top.test.ts', 'shows replicas and alerts on 80 by 24'],
    ),
  ),
  expect(
    'Rolling statistics and latencies',
    'redis-cli --stat, --latency',
    done([
      'test/cli/top/top.test.ts',
      'tell the usual and the slow of the reads, and those without an answer',
    ]),
  ),
  expect(
    'Watching that goes on where it stopped',
    'etcdctl watch --rev, kubectl -w',
    done(
      ['test/client/watch.test.ts', 'tells each event once, in order, whatever breaks meanwhile'],
      ['test/cli/commands/running.test.ts', 'tells each event in a line, until it is interrupted'],
    ),
  ),
  expect(
    'A command run for each event',
    'etcdctl watch --',
    done([
      'test/cli/commands/running.test.ts',
      'runs a program for each event, with the event on its standard input',
    ]),
  ),
  expect(
    'Waiting for a condition, with a time-out',
    'kubectl wait',
    done(
      ['test/cli/commands/wait.test.ts', '--for %s goes on until it is so'],
      ['test/cli/commands/wait.test.ts', 'tells what it saw last when the time is up'],
    ),
  ),
  expect(
    'Handing the leadership over by hand',
    'etcdctl move-leader, rqlite',
    done([
      'test/replica/membership.test.ts',
      'an orderly transfer moves the leadership to whom the operator names',
    ]),
  ),
  expect(
    'A new member learns before it votes',
    'etcdctl member',
    done(
      [
        'test/raft/membership.test.ts',
        'a learner receives the log, and is not counted: not for a commit, a read, nor the reign',
      ],
      ['test/cli/commands/operate.test.ts', 'promote asks again until the learner has caught up'],
    ),
  ),
  expect(
    'Removing members when the majority is lost, guarded',
    'consul',
    done(
      [
        'test/cli/commands/operate.test.ts',
        'tells what is lost, and goes no further without being told that it is accepted',
      ],
      ['test/cli/commands/operate.test.ts', 'is done for the cluster whose id is given'],
    ),
  ),
  expect(
    'Alarms that the cluster raises about itself',
    'etcdctl alarm',
    done(
      ['test/replica/health.test.ts', 'two replicas that differ blame neither, and both say so'],
      [
        'test/replica/room.test.ts',
        'a disk that fills up refuses what is new in good time, takes what ends something, and goes on by itself',
      ],
    ),
  ),
  expect(
    'Snapshots saved, looked at and restored offline',
    'etcdutl',
    done([
      'test/replica/restore.test.ts',
      'what is saved from a live cluster is the state of a new one: alerts, replies, revisions, and none of the old members',
    ]),
  ),
  expect('Backups on a schedule to an object store', 'rqlite', planned('backups')),
  expect(
    'A bundle for support',
    'consul debug, nats audit gather',
    done(
      ['test/cli/debug/bundle.test.ts', 'holds versions, settings, every member and this machine'],
      ['test/cli/debug/bundle.test.ts', 'holds nothing of alerts or people'],
    ),
  ),
  expect(
    'Error codes that can be looked up',
    'nats errors',
    done(['test/cli/commands/failures.test.ts', 'explains one, however it is written']),
  ),
  expect(
    'Cheat sheets built in',
    'nats cheat',
    done(['test/cli/commands/help.test.ts', 'of %j begins with examples']),
  ),
  expect(
    'Completion for the common shells',
    'etcdctl, cobra',
    done(
      ['test/cli/completion/complete.test.ts', 'leads to every command, and to every flag of it'],
      [
        'test/cli/completion/complete.test.ts',
        'a real bash is given for %j, in words %j, what stands in the place of the last',
      ],
    ),
  ),
  expect(
    'A suggestion for a word that is mistyped',
    'clig.dev',
    done(['test/cli/commands/values.test.ts', 'a word that is nearly right is suggested']),
  ),
  expect(
    'Colour and movement only on a terminal; NO_COLOR',
    'clig.dev',
    done(['test/cli/commands/reads.test.ts', 'is in colour on a terminal only, and never in JSON']),
  ),
  expect(
    'No questions in scripts; danger confirmed by typing; dry runs',
    'clig.dev, kubectl',
    done(
      ['test/cli/bench/bench.test.ts', 'is left alone by a dry run, which says what it would do'],
      ['test/cli/bench/bench.test.ts', '%s'],
    ),
  ),
  expect(
    'Secrets never in flags or the environment',
    'clig.dev',
    done(
      ['test/cli/commands/senders.test.ts', 'a secret is not taken from a flag: %s'],
      ['test/cli/commands/senders.test.ts', 'a secret address is read from a file'],
    ),
  ),
  expect(
    'A shell with history, timer and a switch for consistency',
    'rqlite, redis-cli',
    done(
      [
        'test/cli/shell/shell.test.ts',
        'has settings of its own, which reach every command that follows',
      ],
      ['test/cli/shell/shell.test.ts', 'remembers its lines for the next one'],
    ),
  ),
  expect(
    'Consistency chosen by each read',
    'rqlite',
    done(
      ['test/client/leader.test.ts', 'that must be fresh go to the leader, others to any replica'],
      [
        'test/client/session.test.ts',
        'sees what this client wrote, however many replicas are behind',
      ],
    ),
  ),
  expect(
    'Each flag is also a variable and a key of the configuration, its origin shown',
    'temporal',
    done(
      ['test/cli/config/settings.test.ts', 'is worth what the nearest place says'],
      ['test/cli/config/settings.test.ts', 'says where its value comes from'],
    ),
  ),
  expect(
    'A schema of the configuration, and a command that checks it',
    'temporal',
    done(
      ['test/cli/config/settings.test.ts', 'finds everything that is wrong, by line'],
      ['test/cli/config/settings.test.ts', 'accepts whatever the schema shows'],
    ),
  ),
  expect(
    'A client for `await using`',
    'nats.js',
    done(['test/testing/memory-cluster.test.ts', 'of one replica answers as a real one']),
  ),
  expect(
    'A typed stream of what becomes of the connection',
    'nats.js',
    done([
      'test/testing/memory-cluster.test.ts',
      'from whom it takes for the leader to whoever comes after',
    ]),
  ),
  expect(
    'A code for each error, which says whether to try again',
    'nats.js, kafkajs',
    done([
      'test/client/truth.test.ts',
      'done: applied once; outcome none: never applied; always in time',
    ]),
  ),
  expect(
    'AbortSignal and a time-out on each call',
    'node-redis, postgres',
    done(
      ['test/client/client.test.ts', 'ends a read'],
      ['test/client/client.test.ts', 'while a reply is owed is OUTCOME_UNKNOWN'],
    ),
  ),
  expect(
    'Reconnecting with jitter and a cap; a bounded queue while offline',
    'node-redis',
    done(
      [
        'test/testing/memory-cluster.test.ts',
        'is refused at once while nobody is there, and goes on when somebody is',
      ],
      [
        'test/client/client.test.ts',
        'more than the limit are refused at once, and nothing of those is written',
      ],
    ),
  ),
  expect(
    'Calls of one tick travel together',
    'node-redis, ioredis, tigerbeetle-node',
    done([
      'test/client/client.test.ts',
      'those of one tick in one frame, in order, with the time that is left',
    ]),
  ),
  expect(
    'Async iterators that hold the sender back',
    'postgres, node-redis',
    done([
      'test/client/watch.test.ts',
      'holds a bounded number of messages, lets the replica go, and misses nothing',
    ]),
  ),
  expect(
    'Ids for repetitions that sort by time',
    'tigerbeetle-node id()',
    done([
      'test/testing/memory-cluster.test.ts',
      'differ, sort as they are made, and give the first answer again',
    ]),
  ),
  expect('A build for browsers over WebSocket', 'nats-core', planned(GATEWAY)),
  expect(
    'Hooks for instruments: diagnostics_channel',
    'node-redis',
    done([
      'test/testing/memory-cluster.test.ts',
      'are told of each call how long it took and how it ended',
    ]),
  ),
  expect(
    'A guide for each major version',
    'node-redis, nats.js',
    planned('the second major version'),
  ),
  expect('/livez and /readyz with reasons', 'etcd, rqlite', planned(GATEWAY)),
  expect('Raft metrics under known names', 'etcd', planned(METRICS)),
  expect(
    'A list of all metrics with their cardinality',
    'tigerbeetle inspect metrics',
    planned(METRICS),
  ),
  expect('Dashboard, tested alert rules and runbooks', 'etcd mixin', planned(METRICS)),
  expect(
    'A metric that tells a dead exporter from a dead cluster',
    'nats-surveyor',
    planned(METRICS),
  ),
  expect('Logs as ECS JSON', '@elastic/ecs-pino-format', planned(METRICS)),
  expect('OpenAPI and a page for it', 'Kafbat, Redis Insight', planned(GATEWAY)),
  expect('A hardened systemd unit', 'TigerBeetle', planned(PACKAGING)),
  expect('Manifests for Kubernetes', 'vault-helm, consul', planned(PACKAGING)),
  expect('A web console in the server', 'rqlite, temporal', planned(GATEWAY)),
  expect(
    'A view of differing histories and how they merge',
    'Etcd Workbench',
    declined(
      'Raft leaves one history, so there is nothing to merge; a replica that differs is named by `cluster status` and rebuilt',
    ),
  ),
  expect(
    'Roles, single sign-on and masked names in the pages',
    'Kafbat',
    planned('certificates and roles'),
  ),
  expect('Countdowns of silences in the pages', 'Etcd Workbench', planned(GATEWAY)),
  expect('A slow log and a profiler', 'Redis Insight', planned(METRICS)),
  expect(
    'Alarm colours with marks and the right flashing; acknowledged is not cleared',
    'bedside monitors',
    planned(GATEWAY),
  ),
  expect(
    'Alarms switched off are always visible',
    'Comen N10',
    done(
      [
        'test/statemachine/silenced.test.ts',
        'a silenced alert stays in every list, and says by what it is silenced',
      ],
      [
        'test/cli/output/alerts.test.ts',
        'shows what is silenced, inhibited, worked on or stale, and why',
      ],
    ),
  ),
  expect(
    'Stale data and lost links are alarms of their own',
    'bedside monitors',
    done([
      'test/statemachine/sources.test.ts',
      'what is raised while its source is lost is stale until the source is back',
    ]),
  ),
  expect('Changes handed on to Kafka or a webhook', 'rqlite, TigerBeetle', planned('connectors')),
  expect(
    "A cluster in the user's own process, for tests",
    'antietcd',
    done([
      'test/testing/memory-cluster.test.ts',
      'of three goes on without its leader, and takes it back',
    ]),
  ),
  expect(
    'Results of consistency tests, published',
    'antietcd, TigerBeetle',
    done(['test/docs.test.ts', 'the figures of the proof are those that its runs have left']),
  ),
];
