import type { Verdict } from '@passloop/core';
import type { Change, MissingPart, ModelReport, PlannedModel } from '@passloop/documents';
import { explainKeys } from '@passloop/training';
import type { PlannedCheck } from './plan.ts';

/** A model's report while its parts come together, before anything is judged. */
export type Parts = Omit<ModelReport, 'verdict' | 'reasons'>;

/** The report of a model of which nothing has run. */
export function nothingOf(planned: PlannedModel): Parts {
  return {
    name: planned.name,
    affected: planned.affected,
    outcome: null,
    runKey: planned.runKey,
    policy: planned.policy,
    changes: [],
    production: null,
    data: [],
    run: null,
    image: null,
    scan: null,
    probe: null,
    comparison: null,
    missing: [],
  };
}

export function untouched(check: PlannedCheck): Parts {
  return nothingOf(check.planned);
}

/** The report of an affected model at its beginning. */
export function begun(check: PlannedCheck): Parts {
  const parts = { ...untouched(check), changes: changesOf(check) };
  return check.isRemoved
    ? withMissing(parts, notReached(['run', 'comparison'], 'the change removes the model'))
    : parts;
}

function changesOf(check: PlannedCheck): Change[] {
  return check.key === null || check.baseKey === null ? [] : explainKeys(check.baseKey, check.key);
}

export function withMissing(parts: Parts, missing: readonly MissingPart[]): Parts {
  return { ...parts, missing: [...parts.missing, ...missing] };
}

export function notReached(
  parts: readonly MissingPart['part'][],
  why: string,
  verdict: Verdict = 'skipped',
): MissingPart[] {
  return parts.map((part) => ({ part, verdict, reason: `${part} was not run: ${why}.` }));
}

/** What is deployed must be held against production by something, and a gate that never ran is no pass. */
export function unprovenVerdict(model: PlannedCheck['model']): Verdict {
  return model.deploy === undefined && model.gates.length === 0 ? 'skipped' : 'fail';
}

/** Nothing can be proven of a model that says neither on which rows it is measured nor where its predictions are. */
export function notEvaluated(model: PlannedCheck['model']): MissingPart[] {
  return notReached(['image', 'comparison'], 'the model file has no `evaluate` section', unprovenVerdict(model));
}
