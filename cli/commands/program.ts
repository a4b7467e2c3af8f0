import { Command } from 'commander';
import { BugError, must } from '../../src/base/assert.ts';
import type { Io, RunLine } from './io.ts';
import { withExamples } from './options.ts';
import { packageVersion } from './version.ts';

interface Entry {
  readonly summary: string;
  /** Asked by programs: not in the help. */
  readonly isHidden?: boolean;
  readonly load: (io: Io, run: RunLine) => Promise<Command>;
}

/** The first words of a command line under their titles, in the order of the help. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Alerts:': ['alert', 'silence', 'maintenance', 'inhibition', 'incident', 'source', 'tally'],
  'Who is told:': ['policy', 'schedule', 'notification'],
  'The ward:': ['bed', 'patient', 'device'],
  'The cluster:': ['cluster', 'check', 'explain', 'wait', 'top', 'session', 'snapshot', 'bench'],
  'One replica:': ['format', 'serve', 'doctor', 'log', 'recover', 'debug'],
  'Vital signs:': ['trend', 'rule', 'score', 'replay'],
  'This program:': ['demo', 'shell', 'context', 'config', 'completion', 'errors', 'complete'],
};

const ENTRIES: Readonly<Record<string, Entry>> = {
  demo: {
    summary: 'three replicas, a simulated ward, a killed leader',
    load: async (io) => (await import('../demo/command.ts')).demoCommand(io),
  },
  alert: {
    summary: 'raise, clear, acknowledge and look at alerts',
    load: async (io) => (await import('./alert.ts')).alertCommand(io),
  },
  silence: {
    summary: 'silences: alerts that do not annunciate for a time',
    load: async (io) => (await import('./silence.ts')).silenceCommand(io),
  },
  policy: {
    summary: 'escalation policies: who is told while nobody acknowledges',
    load: async (io) => (await import('./policy.ts')).policyCommand(io),
  },
  schedule: {
    summary: 'on-call schedules: who is told where a policy says schedule:NAME',
    load: async (io) => (await import('./schedule.ts')).scheduleCommand(io),
  },
  notification: {
    summary: 'who was told of which alert, and what became of it',
    load: async (io) => (await import('./notification.ts')).notificationCommand(io),
  },
  source: {
    summary: 'sources of alerts, and whether they have been heard from',
    load: async (io) => (await import('./source.ts')).sourceCommand(io),
  },
  bed: {
    summary: 'beds, and who is in them',
    load: async (io) => (await import('./ward.ts')).bedCommand(io),
  },
  patient: {
    summary: 'patients by pseudonym, admitted, moved and discharged',
    load: async (io) => (await import('./ward.ts')).patientCommand(io),
  },
  device: {
    summary: 'devices, and the beds that they are at',
    load: async (io) => (await import('./ward.ts')).deviceCommand(io),
  },
  session: {
    summary: 'sessions of clients, whose commands are carried out once',
    load: async (io) => (await import('./client-session.ts')).sessionCommand(io),
  },
  tally: {
    summary: 'alarms by day and unit, for longer than their history is kept',
    load: async (io) => (await import('./tally.ts')).tallyCommand(io),
  },
  inhibition: {
    summary: 'which alerts explain which others of the same device',
    load: async (io) => (await import('./inhibition.ts')).inhibitionCommand(io),
  },
  maintenance: {
    summary: 'maintenance windows: what is being worked on',
    load: async (io) => (await import('./maintenance.ts')).maintenanceCommand(io),
  },
  incident: {
    summary: 'incidents: alerts that belong together',
    load: async (io) => (await import('./incident.ts')).incidentCommand(io),
  },
  cluster: {
    summary: 'look at the replicas, change who takes part and who leads',
    load: async (io) => (await import('./cluster.ts')).clusterCommand(io),
  },
  snapshot: {
    summary: 'take, keep, look at and restore snapshots',
    load: async (io) => (await import('./snapshot.ts')).snapshotCommand(io),
  },
  log: {
    summary: 'look at the log of a replica that does not run',
    load: async (io) => (await import('./log.ts')).logCommand(io),
  },
  recover: {
    summary: 'go on with one replica, when a majority is gone for good',
    load: async (io) => (await import('./recover.ts')).recoverCommand(io),
  },
  format: {
    summary: 'make the data folder of a new replica',
    load: async (io) => (await import('./format.ts')).formatCommand(io),
  },
  serve: {
    summary: 'run a replica',
    load: async (io) => (await import('./serve.ts')).serveCommand(io),
  },
  replay: {
    summary: 'play a folder of recordings through rules into a cluster',
    load: async (io) => (await import('../replay/command.ts')).replayCommand(io),
  },
  rule: {
    summary: 'look at rules, explain, try and change them',
    load: async (io) => (await import('../rule/command.ts')).ruleCommand(io),
  },
  trend: {
    summary: 'look at vital signs, plot and export them',
    load: async (io) => (await import('../trend/command.ts')).trendCommand(io),
  },
  score: {
    summary: 'compute early-warning scores over charted stays',
    load: async (io) => (await import('../score/command.ts')).scoreCommand(io),
  },
  context: {
    summary: 'clusters under names',
    load: async (io) => (await import('./context.ts')).contextCommand(io),
  },
  config: {
    summary: 'what flags are worth that are not given, and why',
    load: async (io) =>
      (await import('./config.ts')).configCommand(io, () => buildWholeProgram(io)),
  },
  top: {
    summary: 'watch replicas, rates, latencies and open alerts',
    load: async (io) => (await import('./top.ts')).topCommand(io),
  },
  shell: {
    summary: 'type commands with history and completion',
    load: async (io, run) =>
      (await import('./shell.ts')).shellCommand(io, () => buildWholeProgram(io), run),
  },
  check: {
    summary: 'judge the cluster for a monitoring system',
    load: async (io) => (await import('./check.ts')).checkCommand(io),
  },
  explain: {
    summary: 'say why the cluster, or an alert, is in its state',
    load: async (io) => (await import('./explain.ts')).explainCommand(io),
  },
  doctor: {
    summary: 'measure whether this machine is fit for a replica',
    load: async (io) => (await import('./doctor.ts')).doctorCommand(io),
  },
  bench: {
    summary: 'load a cluster and tell rates and latencies',
    load: async (io) => (await import('./bench.ts')).benchCommand(io),
  },
  debug: {
    summary: 'gather what somebody needs who has to find out from afar',
    load: async (io) => (await import('./debug.ts')).debugCommand(io, () => buildWholeProgram(io)),
  },
  wait: {
    summary: 'wait until something is so',
    load: async (io) => (await import('./wait.ts')).waitCommand(io),
  },
  completion: {
    summary: 'make a shell complete commands, flags, alerts and contexts',
    load: async (io) => (await import('./completion.ts')).completionCommand(io),
  },
  complete: {
    summary: 'print what may follow',
    isHidden: true,
    load: async (io) =>
      (await import('./completion.ts')).completeCommand(io, () => buildWholeProgram(io)),
  },
  errors: {
    summary: 'explain error codes',
    load: async (io) => (await import('./errors.ts')).errorsCommand(io),
  },
};

/** The tree with every branch loaded, for who prints or checks all of it. */
export const buildWholeProgram = (io: Io): Promise<Command> =>
  buildProgram(io, Object.keys(ENTRIES), () => Promise.reject(new BugError('nobody runs it')));

