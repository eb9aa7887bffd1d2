import { actorOfJwt, isJwt } from './apps.ts';
import { accountOf, type Forge } from './forge.ts';
import { type Actor, actorOfToken, tokenOfHeader } from './tokens.ts';

/** Who an Authorization header says is calling. @throws ApiError 401 */
export function actorOfHeader(forge: Forge, header: string | undefined): Actor {
  const token = tokenOfHeader(header);
  return token !== undefined && isJwt(token) ? actorOfJwt(forge, token) : actorOfToken(forge, token);
}

/** Whose calls are counted together, in GitHub's words. */
export function callerOf(forge: Forge, actor: Actor): string {
  return actor.login === '' ? '127.0.0.1' : `user ID ${accountOf(forge, actor.login).id}`;
}
