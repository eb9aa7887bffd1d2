import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256, temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import type { World } from '../../../test/world/world.ts';
import { deploy, deployedWorld, manifestFile } from './testing/deployed-world.ts';

/** What a person does and sees, by command, from promotions that go wrong to a repaired drift; docs/rollback-walk.txt is its output. */

const second = 'apps/flight-cancel/prod/kustomization.yaml';

/** The world's model once more, under another name and with a manifest of its own. */
async function twoModels(folder: string): Promise<World> {
  const world = await deployedWorld(folder);
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const text = await readFile(file, 'utf8');
  const [head = '', model = ''] = text.split(/(?<=^models:\n)/m);
  const other = model
    .replaceAll(manifestFile, second)
    .replace('name: flight-delay', 'name: flight-cancel')
    .replaceAll(/(&|\*)types/g, '$1types2');
  await writeFile(file, `${head}${model.trimEnd()}\n${other}`);
  await world.git(world.flightsClone, 'commit', '-qam', 'Two models');
  await world.git(world.deployClone, 'pull', '-q');
  await mkdir(path.dirname(path.join(world.deployClone, second)), { recursive: true });
  const manifest = `images:\n  - name: ${world.image}\n    newTag: "0.1.0"\n`;
  await writeFile(path.join(world.deployClone, second), manifest);
  await world.git(world.deployClone, 'add', '.');
  await world.git(world.deployClone, 'commit', '-qm', 'Run flight-cancel in prod');
  await world.git(world.deployClone, 'push', '-q');
  return world;
}

function deploySecond(world: World, version: string) {
  const record = {
    model: 'flight-cancel',
    identity: 'acme/flights#flight-cancel',
    modelDigest: sha256(`cancel ${version}`),
  };
  return deploy(world, version, record, 'auto', { file: second, image: world.image });
}

/** Ports, commits, times and rules of one run, out of the text. */
function scrubbed(world: World, text: string): string {
  return text
    .replaceAll(world.image, 'ghcr.io/acme/flight-delay')
    .replaceAll(world.github.url, 'https://github.com')
    .replaceAll(/ at [0-9a-f]{12}\b/g, ' at 4c1f0e9b7a23')
    .replaceAll(/20\d\d-\d\d-\d\dT[0-9:.]+Z/g, '2026-11-25T10:00:00Z')
    .replaceAll(/on 20\d\d-\d\d-\d\d( \d\d:\d\d UTC)?/g, 'on 2026-11-25$1')
    .replaceAll(/\d\d:\d\d UTC/g, '10:00 UTC')
    .replaceAll(/in [0-9a-f]{12}\./g, 'in 9be01d77c1f4.')
    .replaceAll(/[ \t]+$/gm, '');
}

it('walks: two models back at once, one left alone, a refused promotion, and a drift that is adopted', async () => {
  await using folder = await temporaryFolder('walk');
  await using world = await twoModels(path.join(folder.path, 'world'));
  const told: string[] = [];
  async function passloop(args: string[], exitCode = 0): Promise<string> {
    const answer = await world.passloop(args, { env: { USER: 'ada' } });
    expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
    const shown = args.map((arg) => (/[\s]/.test(arg) ? `'${arg}'` : arg)).join(' ');
    const output = exitCode === 2 ? answer.stderr.slice(answer.stderr.indexOf('passloop:')) : answer.stdout;
    told.push(`$ passloop ${shown}\n${scrubbed(world, output).trimEnd()}\n`);
    return answer.stdout;
  }
  const commit = 'ab12cd34'.repeat(5);
  const source = { repository: 'acme/flights', commit, tree: commit, ref: null, run: null };
  await deploy(world, 'first');
  await deploySecond(world, 'cancel-first');
  await deploy(world, 'second', { source });
  await deploySecond(world, 'cancel-second');
  await deploy(world, 'third', {}, 'review');
  await passloop(['status']);

  await passloop([
    'rollback',
    'flight-delay',
    'flight-cancel',
    '--reason',
    'The carrier codes of November are wrong',
    '--plan',
  ]);
  await passloop(['rollback', 'flight-delay', 'flight-cancel', '--reason', 'The carrier codes of November are wrong']);
  await passloop(['rollback', 'flight-delay', 'flight-cancel']);
  await passloop(['rollback', '--all-of', commit], 2);
  await passloop(['rollback', 'flight-delay', '--to', 'first', '--leave', 'second']);
  const promotion = world.deploy.pullRequests().find(({ title }) => title.includes('third'));
  await fetch(`${world.github.restUrl}/repos/acme/deploy/pulls/${promotion?.number}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.tokens.team}`, 'content-type': 'application/json' },
    body: JSON.stringify({ state: 'closed' }),
  });

  await world.git(world.deployClone, 'pull', '-q');
  const manifest = path.join(world.deployClone, manifestFile);
  const hotfix = sha256('a hot fix by hand');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(/sha256:[0-9a-f]{64}/, hotfix));
  await world.git(world.deployClone, 'commit', '-qam', 'Hot fix by hand');
  await world.git(world.deployClone, 'push', '-q');
  const drifted = await passloop(['status'], 1);
  expect(drifted).toMatch(/flight-delay +prod +drifted/);
  await passloop(['rollback', 'flight-delay', '--to', 'first'], 1);
  await passloop(['adopt', 'flight-delay', '--model-digest', sha256('hot fix'), '--version', 'hotfix']);
  const adoption = world.deploy.pullRequests().find(({ title }) => title.startsWith('adopt'));
  const merged = await fetch(`${world.github.restUrl}/repos/acme/deploy/pulls/${adoption?.number}/merge`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${world.tokens.team}`, 'content-type': 'application/json' },
    body: JSON.stringify({ merge_method: 'squash' }),
  });
  expect(merged.status, await merged.text()).toBe(200);
  const status = await world.passloop(['status', '--json', '-']);
  expect(parseDocument('status', status.stdout, 'status.json')).toMatchObject({ verdict: 'pass' });
  expect(await passloop(['status'])).toMatch(/flight-delay +prod +recorded +hotfix/);
  expect(told.join('\n')).not.toContain(folder.path);
  await expect(told.join('\n')).toMatchFileSnapshot('../../../docs/rollback-walk.txt');
}, 240_000);

it('brings several models back in the repository that a person names, and in no other', async () => {
  await using folder = await temporaryFolder('walk-elsewhere');
  await using world = await twoModels(path.join(folder.path, 'world'));
  for (const version of ['first', 'second']) {
    await deploy(world, version);
    await deploySecond(world, `cancel-${version}`);
  }
  const url = world.deploy.cloneUrlWith(world.tokens.deploy);
  const args = ['rollback', 'flight-delay', 'flight-cancel', '--reason', 'precision fell', '--deploy-repo', url];
  // Without a token for the one in the model file: what is named is reached by git alone.
  const answer = await world.passloop(args, { env: { PASSLOOP_DEPLOY_TOKEN: '', GITHUB_TOKEN: '' } });
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
  expect(answer.stdout).toContain('  pushed to the base branch at ');
  expect(answer.stdout).toContain('flight-cancel from cancel-second back to cancel-first');
}, 120_000);
