import { z } from 'zod';

/** A job as its log tells it. */
export type JobLog = {
  /** Names from the caller's job down, as GitHub's page shows them: `check / train flight-delay`. */
  name: string;
  result: 'success' | 'failure' | 'skipped' | 'unknown';
  /** Steps that ended, in order: `actions/plan-check: success`. */
  steps: string[];
  log: string;
  summary: string;
};

const Line = z.object({
  msg: z.string(),
  level: z.string().optional(),
  job: z.string().optional(),
  jobID: z.string().optional(),
  jobResult: z.string().optional(),
  step: z.string().optional(),
  stage: z.string().optional(),
  stepResult: z.string().optional(),
  raw_output: z.boolean().optional(),
  command: z.string().optional(),
});

/** What act says of itself at every step. */
const noise = /^(?:LocalRepositoryCache |Cleaning up container |Using docker host )/;

/**
 * Reads what `act --json` prints. Lines that are no JSON (a crash of act itself) stay as they are, so that nothing is hidden.
 * @param workflows names of the run's workflows, which act writes between the names of jobs
 * @param hidden the id of a job that isn't the workflow's own
 */
export function readJobs(
  output: string,
  workflows: ReadonlySet<string>,
  hidden: string,
): { jobs: JobLog[]; log: string } {
  const jobs = new Map<string, JobLog>();
  const text: string[] = [];
  for (const raw of output.split('\n')) {
    if (raw === '') continue;
    const line = parseLine(raw);
    if (line === null) {
      text.push(raw);
      continue;
    }
    if (noise.test(line.msg) || line.jobID === hidden) continue;
    const name = nameOf(line.job ?? '', workflows);
    const message = line.msg.trimEnd();
    if (name === '') {
      text.push(message);
      continue;
    }
    const job = jobs.get(name) ?? { name, result: 'unknown', steps: [], log: '', summary: '' };
    jobs.set(name, job);
    if (line.jobResult === 'success' || line.jobResult === 'failure' || line.jobResult === 'skipped')
      job.result = line.jobResult;
    const isStep = line.stage === 'Main' && line.step !== undefined && message.includes(line.step);
    if (line.stepResult !== undefined && isStep) job.steps.push(`${firstLine(line.step ?? '')}: ${line.stepResult}`);
    const summary = /^\s*⚙\s+Summary - ([\s\S]*)$/u.exec(line.msg)?.[1];
    if (summary !== undefined) {
      job.summary += summary;
      continue;
    }
    // The whole script of a step stands in its name, which is printed when it begins and when it ends.
    const shown = isStep ? firstLine(message) : asOnThePage(message);
    if (shown === null) continue;
    job.log += `${shown}\n`;
    text.push(...shown.split('\n').map((part) => `${name} | ${part}`));
  }
  return { jobs: [...jobs.values()], log: `${text.join('\n')}\n` };
}

/** `road/asks.yml/train one-1` is the first of a matrix in the job `train` of the workflow that `road` calls. */
function nameOf(job: string, workflows: ReadonlySet<string>): string {
  const names = job.trim().split('/');
  return names
    .filter((name) => !workflows.has(name))
    .join(' / ')
    .replace(/-\d+$/, '');
}

/** A line as GitHub's page shows it: a group's title, a command's message; null for what it doesn't show. */
function asOnThePage(message: string): string | null {
  const [, command = '', text = ''] = /^\s*(?:❓|🚧|❗|⚙)\s+::([\w-]+)[^:]*::\s?([\s\S]*)$/u.exec(message) ?? [];
  if (command === 'endgroup' || /^\s*⚙\s+\*\*\*$/u.test(message)) return null;
  if (command === 'group') return `▾ ${text}`;
  if (command === 'set-output') return `output ${text}`;
  return message;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function parseLine(raw: string): z.infer<typeof Line> | null {
  try {
    return Line.parse(JSON.parse(raw));
  } catch {
    return null;
  }
}
