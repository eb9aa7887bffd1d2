import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { runProcess, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { DataReport, parseDocument } from '@passloop/documents';
import { renderComment, renderSummary } from '@passloop/report';
import { renderHtml } from '@passloop/report/page';
import { openTables, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What a team's data, or a stranger's pull request, may hold: each ends with a message that says what, where and what to do. */

type Answer = { exitCode: number; stdout: string; stderr: string };

const repository = path.resolve(import.meta.dirname, '../../..');
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('bad-input');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function write(name: string, text: string | Uint8Array): Promise<void> {
  const file = path.join(folder.path, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function run(commands: readonly (readonly string[])[], env: Record<string, string> = {}): Promise<Answer[]> {
  const result = await runProcess({
    argv: [process.execPath, path.join(import.meta.dirname, 'testing/run-commands.ts')],
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? '', HOME: folder.path, ...env },
    input: JSON.stringify(commands),
  });
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return JSON.parse(result.stdout.toString()) as Answer[];
}

const all: { commands: readonly (readonly string[])[]; arrange: () => Promise<void> }[] = [];
let answers: Promise<Answer[]> | null = null;

async function runAll(): Promise<Answer[]> {
  for (const { arrange } of all) await arrange();
  return run(all.flatMap(({ commands }) => commands));
}

/** The answers of commands, by their place in the list. Those of all lists run in one process, once: its start costs more than they do. */
function answersOf(commands: readonly (readonly string[])[], arrange: () => Promise<void>) {
  const before = all.reduce((count, one) => count + one.commands.length, 0);
  all.push({ commands, arrange });
  return async (at: number): Promise<Answer> => {
    answers ??= runAll();
    return (await answers)[before + at] as Answer;
  };
}

function expectNoTrace({ stdout, stderr }: Answer): void {
  expect(stdout + stderr).not.toMatch(/\n\s+at .*[:(]\d+|node:internal|\[object Object\]|undefined/);
  expect(stdout + stderr).not.toContain(folder.path);
}

const columns = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`).join();

describe('a file that is no table', () => {
  const cases: [what: string, file: string, message: RegExp][] = [
    [
      'a row with too many fields',
      'more.csv',
      /more\.csv .* line 3 has 3 fields, the header 2\.\n {2}Each row needs as many fields/,
    ],
    ['a row with too few', 'less.csv', /less\.csv .* line 3 has 1 fields, the header 2\./],
    [
      'a row of 10 MB',
      'row.csv',
      /row\.csv .* line 3 is longer than 2,000,000 bytes\.\n {2}Perhaps a quote is never closed/,
    ],
    ['a header of 2 MB', 'header.csv', /header\.csv .* line 1 is longer than 2,000,000 bytes\./],
    [
      '100,000 columns',
      'wide.csv',
      /wide\.csv has more than 10,000 columns, the most that a table may have\.\n {2}Leave out/,
    ],
    ['a million columns', 'wider.csv', /wider\.csv has more than 10,000 columns/],
    [
      'a Parquet file cut in half',
      'half.parquet',
      /half\.parquet cannot be read as a table: .*\n {2}A Parquet file ends with .* cut short.* fetch it again/,
    ],
    ['an empty CSV', 'empty.csv', /empty\.csv is empty: it has no header line\.\n {2}The first line names the columns/],
    [
      'an empty Parquet file',
      'empty.parquet',
      /empty\.parquet cannot be read as a table: .*too small.*\n {2}A Parquet file ends with/,
    ],
    [
      'empty JSON lines',
      'empty.jsonl',
      /empty\.jsonl is empty: it has no row\.\n {2}JSON lines hold one object a line/,
    ],
    ['an empty folder', 'nothing', /nothing holds no table file\.\n {2}Table files end in \.parquet/],
    ['a glob without a match', 'none-*.csv', /No file matches none-\*\.csv\.\n {2}`\*` stays within a folder/],
    ['JSON lines with a broken one', 'broken.jsonl', /broken\.jsonl .* line 2 is no JSON object\./],
  ];
  const answer = answersOf(
    cases.map(([, file]) => ['data', 'validate', file, '--checks', 'id.yaml']),
    arrange,
  );

  async function arrange(): Promise<void> {
    await write('id.yaml', '- {kind: not-null, column: id}\n');
    await write('more.csv', 'id,s\n1,a\n2,b,c\n');
    await write('less.csv', 'id,s\n1,a\n2\n');
    await write('row.csv', `id,s\n1,a\n2,${'x'.repeat(10_000_000)}\n`);
    await write('header.csv', `id,${'x'.repeat(2 << 20)}\n1,2\n`);
    await write('wide.csv', `${columns(100_000)}\n`);
    await write('wider.csv', `${columns(1_000_000)}\n`);
    for (const name of ['empty.csv', 'empty.parquet', 'empty.jsonl', 'nothing/README.md']) await write(name, '');
    await write('broken.jsonl', '{"id": 1}\n{"id": 2,\n');
    await using session = await openTables();
    const whole = path.join(folder.path, 'whole.parquet');
    await writeParquet(session, 'SELECT i AS id FROM range(10000) t(i)', whole);
    const bytes = await readFile(whole);
    await write('half.parquet', bytes.subarray(0, bytes.length / 2));
  }

  it.each(cases.map(([what, , message], at) => ({ what, message, at })))('$what is an error of usage', async ({
    message,
    at,
  }) => {
    const said = await answer(at);
    expect(said).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(message) });
    expectNoTrace(said);
  });
});

describe('a key of which objects are made', () => {
  const keys = ['__proto__', 'constructor', 'prototype'];
  const cases = keys.flatMap((key): [what: string, argv: string[], message: string][] => [
    [
      `${key} in checks`,
      ['data', 'validate', 'aged.csv', '--checks', `${key}.yaml`],
      `${key}.yaml:3: \`${key}\` can't be a key here.`,
    ],
    [
      `${key} in a declared metric`,
      [
        ...'compare --production aged.csv --candidate aged.csv --key id --label age --metric waste:lower:1 --define'.split(
          ' ',
        ),
        `waste={kind: sql, ${key}: 1}`,
      ],
      `--define "waste={kind: sql, ${key}: 1}": \`${key}\` can't be a key.`,
    ],
  ]);
  const answer = answersOf(
    cases.map(([, argv]) => argv),
    async () => {
      await write('aged.csv', 'id,age\n1,30\n');
      for (const key of keys)
        await write(`${key}.yaml`, `- kind: not-null\n  column: age\n  ${key}: {severity: warn}\n`);
    },
  );

  it.each(cases.map(([what, , message], at) => ({ what, message, at })))('$what is refused by its name', async ({
    message,
    at,
  }) => {
    const said = await answer(at);
    expect(said).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(message) });
    expectNoTrace(said);
  });
});

