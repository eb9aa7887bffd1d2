import { plainText, type YamlPath } from '@passloop/core';
import type { LintDocument } from './manifest-set.ts';

/** What a manifest says that its reader refuses, ignores, or takes otherwise than it reads. */
export type LintFinding = {
  rule: LintRule;
  file: string;
  /** From 1. */
  line: number;
  message: string;
  hint: string | null;
  /** `fail`: what is written won't happen. `warn`: it happens, and somebody should know. */
  verdict: 'fail' | 'warn';
};

export const lintRules = [
  'yaml',
  'seldon-traffic',
  'seldon-zero-traffic',
  'seldon-shadow',
  'seldon-predictor-name',
  'seldon-container',
  'seldon-model-uri',
  'seldon-no-engine',
  'seldon-endpoint',
  'seldon-logger',
  'seldon-protocol',
  'seldon-branches',
  'seldon-kafka',
  'experiment-default',
  'experiment-candidates',
  'experiment-weights',
  'experiment-model',
  'kserve-name',
  'kserve-canary-ignored',
  'kserve-canary-mode',
  'kserve-canary-model',
  'kserve-canary-names',
  'kserve-canary-traffic',
  'kserve-canary-fields',
  'kserve-protocol',
  'kserve-framework',
  'istio-weights',
  'istio-subset',
  'istio-mirror-percent',
  'istio-mirror-all',
  'rollout-steps',
  'rollout-arguments',
  'rollout-template',
  'owned-weights',
  'image-tag',
  'image-latest',
  'kustomize-key',
  'image-policy',
  'image-automation',
] as const;
export type LintRule = (typeof lintRules)[number];

/** Names and values of a manifest are anybody's text: bounded, on one line. */
export function say(
  rule: LintRule,
  verdict: LintFinding['verdict'],
  document: Pick<LintDocument, 'file' | 'lineOf'>,
  path: YamlPath,
  message: string,
  hint: string | null = null,
): LintFinding {
  return {
    rule,
    file: document.file,
    line: document.lineOf(path),
    message: plainText(message, 600),
    hint: hint === null ? null : plainText(hint, 300),
    verdict,
  };
}
