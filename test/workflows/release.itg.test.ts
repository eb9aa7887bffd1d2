// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a tag may be a command of a shell.
import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type CreatedRepository, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, git, releaseStep } from './release-step.ts';

/** What refuses a release, in clones of a real origin and by the checks of a commit. */
const root = path.resolve(import.meta.dirname, '../..');
const changelog = '# Changelog\n\n## Unreleased\n\n## 1.2.3 (2026-11-25)\n\n- First.\n';
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('release');
});
afterAll(() => folder?.[Symbol.asyncDispose]());

const emptyFolder = () => mkdtemp(path.join(folder.path, 'place-'));
const step = (name: string, cwd: string, env: Record<string, string>) =>
  releaseStep('verify', name, { cwd, folder: folder.path, env });

type Release = {
  tag: string;
  /** What the run was started with, where it isn't the tag. */
  asked: string;
  ref: string;
  version: string;
  packageFile: string;
  changelog: string;
  tagged: 'elsewhere' | 'nowhere';
  isOnMain: boolean;
  /** Something was merged after it. */
  isOlder: boolean;
  isShallow: boolean;
};

/** An origin with the release, and a clone of it as `actions/checkout` leaves one: every branch and tag, at the run's commit. */
async function checkTag(changed: Partial<Release>): Promise<Ended & { left: string[] }> {
  const tag = changed.tag ?? 'v1.2.3';
  const place = await emptyFolder();
  const [origin, work, clone] = ['origin.git', 'work', 'clone'].map((name) => path.join(place, name)) as [
    string,
    string,
    string,
  ];
  await git(place, 'init', '-q', '--bare', '-b', 'main', origin);
  await git(place, 'init', '-q', '-b', 'main', work);
  await mkdir(path.join(work, 'scripts'));
  await copyFile(path.join(root, 'scripts/release-tag.mjs'), path.join(work, 'scripts/release-tag.mjs'));
  const version = changed.version ?? '1.2.3';
  await writeFile(path.join(work, 'package.json'), changed.packageFile ?? JSON.stringify({ version }));
  await writeFile(path.join(work, 'CHANGELOG.md'), changed.changelog ?? changelog);
  await git(work, 'add', '.');
  await git(work, 'commit', '-qm', 'Release');
  await git(work, 'remote', 'add', 'origin', origin);
  await git(work, 'push', '-q', 'origin', 'main');
  if (changed.isOnMain === false) await git(work, 'commit', '-q', '--allow-empty', '-m', 'Beside main');
  const sha = await git(work, 'rev-parse', 'HEAD');
  if (changed.isOlder === true) {
    await git(work, 'tag', '-a', '-m', 'Release', tag);
    await writeFile(path.join(work, 'package.json'), '{"version": "2.0.0"}');
    await git(work, 'commit', '-qam', 'Next');
    await git(work, 'push', '-q', 'origin', 'main');
  }
  if (changed.tagged === 'elsewhere') await git(work, 'commit', '-q', '--allow-empty', '-m', 'Later');
  if (changed.tagged !== 'nowhere' && changed.isOlder !== true) await git(work, 'tag', '-a', '-m', 'Release', tag);
  await git(work, 'push', '-q', 'origin', '--tags', 'HEAD:refs/heads/side');
  await git(
    place,
    'clone',
    '-q',
    ...(changed.isShallow === true ? ['--depth=1', '--branch', tag] : []),
    `file://${origin}`,
    clone,
  );
  await git(clone, 'checkout', '-q', '--detach', sha);
  const asked = changed.asked ?? tag;
  const ended = await step('The tag is this commit, on the main branch, with this version', clone, {
    TAG: asked,
    GITHUB_REF: changed.ref ?? `refs/tags/${asked}`,
    GITHUB_SHA: sha,
  });
  return { ...ended, left: (await git(clone, 'status', '--porcelain')).split('\n').filter((line) => line !== '') };
}

