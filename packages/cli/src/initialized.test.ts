import { expect, it } from 'vitest';
import { printInitialized } from './initialized.ts';

const files = [
  { path: 'models/a/passloop.yaml', change: 'create' as const, text: 'version: 1\nmodels:\n' },
  { path: '.gitignore', change: 'append' as const, text: '.passloop/out/\n' },
];
const decisions = ['models/a/passloop.yaml:2 `models`: x', 'a\u001b[2J\u202eb\n::error::c'];

it('tells what was written, what is to be decided, and what comes next', () => {
  expect(
    printInitialized({ files, kept: ['CODEOWNERS', 'CODEOWNERS'], decisions: decisions.slice(0, 1), written: true }),
  ).toBe(
    `wrote models/a/passloop.yaml
added to .gitignore
is there: CODEOWNERS

A person must decide:
  models/a/passloop.yaml:2 \`models\`: x

Then: passloop data lock, git add, git commit, passloop doctor
`,
  );
});

it('shows a plan whole', () => {
  expect(printInitialized({ files, kept: [], decisions: [], written: false })).toBe(
    `writes models/a/passloop.yaml:
  | version: 1
  | models:

adds to .gitignore:
  | .passloop/out/

`,
  );
});

it('says that nothing is missing', () => {
  expect(printInitialized({ files: [], kept: ['passloop.yaml'], decisions: [], written: true })).toBe(
    'is there: passloop.yaml\nNothing is missing that init could write.\n',
  );
});

it('keeps a hostile name on its line', () => {
  const text = printInitialized({ files: [], kept: [], decisions, written: true });
  expect(text).not.toMatch(/[\u001b\u202e]/);
  expect(text).not.toMatch(/^::/m);
});
