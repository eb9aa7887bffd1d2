import { ConfigurationError, isInsidePath, type TreeEntry } from '@passloop/core';
import { fromRoot, type LoadedModel } from '@passloop/model';
import picomatch from 'picomatch';

/** A file of a stage's code: `path` from the model's folder, the blob that holds it. */
export type CodeFile = { path: string; mode: '100644' | '100755'; oid: string };

const globOptions = { dot: true, noextglob: true, nonegate: true };

/**
 * The files of a commit that a stage declares as its code. A pattern is a file, a folder (all below it) or a glob; one that
 * begins with `!` takes files away again. Files whose names begin with a dot count like others.
 * @param entries the commit's files below the model's folder
 * @throws ConfigurationError for a pattern that leads out of the folder or matches nothing, a symbolic link, a submodule
 */
export function codeFiles(
  model: LoadedModel,
  stageIndex: number,
  patterns: readonly string[],
  entries: readonly TreeEntry[],
): CodeFile[] {
  const prefix = model.folder === '' ? '' : `${model.folder}/`;
  const files = entries.map((entry) => ({ path: entry.path.slice(prefix.length), entry }));
  const chosen = new Map<string, TreeEntry>();
  for (const [index, pattern] of patterns.entries()) {
    function fail(message: string, hint?: string): ConfigurationError {
      const line = model.lineOf(['train', 'stages', stageIndex, 'code', index]);
      return new ConfigurationError(`${model.file}:${line}: code ${JSON.stringify(pattern)} ${message}.`, {
        file: model.file,
        line,
        hint,
      });
    }
    const negative = pattern.startsWith('!');
    const plain = (negative ? pattern.slice(1) : pattern).replace(/^\.\//, '').replace(/\/+$/, '');
    if (!isInsidePath(plain) || plain.split('/').includes('..')) {
      throw fail(
        'leads out of the folder of the model file',
        'Code is what lies beside or below the model file: move it there, or move the model file up.',
      );
    }
    const matches = [plain, `${plain}/**`].map((glob) => picomatch.makeRe(glob, globOptions));
    let found = 0;
    for (const { path, entry } of files) {
      if (path !== plain && !matches.some((pattern) => pattern.test(path))) continue;
      found += 1;
      if (negative) chosen.delete(path);
      else chosen.set(path, entry);
    }
    if (found === 0 && !negative)
      throw fail('matches no file of the commit', 'Is it committed? Patterns are relative to the model file.');
  }
  const code = [...chosen].map(([path, entry]): CodeFile => {
    if (entry.mode !== '100644' && entry.mode !== '100755') {
      const kind = entry.mode === '120000' ? 'a symbolic link' : 'a submodule';
      throw new ConfigurationError(`${fromRoot(model, path)} is ${kind}; the code of a stage is regular files only.`, {
        file: fromRoot(model, path),
        hint: 'Commit the file itself, or exclude it with a pattern that begins with "!".',
      });
    }
    if (path.includes('\ufffd') || !isInsidePath(path)) {
      throw new ConfigurationError(`The name of a code file is not plain UTF-8: ${JSON.stringify(path)}.`, {
        file: model.file,
        hint: 'Rename it: the run key must mean the same on every machine.',
      });
    }
    return { path, mode: entry.mode, oid: entry.oid };
  });
  if (code.length === 0) {
    throw new ConfigurationError(
      `${model.file}: stage ${model.train?.stages[stageIndex]?.name} is left without any code file.`,
      {
        file: model.file,
        line: model.lineOf(['train', 'stages', stageIndex, 'code']),
      },
    );
  }
  return code.sort((left, right) => (left.path < right.path ? -1 : 1));
}
