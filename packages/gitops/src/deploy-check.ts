import { isDigest, PassloopError, plainText, shortDigest } from '@passloop/core';
import { type DeployCheckDocument, type DeployFinding, isWeight, type RecordedTarget } from '@passloop/documents';
import type { StoredRecord } from '@passloop/record';
import { finding, isRecord, recordFindings, returnedTo, type Subject, stateAtBase } from './deploy-record-check.ts';
import { isTakenBy } from './deploy-state.ts';
import { type DeployDiff, type DeployPlace, type DeployTree, lineOf, recordIn, recordPlaces } from './deploy-tree.ts';
import { readHolds } from './holds.ts';
import { lintChange } from './lint/lint.ts';
import { holdsFolder, promotionBranch, stateFolder } from './paths.ts';
import { readTarget, type TargetState, targetOf } from './targets.ts';

/** An image that a changed record names: whether it exists, its registry must say. */
export type NamedImage = { file: string; line: number | null; reference: string };

export type DeployJudgement = {
  records: DeployCheckDocument['records'];
  findings: DeployFinding[];
  images: NamedImage[];
};

/**
 * Judges a change of a deploy repository, whoever made it: records verify and follow the ones that they replace, manifests carry what
 * their record says, nothing held comes in, and a promotion's branch carries one promotion. A revert by hand is a rollback, and is named as one.
 */
export function checkDeployChange(diff: DeployDiff): DeployJudgement {
  const judgement: DeployJudgement = { records: [], findings: [], images: [] };
  const changed = new Set(diff.changed);
  const places = recordPlaces(new Set([...diff.base.files.keys(), ...diff.head.files.keys()]));
  const touched: DeployPlace[] = [];
  for (const place of places) {
    const before = recordIn(diff.base, place);
    const after = recordIn(diff.head, place);
    const targets = [before, after].flatMap((one) => (isRecord(one) ? one.record.deployment.targets : []));
    const isChanged = changed.has(place.file);
    if (isChanged) touched.push(place);
    if (!isChanged && !targets.some((target) => changed.has(target.file))) continue;
    judgePlace({ diff, place, before, after, isChanged }, judgement);
  }
  judgement.findings.push(...holdFindings(diff), ...branchFindings(diff, touched), ...manifestLint(diff, places));
  return judgement;
}

function judgePlace(subject: Subject, { records, findings, images }: DeployJudgement): void {
  const { place, after, isChanged, diff } = subject;
  const entry = (change: DeployCheckDocument['records'][number]['change']) => {
    if (isChanged) records.push({ ...place, change });
  };
  if (after === null) {
    entry('removed');
    findings.push(...removalFindings(subject));
    return;
  }
  if (after instanceof PassloopError) {
    entry('unreadable');
    // What was broken before is not this change's to answer for.
    if (isChanged) findings.push(unreadable(place, after));
    return;
  }
  const text = diff.head.files.get(place.file)?.text ?? null;
  if (isChanged) {
    const state = stateAtBase(subject, after, findings);
    const isReturn = state !== null && returnedTo(state, after) !== null;
    entry(isReturn ? 'rollback' : after.record.deployment.cause);
    if (state !== null) findings.push(...recordFindings(subject, after, state));
    const { reference } = after.record.image;
    images.push({ file: place.file, line: lineOf(text, reference), reference });
  }
  findings.push(...manifestFindings(subject, after));
}

function unreadable(place: DeployPlace, error: PassloopError): DeployFinding {
  const rule = /promotion id/.test(error.message) ? 'promotion-id' : 'record';
  const hint = error.hint === null ? '' : ` ${error.hint}`;
  return finding(rule, place.file, error.line ?? 1, `${error.message}${hint}`);
}

