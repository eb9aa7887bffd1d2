import { type GitRepository, PassloopError } from '@passloop/core';
import { type Profile, type ProfileVersions, parseProfile } from '@passloop/data';

/** So far back: an anomaly is told from what was usual lately. */
const mostVersions = 20;

/** The committed versions of a profile up to a commit, newest first; what is no profile, such as one of an older form, is left out. */
export async function profileHistory(
  repository: GitRepository,
  commit: string,
  file: string,
): Promise<ProfileVersions> {
  const args = ['--literal-pathspecs', 'log', '--format=%H', `--max-count=${mostVersions}`, commit, '--', file];
  const commits = (await repository.run(args)).split('\n').filter((line) => /^[0-9a-f]{40,64}$/.test(line));
  const found: Profile[] = [];
  for (const one of commits) {
    const text = await repository.readFile(one, file);
    if (text === null) continue;
    try {
      found.push(parseProfile(text.toString('utf8'), file));
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  const isShallow = (await repository.run(['rev-parse', '--is-shallow-repository'])).trim() === 'true';
  return { profiles: found, isCut: isShallow && commits.length < mostVersions };
}
