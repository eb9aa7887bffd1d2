import { ConfigurationError } from '@passloop/core';
import type { PromotionDocument } from '@passloop/documents';
import type { CandidateRecord } from '@passloop/record';
import { type MergePolicy, performChange, type Refusal, type RetryPorts } from './apply-change.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import type { DeployChange } from './deploy-change.ts';
import {
  type DeployQuery,
  type DeployState,
  type EnvironmentState,
  environmentOf,
  readDeployState,
} from './deploy-state.ts';
import type { Forge } from './forge.ts';
import { holdAgainst } from './holds.ts';
import { promotionBranch } from './paths.ts';
import { listedFiles, openRollback, type PromotionPlan } from './promotion.ts';
import { promotionDocument } from './promotion-document.ts';
import { promotionText } from './pull-request-text.ts';
import { changeRecord, isLanded } from './record-change.ts';
import { versionsOf } from './record-history.ts';
import { carriesImage, requireTargets, targetAddress } from './targets.ts';

/** What is known of the model that runs already; all the rest of its record is empty, and says so by being null. */
export type AdoptRequest = {
  environment: string;
  modelDigest: string;
  version: string;
  /** The image's name without a digest, such as ghcr.io/acme/flight. */
  repository: string;
  /** The digest of what runs; needed where the manifest names it by tag only, and compared where it doesn't. */
  imageDigest: string | null;
  /** What else is known: the run that made it, its metrics. */
  known: Partial<
    Pick<
      CandidateRecord,
      | 'runKey'
      | 'source'
      | 'data'
      | 'params'
      | 'seeds'
      | 'environment'
      | 'code'
      | 'metrics'
      | 'evaluation'
      | 'predictionsDigest'
    >
  > & {
    imageKey?: string | null;
  };
  /** ISO 8601, UTC. */
  at: string;
};

/**
 * The commit that writes a first record for what runs already; where a record is there and the manifests have moved on
 * (`drifted`), a record of what runs now, which follows it. Nothing but a tag without digest is changed in a manifest.
 * @throws ConfigurationError where the manifests don't agree on one image, or name it by tag only
 */
export function planAdoption(state: DeployState, request: AdoptRequest): PromotionPlan | Refusal {
  const environment = environmentOf(state, request.environment);
  const digest = runningDigest(environment, request.imageDigest);
  const { production } = environment;
  const isRecorded = production?.record.image.digest === digest && environment.drift.length === 0;
  if (isRecorded && environment.problem === null) {
    return {
      kind: 'refused',
      outcome: 'already-promoted',
      reason: `${environment.name} has a record of what it runs: ${production?.record.version}.`,
    };
  }
  const open = openRollback(environment);
  if (open !== null) return open;
  const candidate = adoptedRecord(state, request, digest);
  const query = { modelDigest: candidate.modelDigest, imageDigest: digest, runKey: candidate.runKey };
  const hold = holdAgainst(query, environment.name, environment.holds, versionsOf(environment.history));
  if (hold !== null) {
    return {
      kind: 'refused',
      outcome: 'held',
      reason: `What runs is held: ${hold.reason} Revert the change that brought it.`,
    };
  }
  const { record, recordDigest, editor } = changeRecord(state, environment, candidate, {
    cause: 'adopt',
    at: request.at,
  });
  const files = editor.files();
  const headline = `adopt(${record.model}/${environment.name}): ${record.version}`;
  const text = promotionText(
    record,
    { comparison: null, changes: null, facts: ['adopted as it runs'], previousImage: null },
    listedFiles(files),
  );
  const change: DeployChange = {
    branch: promotionBranch(state.model, environment.name),
    files,
    message: commitMessage(headline, ['A record of what runs already.'], promotionTrailers(record, null)),
    text: { ...text, title: `adopt(${record.model} → ${environment.name}): ${record.version}`.slice(0, 255) },
  };
  return {
    kind: 'change',
    change,
    record,
    recordDigest,
    what: production === null ? 'first' : 'not-comparable',
  };
}

function runningDigest(environment: EnvironmentState, given: string | null): string {
  const digests = new Set<string>();
  requireTargets(environment.targets);
  const named = environment.targets.filter(({ target, hidden }) => carriesImage(target) && hidden !== true);
  if (named.length === 0 && given !== null) return given;
  for (const { target, digest, tag } of named) {
    const running = digest ?? given;
    if (running === null) {
      throw new ConfigurationError(
        `${target.file} names ${targetAddress(target)} ${tag === null ? 'without tag or digest' : `by tag only (${tag})`}.`,
        {
          file: target.file,
          hint: 'Say which image runs: --image-digest sha256:… (the digest that the cluster pulled).',
        },
      );
    }
    if (given !== null && running !== given) {
      throw new ConfigurationError(`${target.file} runs ${running}, not ${given}.`, { file: target.file });
    }
    digests.add(running);
  }
  const [digest, other] = digests;
  if (digest === undefined)
    throw new ConfigurationError(`No target of ${environment.name} names an image now.`, {
      hint: 'Say which image runs: --image-digest sha256:… (the digest that the cluster pulled).',
    });
  if (other !== undefined) {
    throw new ConfigurationError(
      `The targets of ${environment.name} run different images: ${[...digests].join(', ')}.`,
      {
        hint: 'One record names one image: bring the manifests to the same digest first.',
      },
    );
  }
  return digest;
}

function adoptedRecord(state: DeployState, request: AdoptRequest, digest: string): CandidateRecord {
  const { known } = request;
  return {
    schema: 'passloop/record/v1',
    identity: state.identity,
    model: state.model,
    version: request.version,
    modelDigest: request.modelDigest,
    image: { reference: `${request.repository}@${digest}`, digest, imageKey: known.imageKey ?? null, bytes: null },
    runKey: known.runKey ?? null,
    source: known.source ?? null,
    data: known.data ?? [],
    params: known.params ?? [],
    seeds: known.seeds ?? [],
    environment: known.environment ?? null,
    code: known.code ?? [],
    metrics: known.metrics ?? [],
    evaluation: known.evaluation ?? null,
    predictionsDigest: known.predictionsDigest ?? null,
    gates: [],
    overrides: [],
    comparedWith: null,
    reproduction: null,
    trust: 'none',
  };
}

/** Adopts. Can be killed anywhere and run again. @throws ConfigurationError, InfrastructureError */
export async function adopt(
  forge: Forge,
  query: DeployQuery,
  request: AdoptRequest,
  options: { merge: MergePolicy; ports: RetryPorts },
): Promise<PromotionDocument> {
  const performed = await performChange<DeployState, PromotionPlan>(forge, {
    read: () => readDeployState(forge, query),
    plan: async (state) => planAdoption(state, request),
    hasLanded: (state, plan) => isLanded(environmentOf(state, request.environment), plan.record),
    merge: options.merge,
    ports: options.ports,
  });
  return promotionDocument(query.model, request.environment, performed);
}
