import { count, plainText } from '@passloop/core';
import { fromRoot, lockFileName } from '@passloop/model';
import type { DatasetFact, Facts, ModelFileFact, PackageFact } from './facts.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';
import { shellWord } from './shell-word.ts';
import { unanswered } from './unanswered.ts';

/** The model file, its locks, profiles and data. */
export function judgeModels(facts: Pick<Facts, 'modelFile' | 'datasets'>): Finding[] {
  return [judgeModelFile(facts.modelFile), ...facts.datasets.flatMap(judgeDataset)];
}

function judgeModelFile(fact: ModelFileFact): Finding {
  const place = { id: 'model-file' };
  switch (fact.state) {
    case 'absent':
      return fail(place, 'No passloop.yaml is in this commit.', 'passloop init, then commit what it wrote');
    case 'wrong':
      return fail(place, fact.message, fact.hint ?? 'Mend the line, and commit it.');
    case 'valid': {
      const files = [...new Set(fact.models.map((model) => model.file))];
      const names = fact.models.map((model) => model.name).join(', ');
      return ok(place, `${files.join(', ')}: ${names}.`);
    }
  }
}

function judgeDataset(fact: DatasetFact): Finding[] {
  const subject = `${fact.model.name}/${fact.name}`;
  return [judgeLock(fact, subject), judgeData(fact, subject), ...judgeProfile(fact, subject)];
}

function judgeLock(fact: DatasetFact, subject: string): Finding {
  const place = { id: 'lock', subject };
  const file = fromRoot(fact.model, lockFileName);
  const command = inFolder(fact, `passloop data lock && git add ${lockFileName} && git commit -m "Lock the data"`);
  switch (fact.lock.state) {
    case 'absent':
      return fail(place, `${file} has no entry for ${plainText(fact.uri)}.`, command);
    case 'wrong':
      return fail(place, fact.lock.said, command);
    case 'stale':
      return fail(place, fact.lock.said, `If the change is meant: ${command}. Otherwise restore the data.`);
    case 'fresh':
      return ok(place, `${file} says what ${plainText(fact.uri)} is.`);
  }
}

function judgeData(fact: DatasetFact, subject: string): Finding {
  const place = { id: 'data', subject };
  if (fact.remote) {
    return ok(place, `${plainText(fact.uri)} is remote: not asked here; whatever reads it fetches and verifies it.`);
  }
  if (!fact.data.readable) {
    return fail(place, fact.data.said, fact.data.hint ?? 'Fetch the data (git lfs pull, dvc pull), or mend `path`.');
  }
  return ok(place, `${plainText(fact.uri)} can be read: ${count(fact.data.bytes)} bytes.`);
}

function judgeProfile(fact: DatasetFact, subject: string): Finding[] {
  const place = { id: 'profile', subject };
  if (fact.profile.state === 'none') return [];
  if (fact.profile.state === 'valid') return [ok(place, 'Its profile is committed.')];
  const command = inFolder(fact, `passloop data profile && git add -- ${shellWord(plainText(fact.profile.file))}`);
  return [fail(place, fact.profile.said, command)];
}

function inFolder(fact: DatasetFact, command: string): string {
  return fact.model.folder === '' ? command : `cd ${shellWord(plainText(fact.model.folder))} && ${command}`;
}

/** The store's place, and what the credentials at hand may do with the packages that the model file names. */
export function judgePackages(facts: Pick<Facts, 'modelFile' | 'packages' | 'workflows' | 'name'>): Finding[] {
  if (facts.modelFile.state !== 'valid') return [];
  const findings: Finding[] = [];
  const inWorkflow = facts.workflows.some((file) => file.callers.length > 0);
  for (const model of facts.modelFile.models) {
    const place = { id: 'store-place', subject: model.name };
    if ('oci' in model.store) {
      findings.push(ok(place, `Runs are kept in ${model.store.oci}.`));
      continue;
    }
    const said = `${model.file}:${model.lineOf(['store'])}: the store of ${model.name} is the folder ${plainText(model.store.directory)}`;
    const fix = `store: {oci: ${storeOf(model.package?.repository, facts.name, model.name)}}`;
    findings.push(
      inWorkflow
        ? fail(place, `${said}, which doesn't outlive the job of a workflow.`, fix)
        : warn(place, `${said}: good on one machine, lost with the job in a workflow.`, fix),
    );
  }
  return [...findings, ...facts.packages.flatMap(judgePackage)];
}

function storeOf(image: string | undefined, name: string | null, model: string): string {
  if (image !== undefined) return `${image}-runs`;
  const owner = name?.split('/')[0]?.toLowerCase() ?? 'OWNER';
  return `ghcr.io/${owner}/${model}-runs`;
}

function judgePackage(fact: PackageFact): Finding[] {
  const place = { id: `${fact.purpose}-access`, subject: fact.repository };
  const { access } = fact;
  const login = fact.hasCredentials
    ? `docker login ${fact.host} with an account that may, or give this one the right`
    : `docker login ${fact.host}`;
  const findings: Finding[] = [];
  if (access.state === 'unanswered') {
    findings.push(
      fail(place, `${fact.host} can't be reached: ${access.said}.`, `Check the name, the network, and: ${login}`),
    );
  } else if (access.read === 'denied') {
    findings.push(
      fail(
        place,
        `${fact.host} doesn't let these credentials read ${fact.repository}${said(access.said)}.`,
        `${login}; in a workflow: permissions: {packages: read}, and the package must list this repository.`,
      ),
    );
  } else if (access.write === 'denied') {
    findings.push(
      warn(
        place,
        `These credentials read ${fact.repository}, and may not write it${said(access.said)}. Workflows write it with the job's token.`,
        `To write from here: ${login}; in a workflow: permissions: {packages: write}`,
      ),
    );
  } else if (access.write === 'granted' || fact.scopes?.includes('write:packages') === true) {
    findings.push(ok(place, `${fact.repository} can be read and written.`));
  } else {
    findings.push(
      unknown(
        place,
        `${fact.repository} can be ${access.read === 'granted' ? 'read' : 'reached'}; whether it can be written, ${fact.host} tells only those who try.`,
        `A classic token tells by its scopes: it needs \`write:packages\`. In a workflow: permissions: {packages: write}`,
      ),
    );
  }
  return fact.listing === null ? findings : [...findings, ...judgeListing(fact, fact.listing)];
}

function said(text: string): string {
  return text === '' ? '' : ` (${text})`;
}

/** A store holds predictions and labels: who may read the package may read those. */
function judgeListing(fact: PackageFact, listing: NonNullable<PackageFact['listing']>): Finding[] {
  if (fact.purpose !== 'store') return [];
  const place = { id: 'store-private', subject: fact.repository };
  const open = unanswered(place, `the package ${fact.repository}`, listing);
  if (open !== null) return [open];
  if (listing.state !== 'found') {
    return [ok(place, `${fact.repository} isn't there yet; the first run makes it, as private as its repository.`)];
  }
  if (listing.value.visibility === 'public') {
    return [
      fail(
        place,
        `${fact.repository} is public: everybody may read the labels and predictions in it.`,
        'Change its visibility under "Package settings" of the package.',
      ),
    ];
  }
  return [ok(place, `${fact.repository} is ${listing.value.visibility}.`)];
}