describe('a check that can not run', () => {
  const refused = (why: string) => new RegExp(`not-null:age: not executed: The condition ".*" is refused: ${why}`);
  const where = (condition: string) => `- {kind: not-null, column: age, where: ${JSON.stringify(condition)}}\n`;
  const cases: [what: string, checks: string, message: RegExp][] = [
    [
      'a column that is not there',
      '- {kind: not-null, column: agee}\n',
      /has no column `agee`\. Did you mean `age`\? The file has: id, age, name/,
    ],
    ['a column of a condition', where('agee > 1'), refused('people.csv has no column `agee`. Did you mean `age`\\?')],
    [
      'mixed types',
      '- {kind: range, column: mixed, min: 0}\n',
      /not executed: `mixed` is string; a range needs numbers, dates or times/,
    ],
    [
      'a value that converts to no number',
      where('CAST(name AS INTEGER) > 1'),
      /not executed: Conversion Error: the value of a row can't be converted to INT32$/m,
    ],
    [
      'a file that is written',
      where("true); COPY (SELECT 1) TO 'evil.csv'; SELECT (true"),
      refused('it is not an SQL expression'),
    ],
    [
      'a database that is attached',
      where("true); ATTACH 'evil.db'; SELECT (true"),
      refused('it is not an SQL expression'),
    ],
    [
      'a file that is read',
      where("read_text('/etc/passwd') IS NULL"),
      refused('the function read_text is not allowed'),
    ],
    ['a file in a subquery', where("age IN (SELECT 1 FROM '/etc/passwd')"), refused('a subquery is not allowed')],
    ['a setting that is set', where('true); SET threads = 1; SELECT (true'), refused('it is not an SQL expression')],
    [
      'a setting that is read',
      where("current_setting('threads') = 1"),
      refused('the function current_setting is not allowed'),
    ],
    ['the environment', where("getenv('HOME') = 'x'"), refused('the function getenv is not allowed')],
    [
      'a function of an extension',
      where('st_distance(age, age) > 1'),
      refused('the function st_distance is not allowed'),
    ],
    ['an address', where("http_get('http://127.0.0.1:1') IS NULL"), refused('the function http_get is not allowed')],
    [
      'a pattern that is none',
      '- {kind: regex, column: name, pattern: "(?=x)"}\n',
      /not executed: the pattern \(\?=x\) is none: .*invalid perl operator/,
    ],
    [
      'a pattern of a gigabyte',
      '- {kind: regex, column: name, pattern: "((x{100}){100}){100}"}\n',
      /not executed: the pattern .* is none: /,
    ],
  ];
  const answer = answersOf(
    cases.map((_, at) => ['data', 'validate', 'people.csv', '--checks', `check-${at}.yaml`]),
    arrange,
  );

  async function arrange(): Promise<void> {
    await write('people.csv', 'id,age,name,mixed\n1,30,secret,1\n2,40,bob,one\n');
    for (const [at, [, checks]] of cases.entries()) await write(`check-${at}.yaml`, checks);
  }

  it.each(cases.map(([what, , message], at) => ({ what, message, at })))('fails, and says why: $what', async ({
    message,
    at,
  }) => {
    const said = await answer(at);
    expect(said).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(message) });
    expect(said.stdout).toContain('0 executed');
    expect(said.stdout).not.toContain("'secret'");
    expectNoTrace(said);
  });

  it('has written nothing', async () => {
    await answer(0);
    for (const file of ['evil.csv', 'evil.db'])
      await expect(access(path.join(folder.path, file))).rejects.toThrow('ENOENT');
  });
});

