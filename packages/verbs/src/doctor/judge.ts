import type { DiagnosisDocument } from '@passloop/documents';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { judgeDeploys } from './judge-deploy.ts';
import { judgeMachine } from './judge-machine.ts';
import { judgeModels, judgePackages } from './judge-models.ts';
import { judgeOwners } from './judge-owners.ts';
import { judgeSettings } from './judge-settings.ts';
import { judgeWorkflows } from './judge-workflows.ts';
import type { SuiteWorkflowName } from './suite-workflow.ts';

/** Facts -> diagnosis, in the order in which a person mends things: files first, then settings, then other repositories. */
export function diagnose(facts: Facts): DiagnosisDocument {
  const { settings, role } = facts;
  const isModel = role === 'model';
  const workflows = judgeWorkflows({
    repository: facts.name,
    role,
    files: facts.workflows,
    wanted: wantedWorkflows(facts),
    mergeQueue: settings?.rules.state === 'found' && settings.rules.value.mergeQueue,
    defaultBranch: settings?.repository.state === 'found' ? settings.repository.value.defaultBranch : null,
  });
  const checks: Finding[] = [
    ...(isModel ? [...judgeModels(facts), ...judgePackages(facts)] : []),
    ...workflows,
    judgeOwners(facts),
    ...judgeMachine(facts),
    ...judgeSettings(facts),
    ...judgeDeploys(facts),
  ];
  return {
    schema: 'passloop/diagnosis/v1',
    repository: facts.name,
    commit: facts.commit,
    verdict: verdictOf(checks),
    checks,
  };
}

function wantedWorkflows({ role, modelFile }: Facts): SuiteWorkflowName[] {
  if (role === 'deploy') return ['deploy-check'];
  const models = modelFile.state === 'valid' ? modelFile.models : [];
  const deploys = models.some((model) => model.deploy !== undefined);
  return ['model-check', 'model-report', ...(deploys ? (['model-promote', 'model-rollback'] as const) : [])];
}

function verdictOf(checks: readonly Finding[]): 'pass' | 'warn' | 'fail' {
  if (checks.length === 0 || checks.some((check) => check.verdict === 'fail')) return 'fail';
  return checks.every((check) => check.verdict === 'ok') ? 'pass' : 'warn';
}