/** Each target of a record carries its image, in the tree that would be merged. */
function manifestFindings(subject: Subject, { record }: StoredRecord): DeployFinding[] {
  const { diff, place, isChanged } = subject;
  const findings = droppedFindings(subject, record.deployment.targets);
  for (const target of record.deployment.targets) {
    if (!isChanged && !diff.changed.includes(target.file)) continue;
    const state = readAt(diff.head, target);
    const { value, digest, tag, problem } = state;
    if (problem !== null) {
      findings.push(finding('manifest', target.file, 1, problem));
      continue;
    }
    if (value === target.value || (!isChanged && isTaken(subject, state))) continue;
    const found = digest ?? tag;
    const text = diff.head.files.get(target.file)?.text;
    const line = lineOf(text, found) ?? lineOf(text, target.address) ?? 1;
    const runs = value === null && tag !== null ? `the tag ${tag}` : namedValue(value, 'no image that can be read');
    if (isChanged) {
      const message = `It names ${runs} for ${target.address}, and its record (${place.file}) says ${namedValue(target.value)}.`;
      findings.push(finding('manifest', target.file, line, message));
    } else {
      const isOld = readAt(diff.base, target).value === value;
      const message = `${isOld ? 'It has drifted' : 'This edits what runs without its record'}: it names ${runs} for ${target.address}, and ${place.file} says ${namedValue(target.value)}. \`passloop adopt\` records what runs; a promotion changes both in one commit.`;
      findings.push(finding('unrecorded-edit', target.file, line, message, isOld ? 'warn' : 'fail'));
    }
  }
  return findings;
}

/** A target that the record doesn't name any more must not change with it: nothing would tell where that image comes from. */
function droppedFindings({ diff, place, before }: Subject, kept: readonly RecordedTarget[]): DeployFinding[] {
  if (!isRecord(before)) return [];
  const isKept = (one: RecordedTarget) =>
    kept.some(({ file, address }) => file === one.file && address === one.address);
  return before.record.deployment.targets
    .filter((target) => !isKept(target) && diff.changed.includes(target.file))
    .flatMap((target) => {
      const { value, digest, tag } = readAt(diff.head, target);
      if (value === readAt(diff.base, target).value || (value ?? tag) === null) return [];
      const text = diff.head.files.get(target.file)?.text;
      const line = lineOf(text, digest ?? tag) ?? 1;
      const message = `This edits ${target.address}, which ${place.file} names in the base and no longer after it.`;
      return [finding('unrecorded-edit', target.file, line, message)];
    });
}

/** True where the other slot of the same service is in another record of that model, which is judged by itself. */
function isTaken({ diff, place }: Subject, state: ReadTarget): boolean {
  const elsewhere = recordPlaces(diff.head.files.keys())
    .filter((other) => other.model === place.model && other.environment !== place.environment)
    .flatMap((other) => {
      const found = recordIn(diff.head, other);
      return isRecord(found) ? found.record.deployment.targets : [];
    });
  return state.target !== null && isTakenBy({ ...state, target: state.target }, elsewhere);
}

/** A digest in short; a share of the traffic as it is. */
function namedValue(value: string | null, none = 'nothing'): string {
  if (value === null) return none;
  return isDigest(value) ? shortDigest(value) : plainText(value, 120);
}

type ReadTarget = Omit<TargetState, 'target' | 'file' | 'pulls'> & { target: TargetState['target'] | null };

function readAt(tree: DeployTree, recorded: RecordedTarget): ReadTarget {
  try {
    return readTarget(targetOf(recorded), tree.files.get(recorded.file) ?? null);
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return { target: null, value: null, digest: null, tag: null, problem: error.message };
  }
}

