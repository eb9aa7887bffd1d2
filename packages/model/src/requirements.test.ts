import { describe, expect, it } from 'vitest';
import { formatRequirements, parseRequirements } from './requirements.ts';

const one = `sha256:${'1'.repeat(64)}`;
const two = `sha256:${'2'.repeat(64)}`;

describe('parseRequirements', () => {
  it('reads what uv and pip-compile write', () => {
    const text = [
      '\ufeff# made by a tool',
      '--only-binary :all:',
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
    ['an option that lets code run', '--no-binary :all:', 1],
    ['an option behind a separator that is a line end for pip', `h11==0.16.0 --hash=${one}\u2028--no-binary=:all:`, 1],
    ['a form feed', `h11==0.16.0 --hash=${one}\f-r /etc/passwd`, 1],
    ['a variable, which pip expands', `h11==1.$\{PIP_INDEX_URL} --hash=${one}`, 1],
    ['a file of this machine', './local.whl', 1],
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
