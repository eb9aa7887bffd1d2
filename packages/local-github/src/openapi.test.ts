import { describe, expect, it } from 'vitest';
import { apiOperations, checkBody, checkParameters, findOperation, responseProblem } from './openapi.ts';

const operationOf = (id: string) => apiOperations.find((operation) => operation.id === id)!;

describe('findOperation', () => {
  it.each([
    ['GET', '/repos/acme/deploy/commits/main', 'repos/get-commit', { ref: 'main' }],
    [
      'GET',
      '/repos/acme/deploy/commits/promote/app/prod/status',
      'repos/get-combined-status-for-ref',
      { ref: 'promote/app/prod' },
    ],
    ['GET', '/repos/acme/deploy/git/ref/heads%2Fpromote%2Fa%23b', 'git/get-ref', { ref: 'heads/promote/a#b' }],
    ['GET', '/repos/acme/deploy/branches/a/b/protection', 'repos/get-branch-protection', { branch: 'a/b' }],
    ['GET', '/repos/acme/deploy/contents', 'repos/get-content', { path: '' }],
    ['GET', '/repos/acme/deploy/contents/a/b%20c.md', 'repos/get-content', { path: 'a/b c.md' }],
    ['GET', '/repos/acme/deploy/compare/a/b...c/d', 'repos/compare-commits-with-basehead', { basehead: 'a/b...c/d' }],
    ['DELETE', '/repos/acme/deploy/issues/1/labels/in%2Fout', 'issues/remove-label', { name: 'in/out' }],
  ])('%s %s is %s', (method, path, id, values) => {
    const found = findOperation(method, path);

    expect(found?.operation.id).toBe(id);
    expect(found?.values).toMatchObject({ owner: 'acme', repo: 'deploy', ...values });
  });

  it('knows nothing else', () => {
    expect(findOperation('GET', '/repos/acme/deploy/milestones')).toBeUndefined();
    expect(findOperation('PUT', '/repos/acme/deploy/pulls')).toBeUndefined();
    expect(() => findOperation('GET', '/repos/acme/%zz')).toThrow('Problems parsing the path');
  });
});

describe('what GitHub describes', () => {
  it('gives parameters their types', () => {
    const values = { owner: 'a', repo: 'b', pull_number: '7' };

    expect(checkParameters(operationOf('pulls/get'), values)).toEqual({ owner: 'a', repo: 'b', pull_number: 7 });
    expect(() => checkParameters(operationOf('pulls/get'), { ...values, pull_number: 'x' })).toThrow(
      'Invalid request.',
    );
  });

  it('refuses a body with a wrong type or a field that is not there', () => {
    const operation = operationOf('git/create-ref');

    expect(() => checkBody(operation, { ref: 'refs/heads/a', sha: 7 })).toThrow(
      "For 'properties/sha', 7 is not a string.",
    );
    expect(() => checkBody(operation, { ref: 'refs/heads/a', sha: 'x', shaa: 'x' })).toThrow('has no field shaa');
    expect(checkBody(operation, { ref: 'refs/heads/a', sha: 'x' })).toBeUndefined();
  });

  it('finds what is wrong with an answer of ours', () => {
    const operation = operationOf('git/get-ref');
    const object = { sha: 'f'.repeat(40), type: 'commit', url: 'http://127.0.0.1/x' };
    const ref = { ref: 'refs/heads/a', node_id: 'x', url: 'http://127.0.0.1/y', object };

    expect(responseProblem(operation, 200, ref)).toBeUndefined();
    expect(responseProblem(operation, 200, { ...ref, node_id: undefined })).toContain("required property 'node_id'");
    expect(responseProblem(operation, 200, { ...ref, url: 'no address' })).toContain('must match format "uri"');
    expect(responseProblem(operation, 200, { ...ref, object: { ...object, sha: 7 } })).toContain(
      '/object/sha must be string',
    );
    expect(responseProblem(operation, 201, ref)).toContain('has no response 201');
    expect(responseProblem(operationOf('git/delete-ref'), 204, {})).toContain('without a body');
  });
});
