import type { DeployChainDocument, DeployCheckDocument } from '@passloop/documents';
import { describe, expect, it } from 'vitest';
import { deployChainSentence, deployCheckSentence, printDeployChain, printDeployCheck } from './promotion-jobs.ts';
import { attacks } from './testing/attacks.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
type Finding = DeployCheckDocument['findings'][number];

function createFinding(overrides: Partial<Finding> = {}): Finding {
  return {
    rule: 'image',
    verdict: 'fail',
    file: '.passloop/prod/a.json',
    line: 8,
    message: 'It is gone.',
    ...overrides,
  };
}

function createCheck(findings: Finding[], verdict: DeployCheckDocument['verdict'] = 'fail'): DeployCheckDocument {
  return { schema: 'passloop/deploy-check/v1', commit, base: commit, verdict, records: [], findings };
}

function createChain(failed: DeployChainDocument['failed']): DeployChainDocument {
  const told = { repository: 'acme/flights', model: 'flight-delay', workflow: 'model-promote.yml', ref: 'main' };
  const verdict = failed.length === 0 ? 'pass' : 'fail';
  return { schema: 'passloop/deploy-chain/v1', repository: 'acme/deploy', commit, verdict, dispatched: [told], failed };
}

describe('the log of a deploy check', () => {
  it('says each finding once, with its place', () => {
    const other = createFinding({ rule: 'held', line: null, message: 'It is held.' });
    expect(printDeployCheck(createCheck([createFinding(), other])).split('\n')).toEqual([
      'FAIL 2 findings fail.',
      'FAIL .passloop/prod/a.json:8: It is gone.',
      'FAIL .passloop/prod/a.json: It is held.',
    ]);
  });

  it('counts what fails, and nothing else', () => {
    const warning = createFinding({ verdict: 'warn', message: 'Look at it yourself.' });
    expect(printDeployCheck(createCheck([warning, createFinding()]))).toMatch(
      /^FAIL 1 finding fails\.\nwarn .*yourself/,
    );
  });

  it('tells what agrees where nothing fails', () => {
    const document = createCheck([createFinding({ verdict: 'warn' })], 'warn');
    expect(printDeployCheck(document).split('\n')[0]).toBe(`warn ${deployCheckSentence(document)}`);
  });

  it.each(Object.entries(attacks))('keeps a finding with %s on its line', (_, attack) => {
    const lines = printDeployCheck(createCheck([createFinding({ message: attack, file: attack })])).split('\n');
    expect(lines).toHaveLength(2);
  });
});

describe('the log of a chain', () => {
  it('says once, and whole, why a repository could not be told', () => {
    const reason = `The token lacks actions: write. ${'Long. '.repeat(40)}Ask its owner.`;
    const document = createChain([{ file: '.passloop/prod/b.json', repository: 'acme/b', reason }]);
    const text = printDeployChain(document);
    expect(text.split('\n')).toEqual([
      'FAIL 1 model was told, 1 could not be.',
      'ok    acme/flights  flight-delay  model-promote.yml at main',
      `FAIL  acme/b (.passloop/prod/b.json): ${reason}`,
    ]);
    expect(deployChainSentence(document)).toMatch(/^1 model was told, 1 could not be: acme\/b: The token lacks/);
  });

  it('is a line a repository where all were told', () => {
    expect(printDeployChain(createChain([]))).toMatch(
      /^ok {3}1 model was told that its record moved\.\nok .*acme\/flights/,
    );
    expect(deployChainSentence(createChain([]))).toBe('1 model was told that its record moved.');
  });
});
