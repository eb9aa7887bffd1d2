import * as core from '@actions/core';
import { logText, plainText } from '@passloop/core';
import type { Runner } from './runner.ts';

const textLimit = 4000;

/** The runner of GitHub Actions. Whatever is logged may be untrusted: no line of it reaches the runner as a command. */
export const actionsRunner: Runner = {
  getInput: (name) => core.getInput(name),
  setOutput: (name, value) => core.setOutput(name, value),
  setSecret: (secret) => core.setSecret(secret),
  setFailed(message) {
    if (message === null) process.exitCode = core.ExitCode.Failure;
    else core.setFailed(plainText(message, textLimit));
  },
  info: (line) => core.info(logText(line)),
  startGroup: (title) => core.startGroup(plainText(title)),
  endGroup: () => core.endGroup(),
  annotate({ level, title, message: untrusted, file, line }) {
    const message = plainText(untrusted, textLimit);
    const properties = {
      title: plainText(title),
      ...(file === null ? {} : { file }),
      ...(line === null ? {} : { startLine: line }),
    };
    if (level === 'failure') core.error(message, properties);
    else if (level === 'warning') core.warning(message, properties);
    else core.notice(message, properties);
  },
  async summarize(markdown) {
    // Where a runner gives no summary file (a plain shell), the log is enough.
    if ((process.env.GITHUB_STEP_SUMMARY ?? '') === '') return;
    await core.summary.addRaw(markdown, true).write();
  },
};

/** What an action is started with. This file is the one place of the package that looks at the world by itself. */
export const actionsMachine = {
  env: process.env as Readonly<Record<string, string | undefined>>,
  now: () => new Date(),
  cwd: () => process.cwd(),
};
