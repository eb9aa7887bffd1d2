export { type GithubClient, type GithubOptions, githubClient } from './client.ts';
export { octokitForge } from './octokit-forge.ts';
