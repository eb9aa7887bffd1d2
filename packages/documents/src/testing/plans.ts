import type { PlannedModel } from '../plan.ts';

/** A model that a plan found affected. */
export function createPlannedModel(name: string, overrides: Partial<PlannedModel> = {}): PlannedModel {
  return {
    name,
    file: 'passloop.yaml',
    affected: true,
    reason: 'its run key differs',
    runKey: `rk1-${'5'.repeat(64)}`,
    store: 'miss',
    policy: { source: 'base', ref: 'main', digest: `sha256:${'a'.repeat(64)}`, differences: [] },
    ...overrides,
  };
}