describe('a regular expression', () => {
  const kinds = ['(a+)+$', '^(a|aa)+$', '(.*)*b$', `${'a?'.repeat(1000)}${'a'.repeat(1000)}$`];
  const checks = kinds.flatMap((pattern, at) => [
    { kind: 'regex', column: 's', pattern, not: true, id: `check-${at}` },
    { kind: 'expression', expression: `NOT regexp_matches(s, '${pattern}')`, id: `condition-${at}` },
  ]);
  const answer = answersOf(
    [
      ['data', 'validate', 'text.csv', '--checks', 'patterns.yaml', '--json', '-'],
      ['data', 'validate', 'text.csv', '--checks', 'long.yaml'],
    ],
    async () => {
      // One that tries again from each place would take 2^100000 steps.
      await write('text.csv', `s\n${'a'.repeat(100_000)}!\n`);
      await write('patterns.yaml', JSON.stringify(checks));
      await write('long.yaml', JSON.stringify([{ kind: 'regex', column: 's', pattern: 'x'.repeat(4097) }]));
    },
  );

  it('ends in the time of its text, whatever it is and however long', async () => {
    const said = await answer(0);
    expect(JSON.parse(said.stdout)).toMatchObject({ verdict: 'pass', executed: checks.length });
    expect(await answer(1)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/long\.yaml:1: \[0\]\.pattern: .*<=4096 characters/),
    });
  });
});

