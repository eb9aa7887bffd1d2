/**
 * Pictures of the comments in docs/comments/, rendered much as GitHub shows them, in docs/images/. Needs Chromium.
 *
 *   node scripts/comment-pictures.ts
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import MarkdownIt from 'markdown-it';
import { openBrowser } from '../test/pages/browser.ts';

const docs = path.resolve(import.meta.dirname, '../docs');
// The width of a comment in a window of 1280.
const width = 880;
const style = `
* { box-sizing: border-box } html { background: #fff }
body { margin: 0; padding: 16px; color: #1f2328; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, "DejaVu Sans", sans-serif }
article { border: 1px solid #d1d9e0; border-radius: 6px } header { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; color: #59636e }
header b { color: #1f2328 } main { padding: 16px } main > :first-child { margin-top: 0 } main > :last-child { margin-bottom: 0 }
h3 { font-size: 17.5px; line-height: 1.25; margin: 24px 0 16px } p, ul, table, details { margin: 0 0 16px } ul { padding-left: 28px }
code { padding: .2em .4em; font: 85% "SFMono-Regular", "DejaVu Sans Mono", monospace; background: #818b981f; border-radius: 6px; overflow-wrap: anywhere }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0 } tbody tr:nth-child(2n) { background: #f6f8fa } a { color: #0969da } sub { font-size: 75%; color: #59636e }`;

await using folder = await temporaryFolder('comment-pictures');
await using browser = await openBrowser();
const markdown = new MarkdownIt({ html: true }).enable('table');
for (const file of (await readdir(path.join(docs, 'comments'))).filter((name) => name.endsWith('.md'))) {
  const body = markdown.render(await readFile(path.join(docs, 'comments', file), 'utf8'));
  const name = path.basename(file, '.md');
  const page = path.join(folder.path, `${name}.html`);
  const header = '<header><b>github-actions</b> bot commented</header>';
  await writeFile(
    page,
    `<!doctype html><meta charset="utf-8"><style>${style}</style><article>${header}<main>${body}</main></article>`,
  );
  const opened = await browser.open(page);
  await opened.view({ width });
  const height = await opened.evaluate<number>("document.querySelector('article').getBoundingClientRect().bottom + 16");
  await opened.screenshot(path.join(docs, 'images', `comment-${name}.png`), Math.ceil(height));
}
