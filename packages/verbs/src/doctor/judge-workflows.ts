import { plainText } from '@passloop/core';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';
import { shellWord } from './shell-word.ts';
import { type Scopes, type SuiteWorkflowName, suiteWorkflowNames, suiteWorkflows } from './suite-workflow.ts';
import type { Caller, Granted, WorkflowFile } from './workflow-file.ts';

export type WorkflowQuestion = {
  /** `owner/name`, for messages. */
  repository: string | null;
  role: 'model' | 'deploy';
  files: readonly WorkflowFile[];
  /** Whether promotions, or a chain of environments, are wanted at all. */
  wanted: readonly SuiteWorkflowName[];
  mergeQueue: boolean;
  /** Names of the workflow in which pull requests are checked can't be told apart in another branch. */
  defaultBranch: string | null;
};

/** The workflows of one repository: there, started by the right events, pinned, and with the permissions that they need. */
export function judgeWorkflows(question: WorkflowQuestion): Finding[] {
  const findings: Finding[] = [];
  for (const file of question.files) {
    if (file.problem === null) continue;
    findings.push(warn({ id: 'workflow', subject: file.file }, file.problem, 'Mend the file: GitHub ignores it.'));
  }
  const names = suiteWorkflowNames.filter((name) => suiteWorkflows[name].repository === question.role);
  for (const name of names) {
    const found = question.files.flatMap((file) =>
      file.callers.filter((caller) => caller.workflow === name).map((caller) => ({ file, caller })),
    );
    if (found.length === 0) {
      if (question.wanted.includes(name)) findings.push(missing(question, name));
      continue;
    }
    const [, second] = found;
    if (name === 'model-check' && second !== undefined) {
      findings.push(
        fail(
          { id: 'workflow', subject: name },
          `model-check.yml is called twice, the second time at ${second.file.file}:${second.caller.line}: both say the one check \`passloop\`, so a failure of one can be hidden by the other.`,
          'Call it once: its plan finds every model file of the repository.',
        ),
      );
    }
    for (const { file, caller } of found) {
      findings.push(judgeEvents(question, file, caller));
      findings.push(judgePin(file, caller));
      findings.push(judgePermissions(file, caller));
    }
  }
  const refs = new Set(question.files.flatMap((file) => file.callers.map((caller) => caller.ref ?? '')));
  if (refs.size > 1) {
    findings.push(
      warn(
        { id: 'workflow-version' },
        `The workflows call Passloop at ${refs.size} different refs: ${[...refs].map((ref) => plainText(ref, 60)).join(', ')}.`,
        'Write the same commit behind each `@`: their artifacts belong together.',
      ),
    );
  }
  return findings;
}

function missing(question: WorkflowQuestion, name: SuiteWorkflowName): Finding {
  const where = question.repository === null ? '' : ` of ${question.repository}`;
  return fail(
    { id: 'workflow', subject: name },
    `No workflow${where} calls ${name}.yml, which ${suiteWorkflows[name].does}.`,
    question.role === 'model' ? 'passloop init --workflows' : 'In a clone of it: passloop init --workflows --deploy',
  );
}

function judgeEvents(question: WorkflowQuestion, file: WorkflowFile, caller: Caller): Finding {
  const place = { id: 'workflow', subject: caller.workflow };
  const at = `${file.file}:${caller.line}`;
  const { events } = suiteWorkflows[caller.workflow];
  const lacking = events.filter((event) => !file.events.has(event));
  if (lacking.length > 0) {
    return fail(
      place,
      `${at} calls ${caller.workflow}.yml, and ${lacking.join(' and ')} doesn't start it.`,
      `on:\n${lacking.map((event) => `  ${event}:`).join('\n')}`,
    );
  }
  if (caller.workflow === 'model-check' || caller.workflow === 'deploy-check') {
    const filters = file.events.get('pull_request');
    const filter = ['paths', 'paths-ignore'].find((name) => filters?.[name] !== undefined);
    if (filter !== undefined) {
      return fail(
        place,
        `${file.file} filters pull requests by \`${filter}\`: where nothing matches no check is reported, and a required one waits for ever.`,
        `Remove \`${filter}\`: which models a change affects is found out by the plan.`,
      );
    }
    if (question.mergeQueue && !file.events.has('merge_group')) {
      return fail(
        place,
        `The default branch has a merge queue, and merge_group doesn't start ${file.file}: the queue would wait for its check.`,
        'on:\n  merge_group:',
      );
    }
  }
  if (caller.workflow === 'model-report') {
    const check = question.files.find((one) => one.callers.some(({ workflow }) => workflow === 'model-check'));
    const named = file.events.get('workflow_run')?.workflows;
    const names = Array.isArray(named) ? named.map(String) : [];
    if (check !== undefined && !names.includes(check.name)) {
      return fail(
        place,
        `${file.file} waits for ${names.map((name) => JSON.stringify(plainText(name))).join(', ') || 'no workflow'}; the one that checks is named ${JSON.stringify(plainText(check.name))}.`,
        `on:\n  workflow_run:\n    workflows: [${JSON.stringify(check.name)}]\n    types: [completed]`,
      );
    }
  }
  if (caller.workflow === 'model-promote' && question.defaultBranch !== null) {
    const branches = file.events.get('push')?.branches;
    if (Array.isArray(branches) && !branches.map(String).includes(question.defaultBranch)) {
      return fail(
        place,
        `${file.file} is started by pushes to ${branches.map((name) => plainText(String(name), 60)).join(', ')}; the default branch is ${question.defaultBranch}.`,
        `on:\n  push:\n    branches: [${question.defaultBranch}]`,
      );
    }
  }
  return ok(place, `${at} ${suiteWorkflows[caller.workflow].does}.`);
}

