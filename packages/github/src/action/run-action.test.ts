import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import { parseDocument, type ScanDocument } from '@passloop/documents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { flag, list, optionalText, readInputs, repositoryInputs, requiredText, wholeNumber } from './inputs.ts';
import { type ActionResult, runAction } from './run-action.ts';
import type { Runner } from './runner.ts';

let temp: string;

beforeEach(async () => {
  temp = await mkdtemp(path.join(tmpdir(), 'passloop-run-action-'));
  await writeFile(path.join(temp, 'passloop.yaml'), '');
});
afterEach(() => rm(temp, { recursive: true, force: true }));

/** A runner that writes down what it is told, in order. */
function recordingRunner(
  inputs: Record<string, string>,
): Runner & { calls: string[]; outputs: Record<string, string> } {
  const calls: string[] = [];
  const outputs: Record<string, string> = {};
  return {
    calls,
    outputs,
    getInput: (name) => inputs[name] ?? '',
    setOutput(name, value) {
      outputs[name] = value;
      calls.push(`output ${name}`);
    },
    setSecret: (secret) => void calls.push(`mask ${secret}`),
    setFailed: (message) => void calls.push(message === null ? 'failed' : `failed ${message}`),
    info: (line) => void calls.push(`info ${line}`),
    startGroup: (title) => void calls.push(`group ${title}`),
    endGroup: () => void calls.push('end'),
    annotate: ({ level, message, file, line }) => void calls.push(`${level} ${file}:${line} ${message}`),
    summarize: async (markdown) => void calls.push(`summary ${markdown}`),
  };
}

const scan: ScanDocument = { schema: 'passloop/scan/v1', verdict: 'pass', files: [] };

function createResult(overrides: Partial<ActionResult> = {}): ActionResult {
  return {
    kind: 'scan',
    document: scan,
    verdict: 'pass',
    sentence: 'Fine.',
    text: 'ok',
    summary: '### ok',
    ...overrides,
  };
}

const Inputs = z.object({
  ...repositoryInputs,
  file: requiredText,
  plan: flag,
  columns: list,
  rows: wholeNumber,
  model: optionalText,
});

describe('inputs', () => {
  const read = (inputs: Record<string, string>) => readInputs(Inputs, (name) => inputs[name] ?? '');

  it('take defaults where a workflow leaves them out', () => {
    expect(read({ file: 'x' })).toEqual({ 'working-directory': '.', file: 'x', plan: false, columns: [] });
  });

  it.each([
    ['a', ['a']],
    ['a, b ,', ['a', 'b']],
    ['a,b\nc\n\n', ['a,b', 'c']],
  ])('split %j', (columns, expected) => {
    expect(read({ file: 'x', columns }).columns).toEqual(expected);
  });

  it('say all that is wrong at once', () => {
    expect(() => read({ plan: 'yes', rows: '-1' })).toThrow(
      'Input `file` is required. Input `plan` must be true or false. Input `rows` must be a whole number.',
    );
  });
});

