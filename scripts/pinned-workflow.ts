/** A release, as workflows name it. */
export type Release = {
  /** `owner/name`. */
  repository: string;
  /** Full id of the released commit. */
  commit: string;
  /** `v1.2.3`. */
  tag: string;
};

/**
 * A workflow or template in which everything of this suite is named by repository and commit, for runners that don't know `$/` and
 * servers that don't know `queue`. What is pinned already stays.
 * @throws Error where a `$/` is left
 */
export function pinnedWorkflow(text: string, release: Release): string {
  const { repository, commit, tag } = release;
  const pin = (path: string) => `${repository}/${path}@${commit} # ${tag}`;
  const pinned = text
    .replace(/(\buses: )\$\/(\S+)(?:[ \t]+#.*)?$/gm, (_, uses: string, path: string) => uses + pin(path))
    .replace(
      /(\buses: )([\w.-]+\/[\w.-]+)\/(\.github\/workflows\/[\w-]+\.yml)@v\d+(?:[ \t]+#.*)?$/gm,
      (whole, uses: string, owner: string, path: string) => (owner === repository ? uses + pin(path) : whole),
    )
    .replace(/^ {2}queue: max\n/gm, '');
  const left = pinned.split('\n').find((line) => /\buses:.*\$\//.test(line));
  if (left !== undefined) throw new Error(`Not written out: ${left.trim()}`);
  return pinned;
}
