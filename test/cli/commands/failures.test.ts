import { describe, expect, test } from 'vitest';
import { BugError, must } from '../../../src/base/assert.ts';
import { isCode, MEANING, TocsinError } from '../../../src/base/errors.ts';
import type { WriteOptions } from '../../../src/statemachine/alert-api.ts';
import { runIn, World } from './world.ts';

const CODES = Object.keys(MEANING).filter(isCode);
const ACK = ['alert', 'ack', 'A1042'];
const RAISE = ['alert', 'raise', 'k', '--condition', 'c', '--priority', 'low'];

describe('every error ends with the status of its code', () => {
  test.each(CODES)('%s', async (code) => {
    const done = new TocsinError(code, 'what happened');
    const { status, stdout, stderr } = await runIn({ answers: { done } }, ...ACK);

    expect(status).toBe(MEANING[code].exit);
    expect(stdout).toBe('');
    expect(stderr).toMatch(new RegExp(`^tocsin: ${code}: what happened\n`));
  });

  test.each(CODES)('%s as JSON', async (code) => {
    const done = new TocsinError(code, 'what happened');
    const { status, stdout, stderr } = await runIn({ answers: { done } }, ...ACK, '-o', 'json');
    const { exit, retry, outcome } = MEANING[code];

    expect(status).toBe(exit);
    expect(stdout).toBe('');
    expect(stderr.split('\n')).toHaveLength(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code, message: 'what happened', exit, retry, outcome },
    });
  });
});

