import { ConfigurationError, plainText } from '@passloop/core';

/** One line of a lock: a package at one version, with the digests of the files that may be installed for it. */
export type Requirement = { name: string; version: string; marker: string | null; hashes: string[] };

const headPattern =
  /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9 ,._-]*\])?\s*==\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;\s*([A-Za-z0-9_.'"<>=!~(), -]+))?$/;
const hashPattern = /^sha256:[0-9a-f]{64}$/;
/** What a tool may write at the top, and what is so in any case. */
const harmlessOption = /^--(?:only-binary|prefer-binary)(?:[ =][A-Za-z0-9:,._-]+)?$/;

/**
 * Reads a requirements lock with hashes, as `pip-compile --generate-hashes` and `uv pip compile --generate-hashes` write it.
 * Everything else that such a file may hold is refused: options name hosts, files and flags, and the file comes from a pull request.
 * pip must never read that text itself: it splits lines at more characters, expands variables and takes options that undo
 * its command line. It gets `formatRequirements` of what was understood here.
 * @throws ConfigurationError with the line
 */
export function parseRequirements(text: string, file: string): Requirement[] {
  const requirements: Requirement[] = [];
  const seen = new Map<string, number>();
  for (const { line, number } of logicalLines(text)) {
    if (harmlessOption.test(line)) continue;
    const [head = '', ...hashes] = line.split(/\s+--hash=/);
    const match = headPattern.exec(head.trim());
    if (match === null || !hashes.every((hash) => hashPattern.test(hash))) {
      const option = line.startsWith('-');
      throw new ConfigurationError(
        `${file}:${number}: ${JSON.stringify(plainText(line, 120))} is not "name==version --hash=sha256:…".`,
        {
          file,
          line: number,
          hint: option
            ? 'A lock holds requirements with hashes and no options; the index is set on the machine (PIP_INDEX_URL).'
            : 'Write it by `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`.',
        },
      );
    }
    const [, name = '', version = '', marker] = match;
    if (hashes.length === 0) {
      throw new ConfigurationError(`${file}:${number}: ${name}==${version} has no --hash.`, {
        file,
        line: number,
        hint: 'Write the lock by `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`.',
      });
    }
    const key = `${normalName(name)};${marker ?? ''}`;
    const before = seen.get(key);
    if (before !== undefined) {
      throw new ConfigurationError(`${file}:${number}: ${name} is there already, on line ${before}.`, {
        file,
        line: number,
      });
    }
    seen.set(key, number);
    requirements.push({ name, version, marker: marker?.trim() || null, hashes });
  }
  return requirements;
}

/** The same requirements, and nothing else, as text for pip. */
export function formatRequirements(requirements: readonly Requirement[]): string {
  return requirements
    .map(({ name, version, marker, hashes }) =>
      [
        `${name}==${version}${marker === null ? '' : ` ; ${marker}`}`,
        ...hashes.map((hash) => `    --hash=${hash}`),
      ].join(' \\\n'),
    )
    .map((entry) => `${entry}\n`)
    .join('');
}

/** PEP 503: the form under which two spellings are one package. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

function logicalLines(text: string): { line: string; number: number }[] {
  const lines: { line: string; number: number }[] = [];
  let pending = '';
  let start = 1;
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (pending === '') start = index + 1;
    const uncommented = raw.replace(/(^|\s)#.*$/, '');
    if (uncommented.endsWith('\\')) {
      pending += `${uncommented.slice(0, -1)} `;
      continue;
    }
    const line = (pending + uncommented).trim();
    pending = '';
    if (line !== '') lines.push({ line, number: start });
  }
  if (pending.trim() !== '') lines.push({ line: pending.trim(), number: start });
  return lines;
}
