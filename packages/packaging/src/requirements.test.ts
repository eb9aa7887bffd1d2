import { describe, expect, it } from 'vitest';
import { formatRequirements, parseRequirements, selectRequirements } from './requirements.ts';

const one = `sha256:${'1'.repeat(64)}`;
const two = `sha256:${'2'.repeat(64)}`;

describe('parseRequirements', () => {
  it('reads what uv and pip-compile write', () => {
    const text = [
      '# made by a tool',
      '',
      'numpy==2.4.6 ; python_full_version < "3.12" \\',
      `    --hash=${one} \\`,
      `    --hash=${two}`,
      '    # via scikit-learn',
      `scikit_learn[alldeps]==1.9.1 --hash=${one}\r`,
    ].join('\n');

    expect(parseRequirements(text, 'serve.lock')).toEqual([
      { name: 'numpy', version: '2.4.6', marker: 'python_full_version < "3.12"', hashes: [one, two] },
      { name: 'scikit_learn', version: '1.9.1', marker: null, hashes: [one] },
    ]);
  });

  it.each([
    ['an index', '--index-url https://example.org/simple', 1],
    ['another file', `h11==1 --hash=${one}\n-r /etc/passwd`, 2],
    ['a source from anywhere', `h11 @ https://example.org/h11.whl --hash=${one}`, 1],
    ['an editable package', '-e .', 1],
    ['a range', `h11>=1 --hash=${one}`, 1],
    ['no hash', '\n\nh11==0.16.0', 3],
    ['a weak hash', 'h11==0.16.0 --hash=md5:00', 1],
    ['an option behind the hash', `h11==0.16.0 --hash=${one} --global-option=x`, 1],
    ['the same package twice', `h11==0.16.0 --hash=${one}\nH11==0.15.0 --hash=${one}`, 2],
  ])('refuses %s, with its line', (_what, text, line) => {
    expect(() => parseRequirements(text, 'serve.lock')).toThrow(
      expect.objectContaining({ code: 'configuration', line }),
    );
  });

  it('writes what it reads', () => {
    const requirements = [{ name: 'a', version: '1', marker: "sys_platform == 'linux'", hashes: [one, two] }];
    expect(parseRequirements(formatRequirements(requirements), 'x')).toEqual(requirements);
  });
});

describe('selectRequirements', () => {
  const lock = parseRequirements(
    `numpy==2.4.6 ; python_version < '3.12' --hash=${one}\nnumpy==2.5.5 ; python_version >= '3.12' --hash=${two}`,
    'serve.lock',
  );

  it.each([
    ['3.11.2', '2.4.6'],
    ['3.12.0', '2.5.5'],
  ])('for Python %s takes numpy %s', (python, version) => {
    const selected = selectRequirements(lock, { python, platform: 'linux/amd64' });
    expect(selected.map((entry) => [entry.version, entry.marker])).toEqual([[version, null]]);
  });

  it('refuses two versions at once', () => {
    const both = parseRequirements(`numpy==1 ; os_name == 'posix' --hash=${one}\nnumpy==2 --hash=${two}`, 'serve.lock');
    expect(() => selectRequirements(both, { python: '3.11.2', platform: 'linux/amd64' })).toThrow(
      /two versions of numpy/,
    );
  });
});
