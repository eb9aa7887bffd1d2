import { ConfigurationError, canonicalJson, type GitRepository, plainText } from '@passloop/core';
import type { RunDocument } from '@passloop/documents';
import type { LoadedModel } from '@passloop/model';
import { collectOutputs, filePaths, modelDigest, readMetrics } from './outputs.ts';
import { identityOf } from './run.ts';
import { planTraining, type TrainingPlan } from './training-plan.ts';

/** A run that another job hands over isn't the one of this commit: what doesn't match, as a phrase. */
export class ForeignRun extends Error {}

type SealRequest = {
  repository: GitRepository;
  /** Full id. */
  commit: string;
  /** As loaded from that commit. */
  model: LoadedModel;
  /** The outputs as they were handed over, and nothing else. */
  outputFolder: string;
  /** What the other job says. */
  claimed: RunDocument;
  producer: { repository: string | null; ref: string | null; run: string | null };
  now: Date;
};

/** A day has 86 400 seconds; no job of a workflow lasts longer than five. */
const longestSeconds = 5 * 86_400;
const clockSkewMs = 3_600_000;

/**
 * The run of outputs that another job made. All that the commit and the files say is read from those: keys, data, params, seeds,
 * environment, trust; the outputs, their digests and sizes, the model's digest and the metrics. The producer is this job. What that job alone
 * can know is taken from it, within bounds: seconds, machine, start and end.
 * @throws ForeignRun where it says anything else than what is found, or the files are not exactly the declared outputs
 * @throws ConfigurationError where a commit has no such training
 */
export async function sealedRun(request: SealRequest): Promise<RunDocument> {
  const { repository, commit, model, outputFolder, claimed, now } = request;
  const plan = await planTraining(repository, commit, model);
  const files = await declaredFiles(plan, outputFolder);
  const outputs = files.map(({ path, digest, bytes }) => ({ path, digest, bytes }));
  const run: RunDocument = {
    schema: 'passloop/run/v1',
    ...identityOf(plan),
    cache: 'miss',
    stages: stagesOf(plan, claimed),
    outputs,
    modelDigest: modelDigest(model, outputs),
    metrics: await metricsOf(model, outputFolder),
    machine: {
      platform: plainText(claimed.machine.platform, 64),
      cpu: plainText(claimed.machine.cpu, 256),
      interpreter: claimed.machine.interpreter === null ? null : plainText(claimed.machine.interpreter, 128),
    },
    producer: {
      repository: request.producer.repository,
      commit,
      tree: await repository.treeOf(commit),
      ref: request.producer.ref,
      run: request.producer.run,
    },
    reproduction: null,
    ...timesOf(claimed, now),
  };
  const difference = firstDifference(claimed, run);
  if (difference !== null) throw new ForeignRun(difference);
  return run;
}

async function declaredFiles(plan: TrainingPlan, folder: string) {
  const declared = plan.stages.flatMap(({ stage }) => stage.outputs);
  const files = await collectOutputs(folder, declared, (message) => new ForeignRun(`its run ${message}`));
  const known = new Set(files.map((file) => file.path));
  const extra = (await filePaths(folder)).find((file) => !known.has(file));
  if (extra !== undefined)
    throw new ForeignRun(`${JSON.stringify(plainText(extra, 200))} is no output of the model file`);
  return files;
}

async function metricsOf(model: LoadedModel, folder: string): Promise<RunDocument['metrics']> {
  try {
    return await readMetrics(model, folder);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new ForeignRun(error.message.replace(/\.$/, ''));
    throw error;
  }
}

function stagesOf(plan: TrainingPlan, claimed: RunDocument): RunDocument['stages'] {
  const says = (stages: readonly { name: string; key: string }[]) =>
    canonicalJson(stages.map(({ name, key }) => [name, key]));
  const stages = plan.stages.map(({ stage, key }) => ({ name: stage.name, key }));
  if (says(stages) !== says(claimed.stages))
    throw new ForeignRun('its stages or their keys are not those of the commit');
  return stages.map((stage, index) => {
    const seconds = claimed.stages[index]?.seconds ?? '';
    if (!(Number(seconds) >= 0 && Number(seconds) <= longestSeconds))
      throw new ForeignRun(`the stage ${stage.name} took ${seconds} seconds, which can't be`);
    return { ...stage, seconds };
  });
}

function timesOf({ startedAt, finishedAt }: RunDocument, now: Date): Pick<RunDocument, 'startedAt' | 'finishedAt'> {
  const [start, end] = [Date.parse(startedAt), Date.parse(finishedAt)];
  const latest = now.getTime() + clockSkewMs;
  if (!(start <= end && end <= latest && end - start <= longestSeconds * 1000))
    throw new ForeignRun(`it ran from ${startedAt} to ${finishedAt}, which can't be`);
  return { startedAt, finishedAt };
}

/** The first thing that a run says of itself and that isn't found so; null where all is. */
function firstDifference(claimed: RunDocument, found: RunDocument): string | null {
  for (const output of found.outputs) {
    const said = claimed.outputs.find((one) => one.path === output.path);
    if (said === undefined) return `it names no output ${output.path}`;
    if (said.digest !== output.digest || said.bytes !== output.bytes) {
      return `it says that ${output.path} is ${said.digest} (${said.bytes} bytes), and the file is ${output.digest} (${output.bytes} bytes)`;
    }
  }
  if (claimed.outputs.length !== found.outputs.length) return 'it names outputs that are not there';
  for (const metric of found.metrics) {
    const said = claimed.metrics.find((one) => one.name === metric.name)?.value ?? 'nothing';
    if (said !== metric.value)
      return `it says that ${plainText(metric.name, 100)} is ${said}, and its metrics file says ${metric.value}`;
  }
  if (claimed.metrics.length !== found.metrics.length) return 'it names metrics that its metrics file has not';
  const fields = ['model', 'runKey', 'modelDigest', 'data', 'params', 'seeds', 'environment', 'trust'] as const;
  const wrong = fields.find((field) => canonicalJson(claimed[field]) !== canonicalJson(found[field]));
  if (wrong !== undefined) return `its \`${wrong}\` is not what the commit and the files give`;
  const source = ({ producer }: RunDocument) => `${producer.commit} ${producer.tree}`;
  return source(claimed) === source(found) ? null : `it is of commit ${claimed.producer.commit.slice(0, 12)}`;
}
