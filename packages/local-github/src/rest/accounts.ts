import { accountOf, type Forge } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import type { Account, App } from '../state.ts';
import { ACTIONS_APP_ID } from '../state.ts';
import { apiUrl } from '../urls.ts';

/** OpenAPI `simple-user`. */
export function presentUser(forge: Forge, login: string) {
  return presentAccount(forge, accountOf(forge, login));
}

export function nodeIdOfAccount(account: Account): string {
  return nodeId(account.type === 'Bot' ? 'BOT' : account.type === 'Organization' ? 'O' : 'U', account.id);
}

export function presentAccount(forge: Forge, account: Account) {
  const url = apiUrl(forge, `/users/${encodeURIComponent(account.login)}`);
  return {
    login: account.login,
    id: account.id,
    node_id: nodeIdOfAccount(account),
    avatar_url: `${forge.url}/avatars/u/${account.id}`,
    gravatar_id: '',
    url,
    html_url: `${forge.url}/${encodeURIComponent(account.login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** OpenAPI `integration`: the app itself, or GitHub Actions. */
export function presentApp(forge: Forge, appId: number) {
  const app = forge.state.apps.find((candidate) => candidate.id === appId) ?? actionsApp();
  return {
    id: app.id,
    client_id: app.clientId,
    slug: app.slug,
    node_id: nodeId('APP', app.id),
    owner: presentUser(forge, app.owner),
    name: app.name,
    description: '',
    external_url: `${forge.url}/apps/${app.slug}`,
    html_url: `${forge.url}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.installation?.permissions ?? {},
    events: [],
  };
}

function actionsApp(): Omit<App, 'installation' | 'publicKey'> & { installation?: App['installation'] } {
  return {
    id: ACTIONS_APP_ID,
    slug: 'github-actions',
    name: 'GitHub Actions',
    clientId: 'Iv1.github-actions',
    owner: 'github',
    createdAt: '2018-07-30T09:30:17Z',
  };
}
