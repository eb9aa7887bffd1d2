import { timingSafeEqual } from 'node:crypto';
import { canonicalJson, isPassing, PassloopError, plainText, worstVerdict } from '@passloop/core';
import type {
  ComparisonDocument,
  DataReport,
  ImageDocument,
  ProbeDocument,
  ProofDocument,
  RunDocument,
} from '@passloop/documents';
import { decideOutcome, reviewComparison } from '@passloop/evaluation';
import { returnsIn } from '@passloop/gitops';
import { unpairedGates } from '@passloop/model';
import { storedRun } from '@passloop/training';
import { promotionPolicy } from './gate-policy.ts';
import { readHandOverKey } from './hand-over.ts';
import { imageKeyOf } from './image-key-of.ts';
import type { Promotion } from './promotion.ts';
import { objection, type Proof, unsoundData } from './promotion-proof.ts';
import { openProof, type ReadProof, sealOf } from './proof-folder.ts';
import { runUrl } from './recorded-run.ts';
import { lockAt } from './workspace.ts';

/**
 * Takes what another job proved, if it is about this commit, this environment, the run and the image that the store has under this
 * commit's keys, and the production that the deploy repository names now. Nothing is run, loaded or measured here.
 * @param folder with the proof's documents; null where no job made any
 */
export async function takeProof(promotion: Promotion, folder: string | null): Promise<Proof> {
  const { model, environment } = promotion;
  const what = `proof of ${model.name} in ${environment.name}`;
  if (folder === null) {
    return refuse(
      'blocked',
      `There is no ${what}: the job that proves it (action prove-model) did not finish, or didn't run in this workflow run.`,
    );
  }
  try {
    return await checkProof(promotion, await openProof(folder));
  } catch (error) {
    if (!(error instanceof WrongProof) && !(error instanceof PassloopError && error.code === 'configuration'))
      throw error;
    return refuse('blocked', `The ${what} was not taken: ${plainText(error.message, 2000).replace(/\.$/, '')}.`);
  }
}

/** What is said of a proof that isn't the one which this job may take. */
class WrongProof extends Error {}

function refuse(outcome: 'blocked' | 'superseded', reason: string): Proof {
  return { kind: 'refused', outcome, reason };
}

async function checkProof(promotion: Promotion, given: ReadProof): Promise<Proof> {
  const { proof } = given;
  await checkSeal(promotion, proof);
  checkSubject(promotion, proof);
  const moved = movedSince(promotion, proof);
  if (moved !== null) return refuse('superseded', moved);
  const reports = await checkedData(promotion, given);
  const unsound = unsoundData(reports);
  if (unsound !== null) return refuse('blocked', unsound);
  const run = await checkedRun(promotion, await given.read('run'));
  const image = await checkedImage(promotion, run, proof, await given.read('image'));
  await checkScan(promotion, given);
  const probe = checkedProbe(await given.read('probe'), image);
  if (!isPassing(probe.verdict)) return refuse('blocked', objection(probe, null) ?? 'The image failed its probe.');
  const comparison = checkedComparison(promotion, proof, run, image, await given.read('comparison'));
  const reason =
    objection(probe, comparison) ?? (isPassing(proof.verdict) ? null : (proof.reason ?? 'It does not pass.'));
  return reason === null ? { kind: 'proven', run, image, probe, comparison, data: reports } : refuse('blocked', reason);
}

/** Whoever can't read the store can't have made it: not the job that ran the repository's code. */
async function checkSeal({ store }: Promotion, proof: ProofDocument): Promise<void> {
  const key = await readHandOverKey(store);
  if (key === null)
    throw new WrongProof(`the ${store.description} has no hand-over key, so nobody can say who made it`);
  const expected = Buffer.from(sealOf(key.identity, proof));
  const found = Buffer.from(proof.seal ?? '');
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) {
    throw new WrongProof(`its seal is not that of the ${store.description}: somebody else made it`);
  }
}

function checkSubject({ context, workspace, model, environment }: Promotion, proof: ProofDocument): void {
  const here = runUrl(context);
  const facts: [string, string | null, string | null][] = [
    ['model', proof.model, model.name],
    ['commit', proof.commit, workspace.commit],
    ['environment', proof.environment, environment.name],
    ['workflow run', proof.run, here],
  ];
  const other = facts.find(([, found, wanted]) => found !== wanted);
  if (other === undefined) return;
  const [what, found, wanted] = other;
  throw new WrongProof(`it is of another ${what}: ${found ?? 'none'}, and this one is ${wanted ?? 'none'}`);
}

/** What moved since the comparison; null where production is the very record that was compared with. */
function movedSince({ environment }: Promotion, proof: ProofDocument): string | null {
  const now = environment.production;
  if ((now?.digest ?? null) === (proof.production?.record ?? null)) return null;
  const then = proof.production === null ? 'nothing was recorded' : `its record was ${proof.production.record}`;
  const is = now === null ? 'has no record any more' : `runs ${now.record.version} (record ${now.digest})`;
  return `${environment.name} moved since this was proven: ${then}, now it ${is}. The next run proves against that.`;
}

