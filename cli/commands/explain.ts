import { Command } from 'commander';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import type { AlertRef } from '../../src/statemachine/types.ts';
import { explainAlert } from '../explain/alert.ts';
import { type Explanation, explainCluster, explainSilence } from '../explain/cluster.ts';
import { printable } from '../output/escape.ts';
import type { Paint } from '../output/paint.ts';
import { wrapLine } from '../output/wrap.ts';
import { HintedError } from './failure.ts';
import type { Io } from './io.ts';
import { askEverybody, sentenceOf } from './members.ts';
import { alertNotFound } from './not-found.ts';
import { addClientOptions, type ClientFlags, withExamples } from './options.ts';
import { report, type Session, withClient } from './session.ts';
import { parseRef } from './values.ts';

/** `tocsin explain [ALERT]`: why something is as it is. */
export function explainCommand(io: Io): Command {
  const command = new Command('explain')
    .description(
      'say in sentences why the cluster, or an alert, is in its state, and what leads out of it',
    )
    .argument('[alert]', 'alert id such as A1042, or a dedup key (default: the cluster)', parseRef);
  return withExamples(addClientOptions(command, '3s'), [
    ['tocsin explain', 'why nothing can be written, or what is missing'],
    ['tocsin explain A1042', 'why this alert does not go away'],
  ]).action(async (ref: AlertRef | undefined, flags: ClientFlags) => {
    const explanation = await explain(io, ref, flags);
    await report(io, flags, {
      value: explanation,
      text: ({ paint, width }) => render(explanation, paint, width),
    });
  });
}

async function explain(
  io: Io,
  ref: AlertRef | undefined,
  flags: ClientFlags,
): Promise<Explanation> {
  let found: Explanation | undefined;
  try {
    await withClient(io, flags, async (session) => {
      found =
        ref === undefined
          ? explainCluster(await askEverybody(session))
          : await explainOne(io, ref, session);
    });
  } catch (error) {
    const known = error instanceof HintedError ? error.error : error;
    if (ref !== undefined || !TocsinError.is(known) || !known.retryable) throw error;
    found = explainSilence(known.message.replace(/^no replica [^:]*: /, '').split('; '));
  }
  return must(found, 'an explanation was neither found nor failed');
}

/** A replica without a leader still knows what it has: better an older answer than none, and it is said. */
async function explainOne(io: Io, ref: AlertRef, session: Session): Promise<Explanation> {
  const { client, timeoutMs, signal } = session;
  let doubt: TocsinError | undefined;
  const { value } = await client.get(ref, { timeoutMs, signal }).catch((problem: unknown) => {
    if (!TocsinError.is(problem) || !problem.retryable) throw problem;
    doubt = problem;
    return client.get(ref, { timeoutMs, signal, consistency: 'local' });
  });
  if (value === undefined) throw doubt ?? alertNotFound(ref);
  const explanation = explainAlert(value, io.wall());
  return doubt === undefined ? explanation : asOneKnows(explanation, doubt);
}

const asOneKnows = ({ verdict, because, next }: Explanation, doubt: TocsinError): Explanation => ({
  verdict: `As far as one replica knows, ${verdict}`,
  because: [...because, `nobody can say whether it is still so: ${sentenceOf(doubt)}`],
  next: [...next, 'why nobody can say: tocsin explain'],
});

/** What to do next stays whole: to be copied. */
function render(
  { verdict, because, next }: Explanation,
  paint: Paint,
  width: number | undefined,
): string {
  const list = (lines: readonly string[]): string[] => lines.map((line) => `  ${printable(line)}`);
  const reasons = list(because).map((line) => wrapLine(line, width, '    '));
  return [
    paint('title', wrapLine(printable(verdict), width, '')),
    ...(because.length === 0 ? [] : ['', 'Because:', ...reasons]),
    ...(next.length === 0 ? [] : ['', 'Next:', ...list(next)]),
    '',
  ].join('\n');
}
