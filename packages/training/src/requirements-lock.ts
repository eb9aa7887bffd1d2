import { ConfigurationError, plainText } from '@passloop/core';

export type LockedRequirement = { name: string; version: string };

/**
 * Reads a pip requirements lock: `name==version` with at least one sha256 hash each, as `pip-compile --generate-hashes`,
 * `uv pip compile --generate-hashes` or `uv export` write it. What would install something that the lock doesn't pin is refused:
 * a requirement without hash or exact version, an address, an editable, another file, an index of its own.
 * @throws ConfigurationError with file and line
 */
export function parseRequirementsLock(text: string, file: string): LockedRequirement[] {
  const requirements: LockedRequirement[] = [];
  for (const { line, content } of logicalLines(text)) {
    function fail(message: string, hint: string): ConfigurationError {
      return new ConfigurationError(`${file}:${line}: ${message}.`, { file, line, hint });
    }
    if (content.startsWith('-')) {
      if (/^--(?:only-binary|no-binary|prefer-binary)\b/.test(content)) continue;
      throw fail(
        `${JSON.stringify(plainText(content, 60))} does not belong into a lock`,
        'A lock holds requirements with hashes only; an index is set on the machine (PIP_INDEX_URL).',
      );
    }
    const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([A-Za-z0-9][^\s;]*)(.*)$/s.exec(content);
    if (match === null) {
      throw fail(
        `${JSON.stringify(plainText(content, 60))} is not pinned to one version`,
        'Write the lock with `uv pip compile --generate-hashes`, or `pip-compile --generate-hashes`.',
      );
    }
    const [, name = '', version = '', rest = ''] = match;
    if (!/--hash=sha256:[0-9a-f]{64}(?=\s|$)/.test(rest)) {
      throw fail(
        `${plainText(name)}==${plainText(version)} has no sha256 hash`,
        'Write the lock with `uv pip compile --generate-hashes`, or `pip-compile --generate-hashes`.',
      );
    }
    requirements.push({ name: name.toLowerCase().replace(/[-_.]+/g, '-'), version });
  }
  return requirements;
}

/** Lines with their continuations joined and comments removed, by the line that they begin on. */
function logicalLines(text: string): { line: number; content: string }[] {
  const lines: { line: number; content: string }[] = [];
  let start = 0;
  let content = '';
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (content === '') start = index + 1;
    const plain = raw.replace(/(^|\s)#.*$/, '$1').trimEnd();
    const continues = plain.endsWith('\\');
    content = `${content} ${continues ? plain.slice(0, -1) : plain}`.trim();
    if (continues) continue;
    if (content !== '') lines.push({ line: start, content });
    content = '';
  }
  if (content !== '') lines.push({ line: start, content });
  return lines;
}