/** A report for every dataset with checks, on the data that the commit locks. */
async function checkedData({ workspace, model }: Promotion, given: ReadProof): Promise<DataReport[]> {
  const lock = await lockAt(workspace.repository, workspace.commit, model);
  const reports: DataReport[] = [];
  for (const [name, source] of Object.entries(model.data)) {
    if (source.checks.length === 0) continue;
    const report = await given.read('data-report', name);
    const locked = lock?.datasets.find((dataset) => dataset.uri === source.path);
    if (report.dataset.name !== name) throw new WrongProof(`the report of ${name} is of ${report.dataset.name}`);
    if (locked === undefined || report.dataset.digest !== locked.digest) {
      throw new WrongProof(`the report of ${name} is on other data than the commit locks`);
    }
    const drifts = source.checks.filter((check) => check.kind === 'drift').length;
    const rules = source.checks.length - drifts;
    if (report.executed === 0 || report.checks.length < rules || report.drift.length < drifts) {
      throw new WrongProof(`the report of ${name} lacks checks that the commit declares`);
    }
    const verdicts = [...report.checks, ...report.drift].map((check) => check.verdict);
    reports.push({ ...report, verdict: worstVerdict([report.verdict, ...verdicts]) });
  }
  return reports;
}

async function checkedRun({ workspace, model, store }: Promotion, run: RunDocument): Promise<RunDocument> {
  const found = await store.findRun(run.runKey);
  if (found === null) throw new WrongProof(`the ${store.description} has no run ${run.runKey}`);
  const { repository, commit } = workspace;
  const stored = await storedRun({ repository, commit, model }, found.run);
  // The metrics are read again from the run's own file by each commit, which may name another one.
  const same = (document: RunDocument) => canonicalJson({ ...document, metrics: null, cache: null });
  if (same(run) !== same(stored))
    throw new WrongProof(`its run differs from the one that the ${store.description} has`);
  return run;
}

async function checkedImage(
  { workspace, model, store }: Promotion,
  run: RunDocument,
  proof: ProofDocument,
  image: ImageDocument,
): Promise<ImageDocument> {
  const key = await imageKeyOf(workspace, model, run.modelDigest);
  const stored = key === null ? null : await store.findImage(key);
  if (stored === null || stored.digest === null) {
    throw new WrongProof(
      `the ${store.description} has no pushed image of this commit (${key ?? 'it is not packaged'})`,
    );
  }
  const identity = (one: ImageDocument) =>
    canonicalJson([one.model, one.imageKey, one.reference, one.digest, one.imageId, one.modelDigest, one.bytes]);
  if (identity(image) !== identity(stored)) throw new WrongProof('its image is not the one that was pushed');
  const about = canonicalJson([proof.runKey, proof.modelDigest, proof.imageKey, proof.imageDigest]);
  if (about !== canonicalJson([run.runKey, run.modelDigest, stored.imageKey, stored.digest])) {
    throw new WrongProof('it is about another model or image than its documents');
  }
  return stored;
}

async function checkScan({ model }: Promotion, given: ReadProof): Promise<void> {
  const scan = await given.read('scan');
  const isScanned = scan.files.some((file) => file.path === model.package?.model);
  if (!isScanned || scan.verdict !== 'pass' || scan.files.some((file) => file.verdict !== 'pass')) {
    throw new WrongProof('its scan does not pass the model file');
  }
}

/** The probe, with the verdict that its parts give. */
function checkedProbe(probe: ProbeDocument, image: ImageDocument): ProbeDocument {
  if (probe.target !== image.reference) throw new WrongProof(`it probed ${probe.target}, not ${image.reference}`);
  if (probe.executed === 0 || probe.checks.length === 0) throw new WrongProof('its probe checked nothing');
  const { predictions } = probe;
  if (predictions === null && isPassing(probe.verdict)) {
    throw new WrongProof("the image's predictions were not held against the evaluated ones");
  }
  const parts = [...probe.checks.map((check) => check.verdict), ...(predictions === null ? [] : [predictions.verdict])];
  return { ...probe, verdict: worstVerdict([probe.verdict, ...parts]) };
}

function checkedComparison(
  { model, environment }: Promotion,
  proof: ProofDocument,
  run: RunDocument,
  image: ImageDocument,
  comparison: ComparisonDocument,
): ComparisonDocument {
  const { candidate, production } = comparison;
  if (candidate.digest !== run.modelDigest || candidate.scoredBy !== 'image') {
    throw new WrongProof('its comparison is not of the predictions of this image');
  }
  const now = environment.production?.record ?? null;
  if ((production?.digest ?? null) !== (now?.modelDigest ?? null)) {
    throw new WrongProof('its comparison is with another model than the one in production');
  }
  if (proof.production !== null && proof.production.imageDigest !== now?.image.digest) {
    throw new WrongProof('it was proven against another image than the one in production');
  }
  const outcome = decideOutcome({
    candidate: { modelDigest: run.modelDigest, imageDigest: image.digest },
    production: now === null ? null : { modelDigest: now.modelDigest, imageDigest: now.image.digest },
    held: new Set(environment.holds.filter((hold) => hold.imageDigest === null).map((hold) => hold.modelDigest)),
    history: new Set(returnsIn(environment).map((version) => version.record.modelDigest)),
  });
  if (comparison.outcome !== outcome && comparison.outcome !== 'not-comparable') {
    throw new WrongProof(`its comparison says ${comparison.outcome}, and this is ${outcome}`);
  }
  const unpaired = new Set(unpairedGates(model).keys());
  const { gates, inconclusive } = promotionPolicy(model, environment.name);
  const wrong = reviewComparison(comparison, gates, inconclusive, unpaired);
  if (wrong !== null) throw new WrongProof(`its comparison does not hold: ${wrong}`);
  return comparison;
}
