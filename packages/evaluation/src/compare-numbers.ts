import { ConfigurationError } from '@passloop/core';
import type { ComparisonDocument } from '@passloop/documents';
import type { Gate, MetricsFile } from '@passloop/model';
import { compareModels } from './compare.ts';
import { parseGate } from './gate-flag.ts';
import { defaultResampling } from './measure.ts';

export type NumbersSide = { name: string; digest: string; file: MetricsFile };

export type CompareNumbersRequest = {
  production: NumbersSide;
  candidate: NumbersSide;
  /** `name:direction:margin`, the name as it stands in the files (`test.auc`). */
  flags: readonly string[];
};

/**
 * Compares the numbers of two metrics files, without pairing: `within` or `outside` a margin, never better. A number that is
 * missing, NaN or infinite on either side fails its gate. Two files of the same bytes are judged as others are: they are numbers
 * of two runs that agree, or that lack the same, and no proof of one model.
 *
 * @throws ConfigurationError for no gate, one that can't be read, one with slices, and names that fall together
 */
export function compareNumbers({ production, candidate, flags }: CompareNumbersRequest): ComparisonDocument {
  if (flags.length === 0) throw new ConfigurationError('No metric is given: nothing would be compared.');
  const names = new Map<string, string>();
  const gates = flags.map((flag): Gate => {
    const gate = parseGate(flag, (name) => {
      const short = name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '_')
        .replaceAll(/^[_0-9]+|_$/g, '')
        .slice(0, 64);
      if (short === '') throw new ConfigurationError(`--metric ${JSON.stringify(flag)}: the metric has no name.`);
      if (names.has(short)) {
        throw new ConfigurationError(`Two gates are on ${short}: ${names.get(short)} and ${name}.`);
      }
      names.set(short, name);
      return { name: short, direction: null };
    });
    if (gate.slices.length > 0) {
      throw new ConfigurationError(`--metric ${JSON.stringify(flag)}: numbers have no slices.`);
    }
    return gate;
  });
  const numberIn = ({ file }: NumbersSide, name: string) => file.metrics.get(name) ?? null;
  return compareModels({
    outcome: 'compared',
    reason: null,
    gates,
    frame: null,
    production: { digest: production.digest, scoredBy: 'file' },
    candidate: { digest: candidate.digest, scoredBy: 'file' },
    scalars: {},
    unpaired: Object.fromEntries(
      [...names].map(([short, name]) => [
        short,
        {
          production: numberIn(production, name),
          candidate: numberIn(candidate, name),
          name,
          source: 'file',
        },
      ]),
    ),
    resampling: defaultResampling,
    inconclusive: 'block',
  });
}
