import picomatch from 'picomatch';
import type { Facts } from './facts.ts';
import { type Finding, ok, warn } from './finding.ts';

/** What decides, and must not be changed by its author alone: a folder, and a file in it. */
const guarded = {
  model: [
    { folder: '.passloop/overrides/', file: '.passloop/overrides/example.yaml' },
    { folder: '.github/', file: '.github/workflows/model-check.yml' },
    { folder: '.github/', file: '.github/CODEOWNERS' },
  ],
  deploy: [
    { folder: '.passloop/', file: '.passloop/prod/model.json' },
    { folder: '.github/', file: '.github/workflows/deploy-check.yml' },
    { folder: '.github/', file: '.github/CODEOWNERS' },
  ],
} as const;

/** Overrides, records and workflows have owners. */
export function judgeOwners(facts: Pick<Facts, 'owners' | 'role'>): Finding {
  const place = { id: 'owners' };
  const wanted = guarded[facts.role];
  const open = wanted.filter(({ file }) => !hasOwner(facts.owners?.text ?? '', file));
  const folders = [...new Set(open.map(({ folder }) => folder as string))];
  const file = facts.owners?.file ?? '.github/CODEOWNERS';
  const fix = `${file}:\n${folders.map((folder) => `/${folder} @OWNERS`).join('\n')}`;
  if (facts.owners === null) {
    const said =
      facts.role === 'model'
        ? 'whoever may push may write an override for their own change.'
        : 'whoever may push may change a record or a workflow.';
    return warn(place, `There is no CODEOWNERS file: ${said}`, fix);
  }
  if (open.length > 0) return warn(place, `${file} gives no owner to ${folders.join(' and ')}.`, fix);
  return ok(place, `${file} gives ${[...new Set(wanted.map(({ folder }) => folder))].join(' and ')} to owners.`);
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
