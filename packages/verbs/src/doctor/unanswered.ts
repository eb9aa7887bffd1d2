import type { Answer } from '@passloop/github';
import { type Finding, unknown, warn } from './finding.ts';

/**
 * The finding of a setting that nobody answered for: what the token lacks, or what the plan hasn't. Null where there is an
 * answer, or where it is that the setting isn't there.
 */
export function unanswered(
  place: { id: string; subject?: string },
  what: string,
  answer: Answer<unknown>,
): Finding | null {
  switch (answer.state) {
    case 'refused':
      return unknown(
        place,
        `The token may not see ${what} (${answer.said}).`,
        `Run it again with a token that has \`${answer.permission}\`, such as an administrator's: GITHUB_TOKEN=$(gh auth token) passloop doctor`,
      );
    case 'plan':
      return warn(
        place,
        `The plan of this account has no ${what} for a private repository (${answer.said}).`,
        'Make the repository public, or take a plan that has it; without, nothing but habit keeps this rule.',
      );
    case 'unanswered':
      return unknown(
        place,
        `GitHub didn't tell about ${what}: ${answer.said.replace(/\.+$/, '')}.`,
        answer.said === 'there is no token'
          ? 'Give it one: GITHUB_TOKEN=$(gh auth token) passloop doctor'
          : 'Run it again.',
      );
    default:
      return null;
  }
}
