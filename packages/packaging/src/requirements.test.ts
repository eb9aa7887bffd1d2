import { parseRequirements } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { selectRequirements } from './requirements.ts';

const one = `sha256:${'1'.repeat(64)}`;
const two = `sha256:${'2'.repeat(64)}`;

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
