import type { CompareRequest, InconclusivePolicy } from '@passloop/evaluation';
import { gatesIn, type LoadedModel, productionEnvironment } from '@passloop/model';

/** Which gates decide, and what one does that can't tell. */
export type GatePolicy = Pick<CompareRequest, 'gates' | 'inconclusive' | 'environments'>;

/** A check is decided by the model's gates. What promotions would say is shown beside it where an environment has its own. */
export function checkPolicy(model: LoadedModel): GatePolicy {
  const declared = model.deploy?.environments ?? [];
  const environments = declared.map(({ name, after, gates = [] }, index) => ({
    name,
    after: after ?? declared[index - 1]?.name ?? null,
    own: gates.map(({ metric }) => metric),
    ...promotionPolicy(model, name),
  }));
  const hasOwn = environments.some(({ own }) => own.length > 0);
  return { gates: model.gates, inconclusive: 'warn', environments: hasOwn ? environments : [] };
}

/** A promotion is decided by the gates as they are in its environment. */
export function promotionPolicy(model: LoadedModel, environment: string): GatePolicy {
  return { gates: gatesIn(model, environment), inconclusive: inconclusiveIn(model, environment) };
}

/** An inconclusive gate warns on the way, and blocks the last environment. */
function inconclusiveIn(model: LoadedModel, environment: string): InconclusivePolicy {
  return productionEnvironment(model)?.name === environment ? 'block' : 'warn';
}
