import { type Forge, fullName } from './forge.ts';
import { pullOf } from './pull-requests.ts';
import { rangeText } from './rest/pulls.ts';
import type { RestAnswer } from './serve-rest.ts';
import { type Actor, canSee } from './tokens.ts';

const ENTITIES: Record<string, string> = { '"': '&quot;', '&': '&amp;', "'": '&#39;', '<': '&lt;', '>': '&gt;' };

function escapeHtml(text: string): string {
  return text.replaceAll(/["&'<>]/g, (character) => ENTITIES[character]!);
}

function page(title: string, body: string): RestAnswer {
  const style =
    'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;border:1px solid #ccc;border-radius:6px;padding:1rem}';
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>${style}</style><body>${body}</body></html>`;
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
  };
  return { status: 200, headers, body: Buffer.from(html) };
}

function missing(): RestAnswer {
  return { ...page('Not found', '<h1>404</h1><p>This is not the page you are looking for.</p>'), status: 404 };
}

/**
 * The pages for people that addresses in answers lead to: a repository's pull requests, one pull request with its
 * comments as their Markdown source, its `.diff` and `.patch`. 404 for what is not
 * there or not for this caller; undefined for an address of another kind.
 */
export async function servePage(forge: Forge, url: URL, actor: () => Actor): Promise<RestAnswer | undefined> {
  const match = /^\/([^/]+)\/([^/]+)(?:\/pull\/(\d+)(?:\.(diff|patch))?)?\/?$/.exec(url.pathname);
  const repository = match === null ? undefined : forge.repositories.get(`${match[1]}/${match[2]}`.toLowerCase());
  if (match === null || /^(api|app|installation|repos|user|users)$/.test(match[1]!)) return undefined;
  if (repository === undefined || !canSee(actor(), repository)) return missing();
  const { state } = repository;
  const name = fullName(state);
  if (match[3] === undefined) {
    const rows = [...state.pulls].reverse().map((pull) => {
      const status = pull.mergedAt === null ? pull.state : 'merged';
      return `<li><a href="/${name}/pull/${pull.number}">#${pull.number}</a> ${escapeHtml(pull.title)} (${status})</li>`;
    });
    return page(name, `<h1>${escapeHtml(name)}</h1><p>git clone ${forge.url}/${name}.git</p><ul>${rows.join('')}</ul>`);
  }
  const pull = pullOf(state, Number(match[3]));
  if (pull === undefined) return missing();
  const format = match[4];
  if (format === 'diff' || format === 'patch') {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
    return { status: 200, headers, body: Buffer.from(await rangeText(repository, pull, format)) };
  }
  const comments = state.comments
    .filter((comment) => comment.number === pull.number)
    .map(
      ({ id, author, body }) => `<h3 id="issuecomment-${id}">${escapeHtml(author)}</h3><pre>${escapeHtml(body)}</pre>`,
    );
  const status = pull.mergedAt === null ? pull.state : `merged as ${pull.mergeCommit}`;
  const title = `${pull.title} #${pull.number}`;
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(pull.author)}: ${escapeHtml(pull.head.ref)} into ${escapeHtml(pull.base.ref)}, ${status}</p><pre>${escapeHtml(pull.body ?? '')}</pre>${comments.join('')}`,
  );
}
