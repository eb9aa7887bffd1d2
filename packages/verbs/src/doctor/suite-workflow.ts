/** The workflows that Passloop ships, and what a caller of each must have. */
export const suiteWorkflowNames = [
  'model-check',
  'model-report',
  'model-promote',
  'model-rollback',
  'deploy-check',
  'deploy-chain',
] as const;
export type SuiteWorkflowName = (typeof suiteWorkflowNames)[number];

export type Scopes = Readonly<Record<string, 'read' | 'write'>>;

export type SuiteWorkflow = {
  repository: 'model' | 'deploy';
  /** What its jobs ask for together: a caller that grants less fails when it starts, one that grants more gives away. */
  permissions: Scopes;
  /** The events that start it. */
  events: readonly string[];
  does: string;
};

export const suiteWorkflows: Readonly<Record<SuiteWorkflowName, SuiteWorkflow>> = {
  'model-check': {
    repository: 'model',
    permissions: { checks: 'write', contents: 'read', packages: 'write', 'pull-requests': 'write' },
    events: ['pull_request'],
    does: 'checks a pull request',
  },
  'model-report': {
    repository: 'model',
    permissions: { actions: 'read', checks: 'write', 'pull-requests': 'write' },
    events: ['workflow_run'],
    does: 'posts the report of a fork',
  },
  'model-promote': {
    repository: 'model',
    permissions: { contents: 'read', packages: 'write' },
    events: ['push', 'workflow_dispatch'],
    does: 'promotes what was merged',
  },
  'model-rollback': {
    repository: 'model',
    permissions: { contents: 'read', packages: 'read' },
    events: ['workflow_dispatch'],
    does: 'rolls back',
  },
  'deploy-check': {
    repository: 'deploy',
    permissions: { contents: 'read', packages: 'read' },
    events: ['pull_request'],
    does: 'checks the promotions of the deploy repository',
  },
  'deploy-chain': {
    repository: 'deploy',
    permissions: { contents: 'read' },
    events: ['push'],
    does: 'tells model repositories that their records moved',
  },
};