/** Taking a record away is the way back from a first promotion; else it hides what runs. */
function removalFindings({ diff, place, before }: Subject): DeployFinding[] {
  if (!isRecord(before)) return [];
  const { record } = before;
  const { cause, previous, targets } = record.deployment;
  const running = targets.filter((target) => !isWeight(target) && readAt(diff.head, target).digest === target.value);
  const [still] = running;
  if (still !== undefined) {
    const line = lineOf(diff.head.files.get(still.file)?.text, still.value) ?? 1;
    const message = `It still runs the image of ${place.file}, which this change takes away: nothing would tell any more where it comes from.`;
    return [finding('unrecorded-edit', still.file, line, message)];
  }
  if (cause === 'promotion' && previous === null) {
    const message = `A rollback by hand: the first promotion of ${place.model} in ${place.environment} is taken back; ${record.version} is held from then on.`;
    return [finding('rollback', place.file, null, message, 'pass')];
  }
  return [
    finding(
      'record',
      place.file,
      null,
      `The record of ${place.model} in ${place.environment} can't be taken away: it has a history. \`passloop rollback\` goes back in it.`,
    ),
  ];
}

/** What the manifests that a record names say otherwise than they read, where the change touches one of them. */
function manifestLint({ base, head, changed }: DeployDiff, places: readonly DeployPlace[]): DeployFinding[] {
  const found = new Map<string, DeployFinding>();
  for (const place of places) {
    const stored = recordIn(head, place);
    if (!isRecord(stored)) continue;
    const files = [...new Set(stored.record.deployment.targets.map(({ file }) => file))];
    if (!files.some((file) => changed.includes(file))) continue;
    const textsIn = (tree: DeployTree) =>
      files.flatMap((file) => {
        const text = tree.files.get(file)?.text;
        return text == null ? [] : [{ file, text }];
      });
    for (const { file, line, message, hint, verdict, before } of lintChange(textsIn(base), textsIn(head))) {
      // What is only worth knowing is told once; what is wrong, as long as somebody works on that file.
      if (before === 'warn' || (verdict === 'warn' && !changed.includes(file))) continue;
      const one = finding('lint', file, line, hint === null ? message : `${message} ${hint}`, verdict);
      found.set(JSON.stringify(one), one);
    }
  }
  return [...found.values()];
}

/** Every hold of a model whose holds change must be one that can be read. */
function holdFindings({ changed, head }: DeployDiff): DeployFinding[] {
  const findings: DeployFinding[] = [];
  const prefix = `${stateFolder}/holds/`;
  for (const file of changed) {
    const [model = '', ...rest] = file.startsWith(prefix) ? file.slice(prefix.length).split('/') : [];
    const found = head.files.get(file);
    if (rest.length !== 1 || found === undefined) continue;
    try {
      if (file !== `${holdsFolder(model)}/${rest[0]}`) continue;
      readHolds([found], model);
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
      findings.push(
        finding('hold', file, error.line ?? 1, `${error.message}${error.hint === null ? '' : ` ${error.hint}`}`),
      );
    }
  }
  return findings;
}

/** A promotion's branch carries its one promotion: the record, its manifests, the model's holds. */
function branchFindings(diff: DeployDiff, touched: readonly DeployPlace[]): DeployFinding[] {
  const { branch, changed, head, base } = diff;
  if (branch === null || !branch.startsWith('promote/')) return [];
  const own = recordPlaces([...base.files.keys(), ...head.files.keys()]).find(
    (place) => promotionBranch(place.model, place.environment) === branch,
  );
  if (own === undefined) {
    return touched.map((place) =>
      finding('several-models', place.file, 1, `The branch ${branch} is for another promotion.`),
    );
  }
  const allowed = new Set([own.file]);
  for (const tree of [base, head]) {
    const found = recordIn(tree, own);
    if (isRecord(found)) for (const target of found.record.deployment.targets) allowed.add(target.file);
  }
  const records = new Set(touched.map((place) => place.file));
  const findings: DeployFinding[] = [];
  for (const file of changed) {
    if (allowed.has(file) || file.startsWith(`${holdsFolder(own.model)}/`)) continue;
    const isOther = records.has(file);
    const message = isOther
      ? `The branch ${branch} carries one promotion; this record is of another. Each has a branch and a pull request of its own.`
      : `The branch ${branch} carries one promotion; this file is no part of it. Change it in a pull request of its own.`;
    findings.push(finding(isOther ? 'several-models' : 'foreign-file', file, 1, message));
  }
  return findings;
}