describe('the tag of a release', () => {
  it('is one on main, with its version and its section of the changelog', async () => {
    expect(await checkTag({})).toEqual({ code: 0, log: '', left: [] });
  });

  it('may be behind the head of main', async () => {
    expect(await checkTag({ isOlder: true })).toEqual({ code: 0, log: '', left: [] });
  });

  it.each<[string, Partial<Release>, RegExp]>([
    ['of another version', { version: '1.2.4' }, /file=package\.json::The version is not the tag's/],
    ['whose package.json is none', { packageFile: '{' }, /file=package\.json::The version/],
    ['whose package.json is null', { packageFile: 'null' }, /file=package\.json::The version/],
    ['without its section of the changelog', { changelog: '## 1.2.30 (today)\n' }, /file=CHANGELOG\.md::No section/],
    ['that the changelog names in a text', { changelog: 'See ## 1.2.3 (today)\n' }, /No section/],
    ['on a commit beside main', { isOnMain: false }, /not on the main branch/],
    ['that was moved', { tagged: 'elsewhere' }, /it was moved/],
    ['that is nowhere', { tagged: 'nowhere' }, /not in this clone.*fetch-depth: 0/],
    ['in a clone without main', { isShallow: true }, /main branch is not in this clone.*fetch-depth: 0/],
    ['in a run on a branch', { ref: 'refs/heads/main' }, /on the tag itself/],
    ['in a run on another tag', { ref: 'refs/tags/v1.2.4' }, /on the tag itself/],
  ])('is refused: one %s', async (_, changed, says) => {
    const { code, log } = await checkTag(changed);
    expect(log).toMatch(says);
    expect(log.match(/^::error/gm)).toHaveLength(1);
    expect(code).toBe(1);
  });

  it.each([
    ['of two numbers', 'v1.2'],
    ['of a version before the release', 'v1.2.3-rc.1'],
    ['of a leading zero', 'v1.02.3'],
    ['that is a command', 'v1.2.3$(touch${IFS}x)'],
    ['that is a command in back quotes', 'v1.2.3`touch${IFS}x`'],
    ['that ends a command', 'v1.2.3;touch${IFS}x;"\'"'],
  ])('is refused: one %s, which git takes for a tag', async (_, tag) => {
    expect(await checkTag({ tag })).toEqual({ code: 1, log: '::error::The tag is no vX.Y.Z.\n', left: [] });
  });

  it.each([
    ['a second line', 'v1.2.3\nv1.2.4'],
    ['a line end', 'v1.2.3\n'],
    ['a command of the runner', 'v1.2.3\n::set-output name=x::y'],
    ['an option', '--output=x'],
    ['a place in git', 'v1.2.3^{commit}'],
    ['nothing', ''],
  ])('is refused: %s, which is asked for and is no tag', async (_, asked) => {
    expect(await checkTag({ asked })).toEqual({ code: 1, log: '::error::The tag is no vX.Y.Z.\n', left: [] });
  });
});

describe('the check of its commit', () => {
  let github: LocalGithub;
  let repository: CreatedRepository;
  let appId: number;
  let clone: string;
  const name = 'acme/passloop';

  beforeAll(async () => {
    github = await startLocalGithub({ root: path.join(folder.path, 'github') });
    repository = await github.createRepository({ owner: 'acme', name: 'passloop', private: true });
    const app = { slug: 'other', account: 'acme', permissions: { checks: 'write' } } as const;
    ({ appId } = await github.createApp(app));
    clone = await emptyFolder();
    await git(clone, 'init', '-q', '-b', 'main');
    await mkdir(path.join(clone, 'scripts'));
    await copyFile(path.join(root, 'scripts/release-checks.mjs'), path.join(clone, 'scripts/release-checks.mjs'));
    await git(clone, 'add', '.');
    await git(clone, 'commit', '-qm', 'Release');
    await git(clone, 'push', '-q', repository.cloneUrlWith(await github.createToken({ login: 'ada' })), 'main');
  });
  afterAll(() => github?.[Symbol.asyncDispose]());

  /** A commit of its own for each case, with the checks that are written on it. */
  async function ask(
    checks: { kind: 'job' | 'app'; name?: string; conclusion?: string }[],
    scope = 'checks',
  ): Promise<Ended> {
    await git(clone, 'commit', '-q', '--allow-empty', '-m', 'Another commit');
    await git(clone, 'push', '-q', repository.cloneUrlWith(await github.createToken({ login: 'ada' })), 'main');
    const sha = await git(clone, 'rev-parse', 'HEAD');
    for (const { kind, conclusion, name: check = 'check' } of checks) {
      const writer =
        kind === 'job'
          ? { kind, login: 'github-actions[bot]' }
          : { kind: 'installation' as const, login: 'other[bot]', appId };
      const permissions = { checks: 'write', metadata: 'read' } as const;
      const token = await github.createToken({ ...writer, repositories: [name], permissions });
      const answer = await fetch(`${github.restUrl}/repos/${name}/check-runs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          name: check,
          head_sha: sha,
          status: conclusion === undefined ? 'in_progress' : 'completed',
          conclusion,
        }),
      });
      expect(answer.status).toBe(201);
    }
    const permissions = { [scope]: 'read' as const, metadata: 'read' as const };
    const token = await github.createToken({
      login: 'github-actions[bot]',
      kind: 'job',
      repositories: [name],
      permissions,
    });
    const ended = await step('Its checks passed', clone, {
      GITHUB_TOKEN: token,
      GITHUB_API_URL: github.restUrl,
      GITHUB_REPOSITORY: name,
      GITHUB_SHA: sha,
    });
    expect(ended.log).not.toContain(token);
    return ended;
  }

  it('has passed', async () => {
    expect(
      await ask([
        { kind: 'job', name: 'lint', conclusion: 'failure' },
        { kind: 'job', conclusion: 'success' },
      ]),
    ).toEqual({
      code: 0,
      log: '',
    });
  });

  it('has passed when it was run again', async () => {
    const { code, log } = await ask([
      { kind: 'job', conclusion: 'failure' },
      { kind: 'job', conclusion: 'success' },
    ]);
    expect(code, log).toBe(0);
  });

  it.each([
    ['failed', [{ kind: 'job', conclusion: 'failure' }], /says 'failure'/],
    [
      'failed when it was run again',
      [
        { kind: 'job', conclusion: 'success' },
        { kind: 'job', conclusion: 'failure' },
      ],
      /says 'failure'/,
    ],
    ['was cancelled', [{ kind: 'job', conclusion: 'cancelled' }], /says 'cancelled'/],
    ['goes on', [{ kind: 'job' }], /says 'in_progress'/],
    ['never ran', [], /No job `check` ran/],
    ['is another', [{ kind: 'job', name: 'checks', conclusion: 'success' }], /No job `check` ran/],
    ['was written by an App', [{ kind: 'app', conclusion: 'success' }], /No job `check` ran/],
  ] satisfies [string, Parameters<typeof ask>[0], RegExp][])('is refused where it %s', async (_, checks, says) => {
    const { code, log } = await ask(checks);
    expect(log).toMatch(says);
    expect(code).toBe(1);
  });

  it('names the permission that is missing', async () => {
    const { code, log } = await ask([{ kind: 'job', conclusion: 'success' }], 'contents');
    expect(log).toMatch(/GitHub answers 403.*`checks: read`/);
    expect(code).toBe(1);
  });
});
