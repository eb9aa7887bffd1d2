import picomatch from 'picomatch';
import type { Facts } from './facts.ts';
import { type Finding, ok, warn } from './finding.ts';

/** What decides about a check and must not be changed by its author alone. */
const guarded = ['.passloop/overrides/example.yaml', '.github/workflows/model-check.yml', '.github/CODEOWNERS'];
const guardedLines = '/.passloop/overrides/ @OWNERS\n/.github/ @OWNERS';

/** Overrides and workflows have owners. */
export function judgeOwners(facts: Pick<Facts, 'owners'>): Finding {
  const place = { id: 'owners' };
  if (facts.owners === null) {
    return warn(
      place,
      'There is no CODEOWNERS file: whoever may push may write an override for their own change.',
      `.github/CODEOWNERS:\n${guardedLines}`,
    );
  }
  const { file, text } = facts.owners;
  const open = guarded.filter((name) => !hasOwner(text, name));
  if (open.length > 0) {
    const folders = [
      ...new Set(open.map((name) => (name.startsWith('.github') ? '.github/' : '.passloop/overrides/'))),
    ];
    return warn(
      place,
      `${file} gives no owner to ${folders.join(' and ')}.`,
      `${file}:\n${folders.map((folder) => `/${folder} @OWNERS`).join('\n')}`,
    );
  }
  return ok(place, `${file} gives .passloop/overrides and .github to owners.`);
}

/** The last line whose pattern matches decides, as GitHub reads the file; a line without an owner takes owners away. */
function hasOwner(text: string, name: string): boolean {
  let owned = false;
  for (const line of text.split('\n')) {
    const [pattern = '', ...owners] = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (pattern !== '' && covers(pattern, name)) owned = owners.length > 0;
  }
  return owned;
}

/** As in .gitignore: a slash before the end ties a pattern to the root; a folder means all below it. */
function covers(pattern: string, name: string): boolean {
  const bare = pattern.replace(/^\//, '').replace(/\/$/, '');
  const rooted = pattern.replace(/\/$/, '').includes('/');
  const globs = (rooted ? [bare] : [bare, `**/${bare}`]).flatMap((glob) =>
    glob.endsWith('*') ? [glob] : [glob, `${glob}/**`],
  );
  return picomatch.isMatch(name, globs, { dot: true });
}
