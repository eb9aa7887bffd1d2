import { expect, it } from 'vitest';
import { readJobs } from './job-log.ts';

/** Lines as act 0.2.89 prints them. */
const lines = [
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'info',
    msg: '⭐ Run Main echo one\necho two',
    stage: 'Main',
    step: 'echo one\necho two',
  },
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'info',
    msg: '  ❓  ::group::fetch wheels',
    command: 'group',
  },
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'info',
    msg: '  ❓  ::endgroup::',
    command: 'endgroup',
  },
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'error',
    msg: '  ❗  ::error file=passloop.yaml,line=3::No key.',
    command: 'error',
  },
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'info',
    msg: '  ⚙  Summary - ### ❌ Blocked\n',
    command: 'summary',
  },
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'info',
    msg: '  ✅  Success - Main echo one\necho two [1ms]',
    stage: 'Main',
    step: 'echo one\necho two',
    stepResult: 'success',
  },
  {
    job: 'check/Model check/train flight-delay-1',
    jobID: 'train',
    level: 'info',
    msg: '🏁  Job failed',
    jobResult: 'failure',
  },
  { job: 'check/Model check/hidden', jobID: 'hidden', level: 'info', msg: 'what the test added' },
];
const output = `${lines.map((line) => JSON.stringify(line)).join('\n')}\npanic: act itself\n`;

it('reads a job as its page shows it, and hides nothing that act says beside it', () => {
  const { jobs, log } = readJobs(output, new Set(['Model check', 'caller.yml']), 'hidden');

  expect(jobs).toEqual([
    {
      name: 'check / train flight-delay',
      result: 'failure',
      steps: ['echo one: success'],
      summary: '### ❌ Blocked\n',
      log: '⭐ Run Main echo one\n▾ fetch wheels\n  ❗  ::error file=passloop.yaml,line=3::No key.\n  ✅  Success - Main echo one\n🏁  Job failed\n',
    },
  ]);
  expect(log).toContain('check / train flight-delay | ▾ fetch wheels\n');
  expect(log).toContain('panic: act itself\n');
});
