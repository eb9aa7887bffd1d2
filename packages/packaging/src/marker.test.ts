import { describe, expect, it } from 'vitest';
import { markerHolds } from './marker.ts';

const target = { python: '3.11.2', platform: 'linux/amd64' };

describe('markerHolds', () => {
  // Expectations by `packaging.markers.Marker(text).evaluate({...})` 26.3 for CPython 3.11.2 on Linux x86_64.
  it.each([
    ["python_version < '3.12'", true],
    ["python_full_version >= '3.12'", false],
    ["python_version >= '3.9' and sys_platform == 'win32'", false],
    ["sys_platform == 'win32' or platform_machine == 'x86_64'", true],
    ["python_version == '3.11'", true],
    ["python_full_version == '3.11.*'", true],
    ["python_version != '3.1.*'", true],
    ["python_version > '3.9'", true],
    ["python_full_version ~= '3.11.0'", true],
    ["python_full_version ~= '3.10.0'", false],
    ["'3.10' <= python_version", true],
    ["(os_name == 'nt' or sys_platform == 'linux') and implementation_name == 'cpython'", true],
    ["os_name == 'nt' or sys_platform == 'linux' and implementation_name == 'pypy'", false],
    ['platform_machine in "x86_64 AMD64"', true],
    ["platform_machine not in 'aarch64 arm64'", true],
    ["extra == 'test'", false],
    ["platform_system != 'Darwin'", true],
  ])('%s is %s', (marker, expected) => {
    expect(markerHolds(marker, target)).toBe(expected);
  });

  it('knows the machine of arm64', () => {
    expect(markerHolds("platform_machine == 'aarch64'", { ...target, platform: 'linux/arm64' })).toBe(true);
  });

  it.each([
    '',
    'python_version',
    "python_version < '3.12' and",
    "platform_release > '5'",
    "python_version < '3.x'",
    "constructor == 'a'",
    "(python_version < '3'",
    "python_version < '3' python_version < '3'",
    "sys_platform < 'linux'",
  ])('refuses %j', (marker) => {
    expect(() => markerHolds(marker, target)).toThrow(/cannot be read/);
  });
});
