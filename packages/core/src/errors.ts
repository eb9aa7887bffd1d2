/** Exit codes of the command (0 and 1 are verdicts, not errors). */
export const exitCodes = {
  passed: 0,
  gateFailed: 1,
  configuration: 2,
  infrastructure: 3,
  conflict: 4,
  pending: 5,
} as const;

export type ErrorCode = 'configuration' | 'infrastructure' | 'conflict' | 'pending';

export type ErrorDetails = {
  /** What the person can do now, in a sentence. */
  hint?: string | undefined;
  file?: string | undefined;
  /** 1-based line in `file`. */
  line?: number | undefined;
  cause?: unknown;
};

/** The root of every error that Passloop raises on purpose: it carries what a person needs to mend it. */
export class PassloopError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly file: string | null;
  readonly line: number | null;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint ?? null;
    this.file = details.file ?? null;
    this.line = details.line ?? null;
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/** The user mends it: a wrong file, flag, name, or a missing one. */
export class ConfigurationError extends PassloopError {
  constructor(message: string, details?: ErrorDetails) {
    super('configuration', message, details);
  }
}

/** Something outside did not work: network, engine, registry, a store entry that is damaged. Trying again may help. */
export class InfrastructureError extends PassloopError {
  constructor(message: string, details?: ErrorDetails) {
    super('infrastructure', message, details);
  }
}

/** Someone else moved the same field meanwhile. */
export class ConflictError extends PassloopError {
  constructor(message: string, details?: ErrorDetails) {
    super('conflict', message, details);
  }
}

/** The answer isn't there yet: a check that runs, a queue, a soak time. */
export class PendingError extends PassloopError {
  constructor(message: string, details?: ErrorDetails) {
    super('pending', message, details);
  }
}

const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What a system's refusal of a file means for a person; `PATH` stands for the file. */
const fileErrors: Readonly<Record<string, { message: string; hint?: string }>> = {
  ENOENT: { message: 'There is no file or folder PATH.' },
  ENOTDIR: { message: 'A part of PATH is a file and no folder.' },
  EISDIR: { message: 'PATH is a folder, where a file is expected.' },
  EACCES: {
    message: 'PATH may not be read or written by this user.',
    hint: 'Change its permissions, or name another place.',
  },
  EPERM: { message: 'PATH may not be changed by this user.', hint: 'Change its permissions, or name another place.' },
  EROFS: { message: 'PATH lies on a read-only file system.', hint: 'Name another place.' },
  ENAMETOOLONG: { message: 'PATH is too long a name for the file system.' },
};

/**
 * Any thrown value as a PassloopError: a refusal by the file system is the user's to mend, what we did not foresee counts as
 * `infrastructure`.
 */
export function toPassloopError(thrown: unknown): PassloopError {
  if (thrown instanceof PassloopError) return thrown;
  if (thrown instanceof Error && 'code' in thrown && fullDisk.has(String(thrown.code))) {
    const place = 'path' in thrown && typeof thrown.path === 'string' ? ` at ${thrown.path}` : '';
    return new InfrastructureError(`The disk has no room for a file${place}: ${thrown.message}.`, {
      cause: thrown,
      hint: 'Make room, or point TMPDIR, PASSLOOP_CACHE and the store to a larger disk; nothing half-written was left.',
    });
  }
  if (thrown instanceof Error && 'code' in thrown) {
    const known = fileErrors[String(thrown.code)];
    if (known !== undefined) {
      // A file is written under a passing name first; the person knows the other one.
      const file = 'path' in thrown ? String(thrown.path).replace(/\.\d+-[0-9a-f]{8}\.tmp$/, '') : null;
      return new ConfigurationError(
        known.message.replace('PATH', () => file ?? 'What was named'),
        {
          hint: known.hint,
          file: file ?? undefined,
          cause: thrown,
        },
      );
    }
  }
  if (thrown instanceof Error) return new InfrastructureError(thrown.message || thrown.name, { cause: thrown });
  return new InfrastructureError(String(thrown));
}
