import { count } from '@passloop/core';
import type { Edit } from '@passloop/documents';

/**
 * What an edit of a record or a hold does, in a few words; null for any other file. Those are written whole, by a machine:
 * beside the lines of a manifest that a person must read they would only be in the way.
 */
export function recordChange({ file, diff }: Edit): string | null {
  if (!/^\.passloop\/.+\.json$/.test(file)) return null;
  const lines = diff.split('\n');
  // A removed line may look like the header of a diff; only what stands before the first hunk is one.
  const hunks = lines.slice(lines.findIndex((line) => line.startsWith('@@')) + 1);
  const added = hunks.filter((line) => line.startsWith('+')).length;
  const changed = Math.max(added, hunks.filter((line) => line.startsWith('-')).length);
  return `${count(changed)} ${changed === 1 ? 'line' : 'lines'} changed`;
}
