/** What was asked of which repository, and whether anybody is logged in. */
export type Refused = {
  status: number;
  /** What the whole step needs: a look on the way to a write needs `write`. */
  needs: 'read' | 'write';
  host: string;
  repository: string;
  anonymous: boolean;
};

/** What to do about a registry's refusal: names the permission of a job, whatever status the registry hides it behind. */
export function refusalHint({ status, needs, host, repository, anonymous }: Refused): string {
  const right = `permissions: {packages: ${needs}}`;
  if ((status === 401 || status === 403) && anonymous) {
    return `Nobody is logged in to ${host}: run \`docker login ${host}\`, or give the job \`${right}\` and log in with its token.`;
  }
  if (status === 401) {
    return `${host} does not accept the credentials, or they have ended (a job's token ends with its job): log in again, or run the job again; in a workflow the job needs \`${right}\`.`;
  }
  if (status === 403) {
    const first =
      needs === 'write'
        ? 'A first push must come from a job of a repository with the same owner.'
        : 'A package that is not there yet may be refused like this too: its first push makes it, by a job with `permissions: {packages: write}`.';
    return `The account may not ${needs} ${repository}: in a workflow the job needs \`${right}\`, and the package must allow the job's repository (package settings, Manage Actions access). ${first}`;
  }
  if (status === 404) {
    return `${host} has no ${repository}, or does not show it to this account: mend the name, or give the right to ${needs} it; in a workflow the job needs \`${right}\`.`;
  }
  if (status === 429) return 'The registry limits the rate: try again later, or log in for a higher limit.';
  if (status >= 500) return 'The fault is on the side of the registry: try again.';
  return `See what ${host} says about ${repository}.`;
}
