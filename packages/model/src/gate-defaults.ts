import { z } from 'zod';
import { clockMetrics } from './metric-catalog.ts';

const Models = z.looseObject({ models: z.array(z.unknown()) });
const WithGates = z.looseObject({ gates: z.array(z.unknown()) });
const WithEnvironments = z.looseObject({ deploy: z.looseObject({ environments: z.array(z.unknown()) }) });
const ClockGate = z.looseObject({ metric: z.enum(clockMetrics), severity: z.undefined().optional() });

/**
 * A model file's value in which a gate on what a clock measures warns, unless the team says otherwise: the next run would measure something else.
 * What isn't as it should be is left for the schema to refuse.
 */
export function withGateDefaults(value: unknown): unknown {
  const file = Models.safeParse(value).data;
  if (file === undefined) return value;
  return { ...file, models: file.models.map(withDefaultsOfModel) };
}

function withDefaultsOfModel(model: unknown): unknown {
  const own = withDefaultsOfGates(model);
  const written = WithEnvironments.safeParse(own).data;
  if (written === undefined) return own;
  return {
    ...written,
    deploy: { ...written.deploy, environments: written.deploy.environments.map(withDefaultsOfGates) },
  };
}

function withDefaultsOfGates(holder: unknown): unknown {
  const written = WithGates.safeParse(holder).data;
  if (written === undefined) return holder;
  const gates = written.gates.map((gate) =>
    ClockGate.safeParse(gate).success ? { ...(gate as object), severity: 'warn' } : gate,
  );
  return { ...written, gates };
}
