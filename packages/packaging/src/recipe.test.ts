import { sha256 } from '@passloop/core';
import { describe, expect, it } from 'vitest';
import { dockerfile, recipeVersion, servedModelFile } from './recipe.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

function createRequest() {
  return {
    model: 'flight-delay',
    modelDigest: digest('a'),
    base: `python:3.11-slim@${digest('b')}`,
    imageKey: `ik1-${'c'.repeat(64)}`,
    runtimeVersion: '1.0.0',
  };
}

describe('dockerfile', () => {
  it('changes with its version only', () => {
    const versions: Record<string, string> = {
      r1: 'sha256:635e8178253f96bce1641cb325bc8f842d581843b1cc07236ad6279dabfa478c',
      r2: 'sha256:41f07995356d848472025ab4ec8f2474568cbe3b601d804e8eeb15d1cba99461',
    };
    expect(sha256(dockerfile(createRequest())), 'the text changed: raise recipeVersion').toBe(versions[recipeVersion]);
  });

  it('asks neither builder for what only one of them knows', () => {
    const text = dockerfile(createRequest());
    expect(text).not.toMatch(/# *syntax=|--link|--mount|\bADD\b|SOURCE_DATE_EPOCH/);
    expect(text.match(/^RUN .*/gm)?.every((line) => line.startsWith('RUN ["python3"'))).toBe(true);
  });

  it('starts from the pinned base alone, twice', () => {
    const { base } = createRequest();
    expect(dockerfile(createRequest()).match(/^FROM .*/gm)).toEqual([`FROM ${base} AS dependencies`, `FROM ${base}`]);
  });

  it('runs as a number, checks its health, and starts without a shell', () => {
    const lines = dockerfile(createRequest()).split('\n');
    expect(lines).toContain('USER 10001:10001');
    expect(lines).toContain('EXPOSE 8080 8081');
    expect(lines).toContain('ENTRYPOINT ["python3","-m","passloop_runtime"]');
    expect(
      lines.some((line) => /^HEALTHCHECK .* CMD \["python3","-m","passloop_runtime.healthcheck"\]$/.test(line)),
    ).toBe(true);
    expect(lines.findLastIndex((line) => line.startsWith('USER'))).toBeGreaterThan(
      lines.findLastIndex((line) => line.startsWith('COPY')),
    );
  });

  it('installs only what the lock names, without network', () => {
    const installs = dockerfile(createRequest()).match(/^RUN .*"install".*/gm) ?? [];
    expect(installs).toHaveLength(2);
    for (const line of installs) {
      for (const option of ['--no-index', '--require-hashes', '--only-binary']) expect(line).toContain(`"${option}"`);
    }
  });

  it.each(['a"b', 'a\nUSER 0', 'a$PATH', 'a\\'])('refuses %j as a name', (model) => {
    expect(() => dockerfile({ ...createRequest(), model })).toThrow(/cannot be/);
  });
});

it.each([
  ['out/model.joblib', 'model.joblib'],
  ['m.pkl', 'model.pkl'],
  ['a/b.pickle', 'model.pickle'],
])('%s is served as %s', (path, name) => {
  expect(servedModelFile(path)).toBe(name);
});

it.each(['model.onnx', 'model', 'model.joblib.exe'])('refuses %s', (path) => {
  expect(() => servedModelFile(path)).toThrow(/\.joblib, \.pkl and \.pickle/);
});
