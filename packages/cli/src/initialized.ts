import { plainText } from '@passloop/core';
import type { Initialized } from '@passloop/verbs';

/** What was written, what must be decided, what comes next. A plan shows the files whole. */
export function printInitialized(result: Initialized): string {
  const lines: string[] = [];
  for (const file of result.files) {
    const path = plainText(file.path, 300);
    const verb = file.change === 'append' ? 'adds to' : 'writes';
    lines.push(result.written ? `${file.change === 'append' ? 'added to' : 'wrote'} ${path}` : `${verb} ${path}:`);
    if (!result.written)
      lines.push(
        ...file.text
          .trimEnd()
          .split('\n')
          .map((line) => `  | ${line}`),
        '',
      );
  }
  for (const kept of new Set(result.kept)) lines.push(`is there: ${plainText(kept, 300)}`);
  if (result.files.length === 0) lines.push('Nothing is missing that init could write.');
  if (result.decisions.length > 0) {
    lines.push('', 'A person must decide:');
    for (const decision of result.decisions) lines.push(`  ${plainText(decision, 500)}`);
  }
  if (result.written && result.files.some((file) => file.path.endsWith('passloop.yaml'))) {
    lines.push('', 'Then: passloop data lock, git add, git commit, passloop doctor');
  }
  return `${lines.join('\n')}\n`;
}