describe('an address without a credential', () => {
  it('says which one is missing, and where to get it', async () => {
    const server = createServer((_, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<Error><Code>AccessDenied</Code></Error>');
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await write('age.yaml', '- {kind: not-null, column: age}\n');
    const addresses = ['s3://acme/people.parquet', 'gs://acme/people.parquet', `${origin}/people.parquet`];
    const answers = await run(
      addresses.map((address) => ['data', 'validate', address, '--checks', 'age.yaml']),
      { AWS_ENDPOINT_URL_S3: origin, STORAGE_EMULATOR_HOST: origin },
    );
    server.close();
    expect(answers.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2]);
    const [s3, gs, web] = answers.map(({ stderr }) => stderr);
    expect(s3).toMatch(
      /s3:\/\/acme\/people\.parquet may not be read without a credential \(403 AccessDenied\).*\n {2}Set AWS_ACCESS_KEY_ID/,
    );
    expect(gs).toMatch(
      /gs:\/\/acme\/people\.parquet may not be read without a credential.*\n {2}Set GOOGLE_OAUTH_ACCESS_TOKEN/,
    );
    expect(web).toMatch(
      /may not be read without a credential \(403\)\.\n {2}Passloop sends none to https:\/\/ addresses/,
    );
    for (const one of answers) expectNoTrace(one);
  });
});

describe('columns with hostile names', () => {
  const names = [
    'a"b',
    "'; DROP TABLE x; --",
    '::error::x',
    'y\n::set-output name=verdict::pass',
    '##[add-mask]z',
    '<img src=x onerror=alert(1)>',
    '</script><script>alert(1)</script>',
    'select',
    '$1',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a workflow would put in place is meant.
    '${{ github.token }}',
    '[link](https://evil.example)',
    '@everyone',
    'a|b',
    '`code`',
    'é',
  ];
  const quoted = names.map((name) => `"${name.replaceAll('"', '""')}"`).join();
  const checks = JSON.stringify(names.map((column) => ({ kind: 'not-null', column })));
  const rows = (first: number) =>
    Array.from({ length: 20 }, (_, i) => `${names.map((__, at) => first + i * (at + 1)).join()}\n`).join('');

  async function arrange(): Promise<void> {
    await write('hostile/names.csv', `${quoted}\n${rows(0)}${','.repeat(names.length - 1)}\n`);
    await write('hostile/later.csv', `${quoted}\n${rows(900)}`);
    await write('hostile/checks.yaml', checks);
    const columns = '{key: ["::error::x"], label: select}';
    const data = `{test: {path: names.csv, checks: ${checks}}}`;
    await write(
      'hostile/passloop.yaml',
      `version: 1\nmodels:\n  - {name: m, task: binary, columns: ${columns}, data: ${data}}\n`,
    );
  }

  const validate = ['data', 'validate', 'hostile/names.csv', '--checks', 'hostile/checks.yaml'];
  const drift = [
    'data',
    'drift',
    '--reference',
    'hostile/names.csv',
    '--current',
    'hostile/later.csv',
    '--min-rows',
    '2',
  ];
  const answer = answersOf(
    [
      [...validate, '--key', '::error::x', '--show-values'],
      [...validate, '--json', '-'],
      ['data', 'profile', 'hostile/names.csv'],
      drift,
      [...drift, '--json', '-'],
    ],
    arrange,
  );

  function expectNoCommand(log: string): void {
    expect(log.split(/[\r\n]/).filter((line) => /^\s*::|##\[/.test(line))).toEqual([]);
    expect(log).not.toMatch(/[\u001b\u202e]/);
  }

  it('are validated, profiled and measured as any other', async () => {
    const [shown, document, profile, drifted, measured] = (await Promise.all([0, 1, 2, 3, 4].map(answer))) as [
      Answer,
      Answer,
      Answer,
      Answer,
      Answer,
    ];
    expect([shown, document, profile, drifted, measured].map(({ exitCode }) => exitCode)).toEqual([1, 1, 0, 1, 1]);
    for (const { stdout, stderr } of [shown, drifted]) expectNoCommand(stdout + stderr);
    const report = DataReport.parse(JSON.parse(document.stdout));
    expect(report.checks.map(({ column, failingRows }) => [column, failingRows])).toEqual(
      names.map((name) => [name, 1]),
    );
    const sorted = (list: readonly string[]) => [...list].sort();
    const { columns } = JSON.parse(profile.stdout) as { columns: { name: string }[] };
    expect(sorted(columns.map(({ name }) => name))).toEqual(sorted(names));
    const { drift: found } = DataReport.parse(JSON.parse(measured.stdout));
    expect(new Set(found.map(({ column }) => column))).toEqual(new Set(names));
  });

  it('are text in the report of a pull request, and command neither page nor job', async () => {
    await answer(0);
    const summary = path.join(folder.path, 'summary.md');
    await write('summary.md', '');
    await write('output', '');
    const result = await runProcess({
      argv: [process.execPath, path.join(repository, 'actions/validate-data/src/main.ts')],
      cwd: folder.path,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: folder.path,
        GITHUB_ACTIONS: 'true',
        GITHUB_WORKSPACE: folder.path,
        GITHUB_OUTPUT: path.join(folder.path, 'output'),
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: folder.path,
        'INPUT_WORKING-DIRECTORY': 'hostile',
        'INPUT_DUCKDB-PATH': repository,
      },
    });
    const log = result.stdout.toString();

    expect(result.exitCode, log).toBe(1);
    const commands = log.split('\n').filter((line) => /^\s*::|##\[/.test(line));
    expect(commands.filter((line) => !/^::(group::|endgroup::|debug::)/.test(line))).toEqual(
      names.map(() =>
        expect.stringMatching(/^::error title=passloop%3A test,file=hostile\/passloop\.yaml,line=3::1 rows of /),
      ),
    );
    const output = await readFile(path.join(folder.path, 'output'), 'utf8');
    const [, file = ''] = /^document<<(\S+)\n([^\n]+)/m.exec(output)?.slice(1) ?? [];
    const report = parseDocument('data-report', await readFile(file, 'utf8'), file);
    expect(report.checks.map(({ column }) => column)).toEqual(names);

    const fixture = path.join(repository, 'packages/documents/fixtures/v1/report.json');
    const whole = parseDocument('report', await readFile(fixture, 'utf8'), fixture);
    const models = whole.models.map((model) => ({
      ...model,
      affected: true,
      verdict: 'fail' as const,
      data: [report],
    }));
    const failed = { ...whole, verdict: 'fail' as const, models };
    const page = await renderHtml(failed);
    expect(page).toContain('&#60;img src=x onerror=alert(1)&#62;');
    expect(page).not.toMatch(/<img|<script|href=/);
    for (const text of [await readFile(summary, 'utf8'), renderComment(failed), renderSummary(failed)]) {
      expect(text).toContain('`not-null:<img src=x onerror=alert(1)>`');
      const outsideOfCode = text.replace(/`[^`\n]*`/g, '');
      expect(outsideOfCode).not.toMatch(/<img|<script|\]\(https:\/\/evil|(?<![\w`])@everyone|^\s*::/m);
    }
  });
});