/** The tree of commands, of which only the branch that is asked for is loaded: help must be quick. */
export async function buildProgram(
  io: Io,
  wanted: readonly string[],
  run: RunLine,
): Promise<Command> {
  const program = new Command('tocsin')
    .description('a strongly consistent alert database for critical care')
    .usage('<command> [options]')
    .version(`tocsin ${packageVersion()}`, '-V, --version', 'print the version')
    .addHelpText('after', AFTER);
  withExamples(program, [
    ['tocsin demo', 'three replicas, a simulated ward, a killed leader'],
    ['tocsin alert list', 'what is open now'],
    ['tocsin alert watch', 'the alert history as it happens'],
    ['tocsin cluster status', 'who leads, who trails, who is away'],
    ['tocsin serve --data ./r1', 'run a replica'],
    ['tocsin errors UNAVAILABLE', 'what an error code means'],
  ]);
  for (const [title, names] of Object.entries(GROUPS))
    for (const name of names) {
      const { summary, isHidden = false, load } = must(ENTRIES[name], `${name} is no command`);
      const isWanted = wanted.includes(name);
      const command = isWanted ? await load(io, run) : new Command(name).description(summary);
      program.addCommand(command.helpGroup(title), { hidden: isHidden });
    }
  return program;
}

const AFTER = `
Every flag can be set as a variable, --timeout as TOCSIN_TIMEOUT, and in a file:
tocsin config --help

Exit status:
  0    done
  1    failed
  2    usage: a flag, an argument, a file or a request is not well formed
  3    not found
  5    conflict: what is there is not what the command expects
  6    unavailable: no replica, no leader or no time
  7    unknown outcome: the write may have happened; repeat it with its key
  130  interrupted`;
