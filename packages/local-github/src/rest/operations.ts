import { actionsOperations } from './actions.ts';
import { actionsSettingsOperations } from './actions-settings.ts';
import { branchOperations } from './branches.ts';
import type { Operation } from './call.ts';
import { checkOperations } from './checks.ts';
import { commitOperations } from './commits.ts';
import { contentsOperations } from './contents.ts';
import { environmentOperations } from './environments.ts';
import { gitDataOperations } from './git-data.ts';
import { issueOperations } from './issues.ts';
import { metaOperations } from './meta.ts';
import { pullOperations } from './pulls.ts';

/** Every REST operation that the server runs, by GitHub's operation id. */
export const operations: Record<string, Operation> = {
  ...actionsOperations,
  ...actionsSettingsOperations,
  ...branchOperations,
  ...checkOperations,
  ...commitOperations,
  ...contentsOperations,
  ...environmentOperations,
  ...gitDataOperations,
  ...issueOperations,
  ...metaOperations,
  ...pullOperations,
};
