import { ConfigurationError } from '@passloop/core';

/** The interpreter that serves, as PEP 508 markers ask for it. */
export type MarkerTarget = {
  /** `3.11.9` */
  python: string;
  /** `linux/amd64` */
  platform: string;
};

type Token = { kind: 'word' | 'text' | 'operator' | 'open' | 'close'; text: string };

const tokenPattern =
  /\s*(?:(?<open>\()|(?<close>\))|(?<operator><=|>=|===|==|~=|!=|<|>|not\s+in\b|in\b)|'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<word>[a-z_]+))/y;

/**
 * Whether a requirement's marker (PEP 508) holds for the interpreter inside the image. It is answered here, since pip answers it
 * for the interpreter that pip itself runs on, which may be another version on another system.
 * @throws ConfigurationError for a marker of another form, or one that asks for what an image does not tell
 */
export function markerHolds(marker: string, target: MarkerTarget): boolean {
  const tokens = tokenize(marker);
  let at = 0;

  function peek(): Token | undefined {
    return tokens[at];
  }
  function take(): Token {
    const token = tokens[at];
    if (token === undefined) throw unreadable(marker);
    at += 1;
    return token;
  }
  function either(): boolean {
    let holds = both();
    while (peek()?.kind === 'word' && peek()?.text === 'or') {
      at += 1;
      const right = both();
      holds ||= right;
    }
    return holds;
  }
  function both(): boolean {
    let holds = comparison();
    while (peek()?.kind === 'word' && peek()?.text === 'and') {
      at += 1;
      const right = comparison();
      holds &&= right;
    }
    return holds;
  }
  function comparison(): boolean {
    if (peek()?.kind === 'open') {
      at += 1;
      const holds = either();
      if (take().kind !== 'close') throw unreadable(marker);
      return holds;
    }
    const [left, operator, right] = [take(), take(), take()];
    const sides = [left, right].map((token) => operand(token, target, marker));
    if (operator.kind !== 'operator') throw unreadable(marker);
    const isVersion = [left, right].some((token) => token.kind === 'word' && /^python_|_version$/.test(token.text));
    return compare(sides[0] ?? '', operator.text.replace(/\s+/g, ' '), sides[1] ?? '', isVersion, marker);
  }

  const holds = either();
  if (at !== tokens.length) throw unreadable(marker);
  return holds;
}

function tokenize(marker: string): Token[] {
  const tokens: Token[] = [];
  const text = marker.trim();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const groups = tokenPattern.exec(text)?.groups;
    if (groups === undefined) throw unreadable(marker);
    const { open, close, operator, single, double, word } = groups;
    if (open !== undefined) tokens.push({ kind: 'open', text: open });
    else if (close !== undefined) tokens.push({ kind: 'close', text: close });
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'text', text: single ?? double ?? '' });
  }
  if (tokens.length > 200) throw unreadable(marker);
  return tokens;
}

function operand(token: Token, target: MarkerTarget, marker: string): string {
  if (token.kind === 'text') return token.text;
  const values: Record<string, string> = {
    python_version: target.python.split('.').slice(0, 2).join('.'),
    python_full_version: target.python,
    implementation_version: target.python,
    os_name: 'posix',
    sys_platform: 'linux',
    platform_system: 'Linux',
    platform_machine: target.platform === 'linux/arm64' ? 'aarch64' : 'x86_64',
    platform_python_implementation: 'CPython',
    implementation_name: 'cpython',
    extra: '',
  };
  const value = token.kind === 'word' && Object.hasOwn(values, token.text) ? values[token.text] : undefined;
  if (value === undefined) throw unreadable(marker);
  return value;
}

function compare(left: string, operator: string, right: string, isVersion: boolean, marker: string): boolean {
  if (operator === 'in') return right.includes(left);
  if (operator === 'not in') return !right.includes(left);
  if (!isVersion) {
    if (operator === '==' || operator === '===') return left === right;
    if (operator === '!=') return left !== right;
    throw unreadable(marker);
  }
  if (operator === '===') return left === right;
  const wildcard = right.endsWith('.*') && (operator === '==' || operator === '!=');
  const wanted = release(wildcard ? right.slice(0, -2) : right, marker);
  const found = release(left, marker);
  if (wildcard) {
    const same = wanted.every((part, index) => part === (found[index] ?? 0));
    return operator === '==' ? same : !same;
  }
  const order = compareReleases(found, wanted);
  if (operator === '~=') {
    return order >= 0 && wanted.slice(0, -1).every((part, index) => part === (found[index] ?? 0));
  }
  const answers: Record<string, boolean> = {
    '==': order === 0,
    '!=': order !== 0,
    '<': order < 0,
    '<=': order <= 0,
    '>': order > 0,
    '>=': order >= 0,
  };
  return answers[operator] ?? false;
}

function release(version: string, marker: string): number[] {
  if (!/^\d+(\.\d+)*$/.test(version)) throw unreadable(marker);
  return version.split('.').map(Number);
}

function compareReleases(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function unreadable(marker: string): ConfigurationError {
  return new ConfigurationError(
    `The marker ${JSON.stringify(marker.slice(0, 200))} of a serving lock cannot be read.`,
    {
      hint: 'Markers ask for python_version, python_full_version, sys_platform, platform_system, platform_machine or the implementation.',
    },
  );
}
