import { parseArgs } from 'node:util';
import { numberOf, wholeOf } from '../src/testing/numbers.ts';
import { parseTcpAddress } from '../src/transport/address.ts';
import { NEMESES, type NemesisName } from './nemeses/table.ts';
import { NETWORKS, type NetworkName } from './network/open-network.ts';
import { WORKLOADS, type WorkloadName, workloadsOf } from './workloads/table.ts';

export const HELP: string = `npm run jepsen -- [options]

  --time S          seconds under load (default 20)
  --nemesis LIST    faults, separated by commas; all, none (default all)
                    ${NEMESES.join(', ')}
  --interval S      seconds between two faults, in the mean (default 2)
  --lasts S         seconds that a fault lasts, in the mean (default 2)
  --workload NAME   ${WORKLOADS.join(', ')} (default mixed)
  --clients N       callers, each with a connection of its own (default 8)
  --rate R          operations a second, all callers together (default 200)
  --replicas N      3, 5, … (default 3)
  --network NAME    ${NETWORKS.join(', ')}: what carries bytes between replicas (default auto: namespaces where
                    that is possible and makes the faults that are asked for)
  --seed N          decides what is drawn (default: the time)
  --minimum N       commands that must be acknowledged, or the run is void (default: rate × time / 50)
  --recovery S      seconds for the healed cluster to answer and to come to one state (default 60)
  --out DIR         folder of the run (default jepsen-runs/TIME-SEED)
  --program PATH    another compiled program to test: its main.js
  --attach LIST     addresses of a cluster that runs already: load and checks, no faults of ours
  --json            print the verdict as JSON
  --all             each nemesis with each workload, one run of --time after another, and a table of them
  --mutants [NAME…] instead: put seeded bugs into the program, and see that each is found

Ends with 0 when the run is valid, 1 when it is INVALID, 2 when it is VOID or an option is wrong, 3 when it could not be done.
Ctrl-C ends load and faults, and what was done until then is checked; a second one ends at once.
`;

export interface Options {
  readonly seconds: number;
  readonly nemeses: readonly NemesisName[];
  readonly intervalSeconds: number;
  readonly lastsSeconds: number;
  readonly workload: WorkloadName;
  readonly clients: number;
  readonly rate: number;
  readonly replicas: number;
  readonly network: NetworkName;
  readonly seed: number;
  readonly minimum: number;
  readonly recoverySeconds: number;
  readonly out: string | undefined;
  readonly program: string | undefined;
  /** Empty = a cluster of our own. */
  readonly attach: readonly string[];
  readonly json: boolean;
  /** One run for each pair of them. */
  readonly all: boolean;
  readonly help: boolean;
}

const SPEC = {
  time: { type: 'string', default: '20' },
  nemesis: { type: 'string' },
  interval: { type: 'string', default: '2' },
  lasts: { type: 'string', default: '2' },
  workload: { type: 'string', default: 'mixed' },
  clients: { type: 'string', default: '8' },
  rate: { type: 'string', default: '200' },
  replicas: { type: 'string' },
  network: { type: 'string' },
  seed: { type: 'string' },
  minimum: { type: 'string' },
  recovery: { type: 'string', default: '60' },
  out: { type: 'string' },
  program: { type: 'string' },
  attach: { type: 'string' },
  json: { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Of so many operations asked for at least one has to be an acknowledged command, or the run is void. */
const VOID_SHARE = 50;

/** @throws Error naming the option that is wrong */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  const seconds = numberOf('time', values.time, 1, 86_400);
  const rate = numberOf('rate', values.rate, 1, 1_000_000);
  const { nemesis = 'all', replicas = '3', network = 'auto' } = values;
  if (values.attach !== undefined) holdAttached(values);
  if (values.all && (values.attach !== undefined || nemesis === 'none'))
    throw new Error('--all breaks a cluster of our own by each --nemesis');
  return {
    seconds,
    rate,
    nemeses: nemesesOf(nemesis),
    intervalSeconds: numberOf('interval', values.interval, 0.05, 3_600),
    lastsSeconds: numberOf('lasts', values.lasts, 0.05, 3_600),
    workload: oneOf('workload', values.workload, WORKLOADS),
    clients: wholeOf('clients', values.clients, 1, 1_000),
    replicas: wholeOf('replicas', replicas, 1, 9),
    network: oneOf('network', network, NETWORKS),
    seed: wholeOf('seed', values.seed ?? `${Date.now()}`, 0, Number.MAX_SAFE_INTEGER),
    minimum:
      values.minimum === undefined
        ? Math.ceil((rate * seconds) / VOID_SHARE)
        : wholeOf('minimum', values.minimum, 0, 1e9),
    recoverySeconds: numberOf('recovery', values.recovery, 1, 3_600),
    out: values.out,
    program: values.program,
    attach: values.attach === undefined ? [] : values.attach.split(',').map(asAddress),
    json: values.json,
    all: values.all,
    help: values.help,
  };
}

interface Attached {
  readonly nemesis?: string | undefined;
  readonly replicas?: string | undefined;
  readonly network?: string | undefined;
  readonly program?: string | undefined;
  readonly workload: string;
}

/** What is said of a cluster of our own makes no sense beside --attach. */
function holdAttached({ nemesis, replicas, network, program, workload }: Attached): void {
  for (const [option, value] of Object.entries({ nemesis, replicas, network, program }))
    if (value !== undefined && value !== 'none')
      throw new Error(
        `--${option} is for a cluster of our own; with --attach break yours by what you have`,
      );
  if (workload === 'mixed') return;
  if (workloadsOf(oneOf('workload', workload, WORKLOADS)).some(({ needsPages }) => needsPages))
    throw new Error(
      `--workload ${workload} reads what replicas print, which an attached cluster does not show`,
    );
}

/** @throws Error saying what an address looks like */
function asAddress(text: string): string {
  try {
    parseTcpAddress(text);
    return text;
  } catch (error) {
    throw new Error(`--attach: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function nemesesOf(text: string): readonly NemesisName[] {
  if (text === 'none') return [];
  if (text === 'all') return NEMESES;
  return text.split(',').map((name) => oneOf('nemesis', name, NEMESES));
}

function oneOf<T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((name) => name === text);
  if (found === undefined)
    throw new Error(`--${option} ${text} is not known; choose of ${known.join(', ')}`);
  return found;
}
