import { z } from 'zod';
import type { Action, GithubClient } from './client.ts';

const Content = z.object({ type: z.literal('file'), encoding: z.literal('base64'), content: z.string() });
const reading: Action = { what: 'reading a file of the repository', permission: 'contents', level: 'read' };
const maxBytes = 1_000_000;

/**
 * The text of a file at a commit; null where it is no file, or too large for a text that somebody wrote.
 * @param path from the repository's top, with `/`
 */
export async function readRepositoryFile(client: GithubClient, path: string, commit: string): Promise<string | null> {
  const route = 'GET /repos/{owner}/{repo}/contents/{+path}';
  const answer = await client.rest(reading, route, { path, ref: commit }, z.unknown());
  const file = Content.safeParse(answer);
  if (!file.success || file.data.content.length > maxBytes * 1.5) return null;
  return Buffer.from(file.data.content, 'base64').toString('utf8');
}