function judgePin(file: WorkflowFile, caller: Caller): Finding {
  const place = { id: 'workflow-pin', subject: caller.workflow };
  if (caller.from === null) return ok(place, `${file.file} calls the workflow of its own commit.`);
  if (caller.ref !== null && /^[0-9a-f]{40}$/.test(caller.ref)) {
    return ok(place, `Pinned to ${caller.from}@${caller.ref.slice(0, 12)}.`);
  }
  const ref = plainText(caller.ref ?? '', 60);
  return warn(
    place,
    `${file.file}:${caller.line} calls ${caller.from} at ${ref === '' ? 'no ref' : ref}, which can be moved to other code.`,
    `Pin the commit: gh api ${shellWord(`repos/${caller.from}/commits/${ref || 'v1'}`)} --jq .sha, and write it behind the \`@\`, with \`# ${ref || 'v1'}\` after it`,
  );
}

const levels: Readonly<Record<string, number>> = { none: 0, read: 1, write: 2 };

function judgePermissions(file: WorkflowFile, caller: Caller): Finding {
  const place = { id: 'workflow-permissions', subject: caller.workflow };
  const needed = suiteWorkflows[caller.workflow].permissions;
  const at = `${file.file}:${caller.line}`;
  const lines = permissionLines(needed);
  if (caller.granted.state === 'default') {
    return unknown(
      place,
      `${at} has no \`permissions\`: the repository's default decides, here and after each change of it.`,
      lines,
    );
  }
  const lacking = Object.entries(needed).filter(
    ([name, level]) => grantedLevel(caller.granted, name) < (levels[level] ?? 0),
  );
  if (lacking.length > 0) {
    return fail(
      place,
      `${at} grants too little for ${caller.workflow}.yml: ${lacking.map(([name, level]) => `\`${name}: ${level}\``).join(', ')} ${lacking.length === 1 ? 'is' : 'are'} missing. GitHub doesn't start such a run.`,
      lines,
    );
  }
  const extra = extraScopes(caller.granted, needed);
  if (extra.length > 0) {
    return warn(
      place,
      `${at} grants more than ${caller.workflow}.yml asks for: ${extra.map((scope) => `\`${plainText(scope, 60)}\``).join(', ')}.`,
      lines,
    );
  }
  return ok(place, `${at} grants what ${caller.workflow}.yml asks for, and nothing else.`);
}

function grantedLevel(granted: Granted, name: string): number {
  if (granted.state === 'all') return levels[granted.level] ?? 0;
  return granted.state === 'declared' ? (levels[granted.scopes[name] ?? 'none'] ?? 0) : 0;
}

function extraScopes(granted: Granted, needed: Scopes): string[] {
  if (granted.state === 'all') return [`${granted.level}-all`];
  if (granted.state === 'default') return [];
  return Object.entries(granted.scopes)
    .filter(([name, level]) => (levels[level] ?? 2) > (levels[needed[name] ?? 'none'] ?? 0))
    .map(([name, level]) => `${name}: ${level}`);
}

/** A job's permissions as YAML. */
function permissionLines(scopes: Scopes): string {
  return `permissions:\n${Object.entries(scopes)
    .map(([name, level]) => `  ${name}: ${level}`)
    .join('\n')}`;
}
