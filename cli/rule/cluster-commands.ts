import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import {
  idOfRule,
  type KeptRule,
  type ListedRule,
  rulesOfSet,
} from '../../src/base/rules/listed-rules.ts';
import type { Io } from '../commands/io.ts';
import {
  addClientOptions,
  addConsistencyOption,
  type ClientFlags,
  type ReadFlags,
  withExamples,
} from '../commands/options.ts';
import { readOptionsOf, report, withClient } from '../commands/session.ts';
import { parseText } from '../commands/values.ts';
import { addRecordOptions, keep, type WriteFlags } from '../commands/writing.ts';
import { didYouMean } from '../input/suggest.ts';
import { toSafeYaml } from '../output/yaml.ts';
import { rulesInForce } from './in-force.ts';

/** Rules in force in a cluster: the replicated ones, by which every replica judges. */

export function getCommand(io: Io): Command {
  const command = new Command('get')
    .description('show a rule in force, as it would stand in a file')
    .argument('<rule>', 'its id, or the name of a profile', parseText);
  return withExamples(addConsistencyOption(addClientOptions(command, '10s')), [
    ['tocsin rule get hr-high', 'for people, and for a file'],
    ['tocsin rule get hr-high -o json', 'for programs'],
  ]).action(async (id: string, flags: ReadFlags) => {
    await withClient(io, flags, async (session) => {
      const rules = await rulesInForce(session.client, readOptionsOf(session, flags));
      const found = rules.find((rule) => rule.id === id);
      if (found === undefined) {
        const known = rules.map((rule) => rule.id);
        throw new TocsinError('RECORD_NOT_FOUND', `there is no rule ${id}${didYouMean(id, known)}`);
      }
      await report(io, flags, {
        value: found,
        text: () => `# ${found.id}, version ${found.version}\n${toSafeYaml(bare(found))}`,
      });
    });
  });
}

export function removeCommand(io: Io): Command {
  const command = new Command('remove')
    .description('no longer judge by a rule; what it has raised is cleared')
    .argument('<rule>', 'its id, or the name of a profile', parseText);
  return withExamples(addRecordOptions(command), [
    ['tocsin rule remove hr-drift', 'on all replicas'],
  ]).action(async (id: string, flags: WriteFlags) => {
    await keep(io, flags, (client, said, options) =>
      client.keep({ type: 'remove-rule', id, ...said }, options),
    );
  });
}

/** Puts every rule of a file in force, one after the other; those that are as in the file already stay as they are. */
export function loadCommand(io: Io): Command {
  const command = new Command('load')
    .description('put the rules of a file in force; rules that the file does not name stay')
    .argument('<file>', 'rules as JSON or YAML', parseText);
  return withExamples(addClientOptions(command, '30s'), [
    ['tocsin rule load ward.yaml', 'what all replicas judge by from now on'],
  ]).action(async (file: string, flags: ClientFlags) => {
    const { loadRules } = await import('../input/rules-file.ts');
    const wanted = rulesOfSet(await loadRules(file));
    await withClient(io, flags, async ({ client, actor, timeoutMs, signal }) => {
      const options = { timeoutMs, signal };
      const before = await rulesInForce(client, options);
      const known = new Map(before.map(({ id, rule }) => [id, textOf(rule)]));
      const changed = wanted.filter((rule) => known.get(idOfRule(rule)) !== textOf(rule));
      await setAll(changed, (rule) => client.keep({ type: 'set-rule', rule, actor }, options));
      await report(io, flags, {
        value: { file, rules: wanted.length, changed: changed.map(idOfRule) },
        text: () => `${file}: ${wanted.length} rules, ${changed.length} changed\n`,
      });
    });
  });
}

/** Rules that only go together after others have changed wait for these. @throws what the last refused one was refused for */
async function setAll(
  rules: readonly ListedRule[],
  set: (rule: ListedRule) => Promise<unknown>,
): Promise<void> {
  const waiting: ListedRule[] = [];
  let refusal: unknown;
  for (const rule of rules) {
    try {
      await set(rule);
    } catch (error) {
      if (!TocsinError.is(error) || error.code !== 'BAD_REQUEST') throw error;
      refusal = error;
      waiting.push(rule);
    }
  }
  if (waiting.length === rules.length && refusal !== undefined) throw refusal;
  if (waiting.length > 0) await setAll(waiting, set);
}

/** The same for the same rule, in whatever order its fields stand. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );

/** The rule as a file has it. */
function bare({ rule }: KeptRule): object {
  const { list: _list, ...rest } = rule;
  return rest;
}
