import { ConfigurationError, parseYaml, plainText, prototypeKeyIn } from '@passloop/core';
import { DeclaredMetric, isBuiltInMetric, MetricName, type Model } from '@passloop/model';

const example = `waste={kind: cost, costs: {"0": {"1": 1}, "1": {"0": 20}}}`;

/**
 * Reads the metrics that flags declare, each `name={kind: ...}` as under `metrics` of a model file.
 * @throws ConfigurationError that names the flag and what is wrong with it
 */
export function parseMetricFlags(texts: readonly string[]): Model['metrics'] {
  const found: Model['metrics'] = {};
  for (const text of texts) {
    const refuse = (why: string) =>
      new ConfigurationError(`--define ${JSON.stringify(plainText(text, 200))}: ${why.replace(/\.$/, '')}.`, {
        hint: `Write NAME={kind: ...} as under \`metrics\` of a model file, such as ${example}.`,
      });
    const at = text.indexOf('=');
    if (at < 0) throw refuse('it has no `=`');
    const name = text.slice(0, at).trim();
    if (!MetricName.safeParse(name).success) throw refuse(`${JSON.stringify(name)} is no metric name`);
    if (isBuiltInMetric(name)) throw refuse(`${name} is a metric that is known already`);
    if (Object.hasOwn(found, name)) throw refuse(`${name} is declared twice`);
    const { value } = parseYaml(text.slice(at + 1), '--define');
    const strange = prototypeKeyIn(value, (path) => path[0] === 'costs');
    if (strange !== null) throw refuse(`\`${String(strange.at(-1))}\` can't be a key`);
    const result = DeclaredMetric.safeParse(value);
    if (!result.success) {
      const [issue] = result.error.issues;
      throw refuse(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}`.trim());
    }
    if (result.data.kind === 'file')
      throw refuse('two tables of predictions have no metrics file: --numbers compares two');
    found[name] = result.data;
  }
  return found;
}
