import type { Edit } from '@passloop/documents';
import { createTwoFilesPatch } from 'diff';
import type { TreeFile } from './forge.ts';

/** A file that a plan changes: `content` null deletes it, `before` null creates it. */
export type PlannedFile = TreeFile & { before: string | null };

/** The plan as unified diffs, one a file, with three lines of context. */
export function editsOf(files: readonly PlannedFile[]): Edit[] {
  return files.map(({ path, before, content }) => ({
    file: path,
    diff: createTwoFilesPatch(
      before === null ? '/dev/null' : `a/${path}`,
      content === null ? '/dev/null' : `b/${path}`,
      before ?? '',
      content ?? '',
      undefined,
      undefined,
      { context: 3 },
    ).replace(/^=+\n/, ''),
  }));
}

/** How many lines of a file an edit replaces or adds. */
export function changedLines(before: string, after: string): number {
  const diff = createTwoFilesPatch('a', 'b', before, after, undefined, undefined, { context: 0 });
  const lines = diff.split('\n').slice(4);
  const added = lines.filter((line) => line.startsWith('+')).length;
  const removed = lines.filter((line) => line.startsWith('-')).length;
  return Math.max(added, removed);
}

/** The lines that differ, in order: `-` gone, `+` new. */
export function changedLineTexts(before: string, after: string): string[] {
  const diff = createTwoFilesPatch('a', 'b', before, after, undefined, undefined, { context: 0 });
  return diff
    .split('\n')
    .slice(4)
    .filter((line) => /^[-+]/.test(line));
}
