import { accountOf, type Forge } from '../forge.ts';
import { nodeIdOfAccount } from '../rest/accounts.ts';

/** An account as Actor, User, Bot or Organization. */
export function actorNode(forge: Forge, login: string) {
  const account = accountOf(forge, login);
  const path = `/${encodeURIComponent(account.login)}`;
  return {
    __typename: account.type,
    avatarUrl: `${forge.url}/avatars/u/${account.id}`,
    databaseId: account.id,
    id: nodeIdOfAccount(account),
    login: account.login,
    name: null,
    resourcePath: path,
    url: forge.url + path,
  };
}
