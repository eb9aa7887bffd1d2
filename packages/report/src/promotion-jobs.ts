import { codeSpan, escapeMarkdown, plainText, shortDigest } from '@passloop/core';
import type {
  DeployChainDocument,
  DeployCheckDocument,
  PromotionPlanDocument,
  ProofDocument,
} from '@passloop/documents';
import { section, summaryTable } from './step-summary.ts';
import { mark, table } from './terminal.ts';

/** What the jobs of a promotion, and the checks of a deploy repository, say of their documents. */

export function planPromotionSentence({ models }: PromotionPlanDocument): string {
  const work = models.filter(({ needs }) => needs !== 'nothing');
  const [only] = models;
  if (work.length === 0 && models.length === 1 && only !== undefined) {
    return plainText(`${only.outcome}: ${only.name} in ${only.environment}: ${only.reason ?? ''}`, 800);
  }
  if (work.length === 0) return `Nothing is to be promoted of ${models.length} models.`;
  const names = work.slice(0, 5).map(({ name, environment, needs }) => `${name} to ${environment} (${needs})`);
  return `${names.join(', ')}${work.length > 5 ? ` and ${work.length - 5} more` : ''}.`;
}

export function planPromotionSummary(document: PromotionPlanDocument): string {
  return section(document.verdict, escapeMarkdown(planPromotionSentence(document), 800), [
    summaryTable(
      ['| model | environment | needs | outcome | |', '|---|---|---|---|---|'],
      document.models.map(
        ({ name, environment, needs, outcome, reason }) =>
          `| ${codeSpan(name)} | ${codeSpan(environment)} | ${needs} | ${outcome} | ${escapeMarkdown(reason ?? '', 500)} |`,
      ),
    ),
  ]);
}

export function printPromotionPlan(document: PromotionPlanDocument): string {
  const rows = document.models.map(({ name, environment, needs, outcome, reason }) => [
    name,
    environment,
    needs,
    outcome,
    plainText(reason ?? '', 200),
  ]);
  return table([['model', 'environment', 'needs', 'outcome', ''], ...rows]);
}

export function proofSentence({ model, environment, verdict, reason }: ProofDocument): string {
  if (reason !== null) return plainText(`${model} may not go to ${environment}: ${reason}`, 800);
  return `${model} ${verdict === 'warn' ? 'may go, with a warning,' : 'may go'} to ${environment}.`;
}

export function proofSummary(proof: ProofDocument): string {
  const { production } = proof;
  return section(proof.verdict, escapeMarkdown(proofSentence(proof), 800), [
    [
      `Model ${codeSpan(shortDigest(proof.modelDigest))} in image ${codeSpan(shortDigest(proof.imageDigest))}, against ${
        production === null ? 'no production' : `production ${codeSpan(shortDigest(production.modelDigest))}`
      }.`,
    ],
  ]);
}

export function printProof(proof: ProofDocument): string {
  const files = proof.files.map(({ path, digest }) => [path, shortDigest(digest)]);
  return `${mark(proof.verdict)} ${proofSentence(proof)}\n${table(files)}`;
}

export function deployCheckSentence({ findings, records }: DeployCheckDocument): string {
  const failing = findings.filter(({ verdict }) => verdict === 'fail');
  const [first] = failing;
  if (first !== undefined) {
    const more = failing.length > 1 ? ` ${failing.length - 1} more.` : '';
    return plainText(`${first.file}: ${first.message}${more}`, 800);
  }
  if (records.length === 0) return 'No record changes, and every manifest that changes carries what its record says.';
  const said = records.slice(0, 5).map(({ change, model, environment }) => `${change} of ${model} in ${environment}`);
  return `${said.join(', ')}${records.length > 5 ? ` and ${records.length - 5} more` : ''}: records and manifests agree.`;
}

export function deployCheckSummary(document: DeployCheckDocument): string {
  const { findings } = document;
  return section(document.verdict, escapeMarkdown(deployCheckSentence(document), 800), [
    findings.length === 0
      ? []
      : summaryTable(
          ['| rule | verdict | file | |', '|---|---|---|---|'],
          findings.map(
            ({ rule, verdict, file, line, message }) =>
              `| ${rule} | ${verdict} | ${codeSpan(line === null ? file : `${file}:${line}`, 200)} | ${escapeMarkdown(message, 1000)} |`,
          ),
        ),
  ]);
}

/** A line a finding; what fails is said there alone. */
export function printDeployCheck(document: DeployCheckDocument): string {
  const failing = document.findings.filter(({ verdict }) => verdict === 'fail').length;
  const sentence =
    failing === 0 ? deployCheckSentence(document) : `${failing} ${failing === 1 ? 'finding fails' : 'findings fail'}.`;
  const lines = document.findings.map(
    ({ verdict, file, line, message }) =>
      `${mark(verdict)} ${plainText(line === null ? file : `${file}:${line}`, 300)}: ${plainText(message, 2000)}`,
  );
  return [`${mark(document.verdict)} ${sentence}`, ...lines].join('\n');
}

export function deployChainSentence(document: DeployChainDocument): string {
  const [first] = document.failed;
  if (first === undefined) return `${toldModels(document)}.`;
  return plainText(`${toldModels(document)}: ${first.repository ?? first.file}: ${first.reason}`, 800);
}

function toldModels({ dispatched, failed }: DeployChainDocument): string {
  const told = dispatched.length === 1 ? '1 model was told' : `${dispatched.length} models were told`;
  return failed.length === 0 ? `${told} that its record moved` : `${told}, ${failed.length} could not be`;
}

export function deployChainSummary(document: DeployChainDocument): string {
  const rows = [
    ...document.dispatched.map(
      ({ repository, model, workflow, ref }) =>
        `| ${codeSpan(repository)} | ${codeSpan(model)} | ${codeSpan(workflow)} at ${codeSpan(ref)} |`,
    ),
    ...document.failed.map(
      ({ file, repository, reason }) =>
        `| ${codeSpan(repository ?? '?')} | ${codeSpan(file)} | ${escapeMarkdown(reason, 800)} |`,
    ),
  ];
  return section(document.verdict, escapeMarkdown(deployChainSentence(document), 800), [
    rows.length === 0 ? [] : summaryTable(['| repository | | |', '|---|---|---|'], rows),
  ]);
}

/** A line a repository; why one could not be told is said there alone. */
export function printDeployChain(document: DeployChainDocument): string {
  const started = document.dispatched.map(({ repository, model, workflow, ref }) => [
    mark('pass'),
    repository,
    model,
    `${workflow} at ${ref}`,
  ]);
  const untold = document.failed.map(
    ({ file, repository, reason }) =>
      `${mark('fail')}  ${plainText(repository ?? '?', 200)} (${plainText(file, 200)}): ${plainText(reason, 2000)}`,
  );
  const rows = started.length === 0 ? [] : [table(started)];
  return [`${mark(document.verdict)} ${toldModels(document)}.`, ...rows, ...untold].join('\n');
}