describe('an action', () => {
  const env = () => ({ GITHUB_WORKSPACE: temp, RUNNER_TEMP: path.join(temp, 'temp'), GITHUB_ACTION: 'step' });

  it('masks secrets before it does anything, and hands them over under the name that verbs expect', async () => {
    const runner = recordingRunner({ file: 'x', token: 'first\nsecond', 'working-directory': 'models' });
    let seen = '';
    await runAction(
      Inputs,
      async (_, context) => {
        seen = `${context.cwd} ${context.env.DEPLOY}`;
        return createResult();
      },
      { runner, env: env(), secrets: { token: { variable: 'DEPLOY', required: true } } },
    );
    expect(runner.calls.slice(0, 2)).toEqual(['mask first', 'mask second']);
    expect(seen).toBe(`${path.join(temp, 'models')} first\nsecond`);
    expect(runner.calls.at(-1)).toBe('summary ### ok');
  });

  it('shows its details in a group, below what it says', async () => {
    const runner = recordingRunner({ file: 'x' });
    await runAction(Inputs, async () => createResult({ details: 'a table' }), { runner, env: env() });
    expect(runner.calls.slice(0, 4)).toEqual(['info ok', 'group all that was found', 'info a table', 'end']);
  });

  it.each([
    'fail',
    'inconclusive',
  ] as const)('fails the step by a verdict of %s, after its outputs', async (verdict) => {
    const runner = recordingRunner({ file: 'x' });
    const annotations = [{ level: 'warning' as const, title: 't', message: 'm', file: 'passloop.yaml', line: 7 }];
    await runAction(Inputs, async () => createResult({ verdict, annotations, outputs: { cache: null } }), {
      runner,
      env: env(),
    });
    expect(runner.outputs).toMatchObject({ verdict, cache: '' });
    expect(runner.calls.slice(-3)).toEqual(['warning passloop.yaml:7 m', 'summary ### ok', 'failed Fine.']);
    expect(parseDocument('scan', await readFile(runner.outputs.document ?? '', 'utf8'), 'x')).toEqual(scan);
  });

  it('fails the step without a word where annotations say why', async () => {
    const runner = recordingRunner({ file: 'x' });
    const failure = { level: 'failure' as const, title: 't', message: 'Fine.', file: 'passloop.yaml', line: 7 };
    await runAction(Inputs, async () => createResult({ verdict: 'fail', annotations: [failure] }), {
      runner,
      env: env(),
    });
    expect(runner.outputs).toMatchObject({ verdict: 'fail', error: '' });
    expect(runner.calls.filter((call) => call.includes('Fine.'))).toEqual(['failure passloop.yaml:7 Fine.']);
    expect(runner.calls.at(-1)).toBe('failed');
  });

  it('leaves a failure that a later job tells, annotated or not', async () => {
    const runner = recordingRunner({ file: 'x' });
    const annotations = [{ level: 'failure' as const, title: 't', message: 'm', file: null, line: null }];
    await runAction(Inputs, async () => createResult({ verdict: 'fail', annotations, toldLater: true }), {
      runner,
      env: env(),
    });
    expect(runner.calls.filter((call) => call.startsWith('failed'))).toEqual([]);
  });

  it('takes no token of the job for a required one that is empty', async () => {
    const runner = recordingRunner({ file: 'x' });
    let ran = false;
    await runAction(
      Inputs,
      async () => {
        ran = true;
        return createResult();
      },
      {
        runner,
        env: { ...env(), DEPLOY: 'of the job' },
        secrets: { token: { variable: 'DEPLOY', required: true } },
      },
    );
    expect(ran).toBe(false);
    expect(runner.outputs).toMatchObject({ verdict: 'fail', error: 'configuration' });
    expect(runner.calls.at(-1)).toMatch(/^failed Input `token` is empty\. The secret/);
  });

  it.each(['pending', 'skipped'] as const)('lets no verdict of %s pass', async (verdict) => {
    const runner = recordingRunner({ file: 'x' });
    await runAction(Inputs, async () => createResult({ verdict }), { runner, env: env() });
    expect(runner.calls.at(-1)).toBe('failed Fine.');
  });

  it('names a file from the top of the workspace, and leaves out what is not there', async () => {
    const workspace = path.join(temp, 'work');
    await mkdir(path.join(workspace, 'services/a'), { recursive: true });
    await writeFile(path.join(workspace, 'services/a/passloop.yaml'), '');
    const place = { level: 'failure' as const, title: 't', message: 'm', line: 7 };
    const files = ['passloop.yaml', path.join(workspace, 'services/a/passloop.yaml'), 'none.yaml', '/etc/passwd'];
    const annotations = files.map((file) => ({ ...place, file }));
    const runner = recordingRunner({ file: 'x', 'working-directory': 'services/a' });
    await runAction(Inputs, async () => createResult({ annotations }), {
      runner,
      env: { ...env(), GITHUB_WORKSPACE: workspace },
    });
    expect(runner.calls.filter((call) => call.startsWith('failure'))).toEqual([
      'failure services/a/passloop.yaml:7 m',
      'failure services/a/passloop.yaml:7 m',
      'failure null:null m',
      'failure null:null m',
    ]);
  });

  it('speaks of inputs where a verb speaks of flags', async () => {
    const runner = recordingRunner({ file: 'x' });
    await runAction(
      Inputs,
      async () => {
        throw new ConfigurationError('No --column is given; --model NAME says which, --other is no input.');
      },
      { runner, env: env() },
    );
    expect(runner.calls.at(-1)).toBe('failed No `columns` is given; `model` NAME says which, --other is no input.');
  });

  it('passes with a warning', async () => {
    const runner = recordingRunner({ file: 'x' });
    await runAction(Inputs, async () => createResult({ verdict: 'warn' }), { runner, env: env() });
    expect(runner.calls.some((call) => call.startsWith('failed'))).toBe(false);
  });

  it('tells an error with its hint, on its line, as a document, and closes the open group', async () => {
    const runner = recordingRunner({ file: 'x' });
    await runAction(
      Inputs,
      async (_, { progress }) => {
        progress.phase('read');
        throw new ConfigurationError('It is wrong.', { file: 'passloop.yaml', line: 3, hint: 'Mend it.' });
      },
      { runner, env: env() },
    );
    expect(runner.calls.filter((call) => call === 'end')).toHaveLength(1);
    expect(runner.calls.slice(-3)).toEqual([
      'summary ### ❌ It is wrong. Mend it.\n',
      'failure passloop.yaml:3 It is wrong. Mend it.',
      'failed',
    ]);
    const error = parseDocument('error', await readFile(runner.outputs.document ?? '', 'utf8'), 'x');
    expect(error).toMatchObject({ code: 'configuration', line: 3 });
    expect(runner.outputs.verdict).toBe('fail');
  });
});