describe('an answer that cannot be written', () => {
  const lineOf = async (reason?: TocsinError) => {
    const world = new World();
    world.breakPipe(reason);
    return await world.run('errors');
  };

  test('is a failure, though the command was carried out', async () => {
    const full = new TocsinError('DISK_FULL', 'not all of the answer could be written: ENOSPC');
    const { status, stderr } = await lineOf(full);

    expect(status).toBe(MEANING.DISK_FULL.exit);
    expect(stderr).toBe('tocsin: DISK_FULL: not all of the answer could be written: ENOSPC\n');
  });

  test('because nobody wants it is none', async () => {
    expect(await lineOf()).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('what is not a coded error', () => {
  test('is a bug, with its trace', async () => {
    const done = new BugError('index 7 is above 6');
    const { status, stderr } = await runIn({ answers: { done } }, ...ACK);

    expect(status).toBe(1);
    expect(stderr).toMatch(/^tocsin: INTERNAL: .*index 7 is above 6\n +at /);
  });

  test('or an abort, which is what it is', async () => {
    const done = new DOMException('This operation was aborted', 'AbortError');
    const { status } = await runIn({ answers: { done } }, ...ACK);

    expect(status).toBe(130);
  });
});

describe('a hint helps at night', () => {
  test('an unknown outcome names the flag that makes repeating safe', async () => {
    const done = new TocsinError('OUTCOME_UNKNOWN', 'no answer');
    const line = [...ACK, '--idempotency-key', "it's"];
    const { stderr } = await runIn({ answers: { done } }, ...line);

    expect(stderr).toMatch(/ with this flag added: --idempotency-key 'it'\\''s'\n$/);
  });

  test('an unknown outcome without a key names the one that was drawn', async () => {
    const done = new TocsinError('OUTCOME_UNKNOWN', 'no answer');
    const { stderr, calls } = await runIn({ answers: { done } }, ...ACK);
    const { idempotencyKey } = must(calls[1], 'no call').args[1] as WriteOptions;

    expect(stderr).toContain(`--idempotency-key ${idempotencyKey}\n`);
  });

  test.each([
    ['--force', ['alert', 'resolve', 'A1042', '--reason', 'gone']],
    ['--confirmed-by <name>', ['alert', 'resolve', 'A1042', '--reason', 'gone', '--force']],
    ['--confirmed-by <name>', ['alert', 'void', 'A1042', '--reason', 'a test']],
    ['--reason <text>', ['alert', 'discharge', 'A1042']],
    ['--reason <text>', ['patient', 'discharge', 'pt-7f3']],
  ])('a refusal that asks for more says to add %s: %j', async (flag, line) => {
    const refused = new TocsinError('CONFIRMATION_REQUIRED', 'not so');
    const { stderr, status } = await runIn({ answers: { done: refused, kept: refused } }, ...line);
    expect(status).toBe(5);
    expect(stderr).toMatch(new RegExp(`^ .*add ${flag}`, 'm'));
  });

  test('an unreachable cluster names what was asked', async () => {
    const connect = new TocsinError('UNAVAILABLE', 'nobody answers');
    const { status, stderr, calls } = await runIn(
      { answers: { connect } },
      ...['alert', 'list', '--endpoints', '/a,/b'],
    );

    expect(status).toBe(6);
    expect(stderr).toContain('  asked: /a, /b\n');
    expect(calls).toHaveLength(1);
  });

  test('unless the message names it already', async () => {
    const connect = new TocsinError('UNAVAILABLE', 'nobody answers: /a: refused; /b: refused');
    const line = ['alert', 'list', '--endpoints', '/a,/b'];
    const { stderr } = await runIn({ answers: { connect } }, ...line);

    expect(stderr).not.toContain('asked:');
    expect(stderr).toContain('--endpoints');
  });

  test('a folder that is not formatted names the command that formats it', async () => {
    const replica = new TocsinError('DATA_MISSING', './r 1 is not formatted');
    const { status, stderr } = await runIn({ answers: { replica } }, 'serve', '--data', './r 1');

    expect(status).toBe(3);
    expect(stderr).toContain("tocsin format --data './r 1' --replica N --members");
  });

  test('a folder that is taken is left alone', async () => {
    const format = new TocsinError('DATA_EXISTS', './r1 is not empty');
    const line = [
      'format',
      '--data',
      './r1',
      '--replica',
      '1',
      '--members',
      '1=/ip4/1.1.1.1/tcp/1',
    ];
    const { status, stderr } = await runIn({ answers: { format } }, ...line);

    expect(status).toBe(5);
    expect(stderr).toContain('name another folder');
  });

  test('an alert that is not there', async () => {
    const { status, stderr } = await runIn({}, 'alert', 'get', 'k9');

    expect(status).toBe(3);
    expect(stderr).toContain('tocsin: ALERT_NOT_FOUND: no alert is open under k9\n');
    expect(stderr).toContain('tocsin alert list');
  });
});

describe('an id in lower case is a key that nothing is open under', () => {
  const done = new TocsinError('ALERT_NOT_FOUND', 'no alert is open under a1');

  test.each([
    [['alert', 'ack', 'a1']],
    [['alert', 'clear', 'a1']],
    [['alert', 'accept', 'a1']],
    [['alert', 'get', 'a1']],
    [['explain', 'a1']],
  ])('%j says which id may be meant', async (line) => {
    const { status, stderr } = await runIn({ answers: { done, alert: undefined } }, ...line);

    expect(status).toBe(3);
    expect(stderr).toContain('no alert is open under a1\n  did you mean A1?\n');
  });

  test.each(['a0', 'a01', 'bed:B1', 'b1'])('but %s resembles none', async (key) => {
    const { stderr } = await runIn({ answers: { done } }, 'alert', 'ack', key);

    expect(stderr).toContain('tocsin alert list shows what is open');
    expect(stderr).not.toContain('did you mean');
  });
});

describe('a message of others', () => {
  test('cannot move the cursor', async () => {
    const done = new TocsinError('ALERT_NOT_FOUND', 'no \u001b[2J\u202ealert');
    const { stderr } = await runIn({ answers: { done } }, ...ACK);
    const json = await runIn({ answers: { done } }, ...ACK, '-ojson');

    expect(stderr).toContain('no \\x1b[2J\\u{202e}alert');
    expect(json.stderr).not.toContain('\u202e');
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { message: 'no \u001b[2J\u202ealert' },
    });
  });
});

describe('what cannot be understood does nothing, and says how it is used', () => {
  test.each<readonly [readonly string[], string]>([
    [
      ['alert', 'lst'],
      'unknown command "lst" (did you mean "list"?)\n  usage: tocsin alert <command>',
    ],
    [['alrt'], 'unknown command "alrt" (did you mean "alert"?)\n  usage: tocsin <command>'],
    [['alert', 'acknowledge', 'A1'], '(did you mean "ack"?)'],
    [['alert', 'rm'], 'unknown command "rm"\n'],
    [['policy', 'rm', 'p'], 'unknown command "rm" (did you mean "remove"?)'],
    [['alert', 'describe'], '(did you mean "get"?)'],
    [['init'], '(did you mean "format"?)'],
    [['wait', '--for', 'leadr'], '--for leadr (did you mean "leader"?): must be'],
    [['errors', '4444'], 'there is no code 4444'],
    [['alrt', '--help'], 'unknown command "alrt" (did you mean "alert"?)'],
    [['help', 'alert', 'lst'], 'unknown command "lst" (did you mean "list"?)'],
    [['constructor'], 'unknown command "constructor"\n'],
    [['alert', 'list', '--state', '__proto__'], 'It must be one of ACTIVE_UNACK'],
    [['errors', 'constructor'], 'there is no code constructor\n'],
    [
      ['alert', 'list', '--priorty', 'high'],
      "unknown option '--priorty'\n  Did you mean --priority?",
    ],
    [['alert', 'list', '--prio', 'high'], "unknown option '--prio'"],
    [['alert', 'list', '-x'], "unknown option '-x'\n  usage: tocsin alert list [options]\n"],
    [['--nope'], "unknown option '--nope'"],
    [['alert', 'list', 'B12'], "too many arguments for 'list'"],
    [['alert', 'get', 'A1', 'A2'], "too many arguments for 'get'"],
    [
      ['alert', 'get'],
      "missing required argument 'alert'\n  usage: tocsin alert get [options] <alert>",
    ],
    [['alert', 'get', ''], 'It must be an alert id such as A1042, or a dedup key.'],
    [['alert', 'raise', 'k', '--condition', 'c'], "required option '--priority <priority>' not"],
    [
      ['alert', 'raise', '--condition', 'c', '--priority', 'low'],
      "missing required argument 'key'",
    ],
    [[...RAISE, '--priority', 'hihg'], 'one of high, medium, low, none (did you mean "high"?)'],
    [[...RAISE, '--value', '141'], '--value says nothing without --metric'],
    [[...RAISE, '--limit', '9'], '--limit says nothing without --metric'],
    [[...RAISE, '--value', 'high', '--metric', 'HR'], 'It must be a number'],
    [[...RAISE, '--label', 'x'], 'It must be name=value.'],
    [[...RAISE, '--bed', ''], 'It must not be empty.'],
    [[...RAISE, '--text', ''], 'It must not be empty.'],
    [[...RAISE, '--text'], "option '--text <text>' argument missing"],
    [['alert', 'list', '--open', '--all'], 'cannot be used with option'],
    [['alert', 'list', '--limit', '1001'], 'It must be a whole number from 1 to 1000.'],
    [['alert', 'list', '--timeout', '10'], 'such as 500ms, 10s or 2m'],
    [['alert', 'list', '-o', 'xml'], 'It must be one of table, wide, json, jsonl, yaml, csv'],
    [['alert', 'watch', '--from', '0'], 'It must be a whole number of at least 1.'],
    [['cluster', 'status', '--consistency', 'local'], "unknown option '--consistency'"],
    [
      ['format', '--data', 'x', '--replica', '1'],
      "required option '--members <list>' not specified",
    ],
    [['serve', '--dota', './r1'], `unknown option '--dota' (did you mean "--data"?)`],
    [['serve'], "required option '--data <folder>' not specified"],
    [['errors', 'UNAVAILBLE'], 'there is no code UNAVAILBLE (did you mean "UNAVAILABLE"?)'],
    [['errors', 'USAGE', 'CLOSED'], "too many arguments for 'errors'"],
  ])('%j', async (line, said) => {
    const { status, stdout, stderr, calls } = await runIn({}, ...line);

    expect(stderr).toContain(said);
    expect(stderr).toMatch(/^tocsin: USAGE: /);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(calls).toEqual([]);
  });

  test.each([[['-o', 'json']], [['--output', 'json']], [['--output=json']], [['-ojson']]])(
    'as JSON too, after %j',
    async (flags) => {
      const { status, stderr } = await runIn({}, 'alert', 'list', '--nope', ...flags);

      expect(status).toBe(2);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE', exit: 2 } });
    },
  );

  test('as JSON too, where the configuration says so', async () => {
    const disk = { '/u/.config/tocsin/config.yaml': 'defaults: {output: json}' };
    const line = ['alert', 'get', 'A1', 'A2'];
    const { stderr } = await runIn({ env: { HOME: '/u' }, disk }, ...line);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE', exit: 2 } });
    const people = await runIn({ env: { HOME: '/u' }, disk }, ...line, '-o', 'table');
    expect(people.stderr).toMatch(/^tocsin: USAGE: /);
  });

  test.each([[[]], [['alert']], [['cluster']]])('a half command %j gets its help', async (line) => {
    const { status, stdout, stderr } = await runIn({}, ...line);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Examples:\n {2}tocsin /);
  });
});

describe('errors', () => {
  test('lists every code', async () => {
    const { stdout, status } = await runIn({}, 'errors');

    expect(status).toBe(0);
    for (const code of CODES) expect(stdout).toContain(`\n${code} `);
  });

  test('explains one, however it is written', async () => {
    const { stdout } = await runIn({}, 'errors', 'outcome-unknown');

    expect(stdout).toContain('Exit status         7\n');
    expect(stdout).toContain(MEANING.OUTCOME_UNKNOWN.says);
  });

  test('lists what ends with an exit status', async () => {
    const { stdout, status } = await runIn({}, 'errors', '7', '-o', 'json');
    const codes = JSON.parse(stdout).map(({ code }: { code: string }) => code);

    expect(status).toBe(0);
    expect(codes).toEqual(CODES.filter((code) => MEANING[code].exit === 7));
    expect(codes).toContain('OUTCOME_UNKNOWN');
  });

  test('is for programs too', async () => {
    const one = await runIn({}, 'errors', 'USAGE', '-o', 'json');
    const all = await runIn({}, 'errors', '-o', 'json');

    expect(JSON.parse(one.stdout)).toEqual({ code: 'USAGE', ...MEANING.USAGE });
    expect(JSON.parse(all.stdout)).toHaveLength(CODES.length);
  });
});
