/**
 * A local GitHub for use by hand:
 *
 *     node packages/local-github/src/main.ts --root DIR [--port N] [--repository OWNER/NAME ...]
 *
 * Makes the repositories that are missing, prints the addresses and a token that may do everything, and serves until
 * it is stopped.
 */
import { parseArgs } from 'node:util';
import { startLocalGithub } from './server.ts';
import { EVERY_PERMISSION } from './tokens.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string' },
    port: { type: 'string', default: '0' },
    repository: { type: 'string', multiple: true, default: [] },
  },
});
if (values.root === undefined) {
  process.stderr.write('usage: main.ts --root DIR [--port N] [--repository OWNER/NAME ...]\n');
  process.exit(2);
}
const server = await startLocalGithub({ root: values.root, port: Number(values.port) });
const token = await server.createToken({
  login: 'octocat',
  admin: true,
  permissions: EVERY_PERMISSION,
});
process.stdout.write(`web and git  ${server.url}\nREST         ${server.restUrl}\nGraphQL      ${server.graphqlUrl}\n`);
process.stdout.write(`token        ${token}\n`);
for (const name of values.repository) {
  const [owner = '', repository = ''] = name.split('/');
  const known = () => server.repository(owner, repository);
  const made = await server.createRepository({ owner, name: repository }).catch(known);
  process.stdout.write(`repository   ${made.cloneUrlWith(token)}\n`);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
