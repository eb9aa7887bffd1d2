import { sha256 } from '@passloop/core';
import { formatDocument, type RecordDocument } from '@passloop/documents';
import type { Target } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { checkDeployChange } from './deploy-check.ts';
import type { FileAt } from './forge.ts';
import { editTarget, recordedTarget } from './targets.ts';
import { deployed, file, history, kustomization, manifest, recordFile } from './testing/records.ts';

type Content = Record<string, string | FileAt | null>;

/** A change from one literal tree to another; what both have in common stands in `base` alone. */
function check(base: Content, change: Content, more: { versions?: (string | null)[]; branch?: string | null } = {}) {
  const tree = (content: Content) => ({
    commit: 'c'.repeat(40),
    files: new Map(
      Object.entries(content).flatMap(([path, found]): [string, FileAt][] =>
        found === null ? [] : [[path, typeof found === 'string' ? file(path, found) : found]],
      ),
    ),
  });
  return checkDeployChange({
    base: tree(base),
    head: tree({ ...base, ...change }),
    changed: Object.keys(change),
    histories: new Map([[recordFile, history(...(more.versions ?? []))]]),
    branch: more.branch ?? null,
  });
}

const [one, two, three] = [createCandidate('one'), createCandidate('two'), createCandidate('three')];
const first = deployed(one, null);
const second = deployed(two, first);
const running = (from: typeof one) => kustomization(from.image.digest);
const base: Content = { [recordFile]: first, [manifest]: running(one) };
const promotion: Content = { [recordFile]: second, [manifest]: running(two) };

function hold(from: typeof one, environment: string | null = null): Content {
  const document = {
    schema: 'passloop/hold/v1' as const,
    model: 'flight-delay',
    modelDigest: from.modelDigest,
    imageDigest: null,
    runKey: null,
    environment,
    by: 'ada',
    reason: 'Precision fell.',
    at: '2026-11-22T10:10:00Z',
  };
  const path = `.passloop/holds/flight-delay/${from.modelDigest.replace(':', '-')}.json`;
  return { [path]: formatDocument('hold', document) };
}

function edited(text: string, change: (record: RecordDocument) => void): string {
  const record = JSON.parse(text) as RecordDocument;
  change(record);
  return formatDocument('record', record);
}

describe('a promotion', () => {
  it('passes, and names the image that its registry must have', () => {
    expect(check(base, promotion, { versions: [first], branch: 'promote/flight-delay/prod' })).toEqual({
      records: [{ file: recordFile, model: 'flight-delay', environment: 'prod', change: 'promotion' }],
      findings: [],
      images: [{ file: recordFile, line: expect.any(Number), reference: two.image.reference }],
    });
  });

  it('may be the first one', () => {
    const change = { [recordFile]: first, [manifest]: running(one) };
    expect(check({ [manifest]: running(three) }, change).findings).toEqual([]);
  });

  it('is refused where its record names another image than the manifest', () => {
    const { findings } = check(base, { ...promotion, [manifest]: running(three) }, { versions: [first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'manifest', verdict: 'fail', file: manifest, line: 3 })]);
    expect(findings[0]?.message).toContain(recordFile);
  });

  it('is refused where the manifest was not changed with it', () => {
    const { findings } = check(base, { [recordFile]: second }, { versions: [first] });
    expect(findings.map(({ rule }) => rule)).toEqual(['manifest']);
  });

  it.each([
    ['another promotion id', (record: RecordDocument) => (record.deployment.promotionId = sha256('x')), 'promotion-id'],
    ['a digest that is none', (record: RecordDocument) => (record.modelDigest = sha256('other')), 'promotion-id'],
    [
      'a target with another image',
      (record: RecordDocument) => {
        for (const target of record.deployment.targets) target.value = sha256('x');
      },
      'record',
    ],
    [
      'a reference to another digest',
      (record: RecordDocument) => (record.image.reference = `x@${sha256('x')}`),
      'record',
    ],
  ])('is refused with %s', (_, change, rule) => {
    const { findings, records } = check(base, { ...promotion, [recordFile]: edited(second, change) });
    expect(findings[0]).toMatchObject({ rule, verdict: 'fail', file: recordFile });
    expect(records[0]?.change).toBe('unreadable');
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'a/../../b'])('is refused with a target outside: %s', (outside) => {
    const text = second.replace(JSON.stringify(manifest), JSON.stringify(outside));
    expect(text).not.toBe(second);
    expect(check(base, { ...promotion, [recordFile]: text }).findings[0]).toMatchObject({
      rule: 'record',
      file: recordFile,
    });
  });

  it('is refused where its record or its manifest is a link', () => {
    const link = (path: string) => ({ ...file(path, 'elsewhere.yaml', '120000'), text: null });
    expect(check(base, { ...promotion, [recordFile]: link(recordFile) }).findings[0]).toMatchObject({
      rule: 'record',
      message: expect.stringContaining('no regular text file'),
    });
    const { findings } = check(base, { ...promotion, [manifest]: link(manifest) }, { versions: [first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'manifest', file: manifest })]);
  });

  it('is refused where it follows another record than the one in the base', () => {
    const stale = deployed(three, first);
    const now: Content = { [recordFile]: second, [manifest]: running(two) };
    const { findings } = check(now, { [recordFile]: stale, [manifest]: running(three) }, { versions: [first, second] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'previous', file: recordFile })]);
  });

  it("is refused at another repository's place", () => {
    const foreign = deployed(createCandidate('two', { identity: 'evil/flights#flight-delay' }), first);
    const { findings } = check(base, { ...promotion, [recordFile]: foreign }, { versions: [first] });
    expect(findings.map(({ rule }) => rule)).toContain('identity');
    const renamed = deployed(createCandidate('two', { identity: 'acme/flights#other' }), first);
    expect(check(base, { ...promotion, [recordFile]: renamed }).findings.map(({ rule }) => rule)).toContain('identity');
  });

  it('may not call itself a rollback', () => {
    const lie = deployed(two, first, { cause: 'rollback' });
    const { findings } = check(base, { ...promotion, [recordFile]: lie }, { versions: [first] });
    expect(findings).toEqual([
      expect.objectContaining({ rule: 'record', message: expect.stringContaining('never ran') }),
    ]);
  });
});

describe('a hold', () => {
  it.each([null, 'prod'])('refuses the model (environment: %s)', (environment) => {
    const { findings } = check({ ...base, ...hold(two, environment) }, promotion, { versions: [first] });
    expect(findings).toEqual([
      expect.objectContaining({ rule: 'held', file: recordFile, message: expect.stringContaining('Precision fell.') }),
    ]);
  });

  it('of another environment does not', () => {
    expect(check({ ...base, ...hold(two, 'staging') }, promotion, { versions: [first] }).findings).toEqual([]);
  });

  it('is not lifted by the change that it refuses', () => {
    const [path = ''] = Object.keys(hold(two));
    const { findings } = check({ ...base, ...hold(two) }, { ...promotion, [path]: null }, { versions: [first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'held' })]);
  });

  it('that follows from history refuses too', () => {
    const again = deployed(two, first, { at: '2026-11-23T10:10:00Z' });
    const { findings } = check(base, { ...promotion, [recordFile]: again }, { versions: [first, second, first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'held', message: expect.stringContaining('reverted') })]);
  });

  it('that cannot be read stops, wherever it comes from', () => {
    const path = `.passloop/holds/flight-delay/${two.modelDigest.replace(':', '-')}.json`;
    expect(check({ ...base, [path]: '{' }, promotion).findings).toEqual([
      expect.objectContaining({ rule: 'hold', file: path }),
    ]);
    expect(check(base, { [path]: '{' }).findings).toEqual([expect.objectContaining({ rule: 'hold', file: path })]);
  });
});

describe('a change by hand', () => {
  it('of a recorded manifest without its record is refused on its line', () => {
    const { findings, records } = check(base, { [manifest]: `# hotfix\n${running(three)}` });
    expect(records).toEqual([]);
    expect(findings).toEqual([
      expect.objectContaining({ rule: 'unrecorded-edit', verdict: 'fail', file: manifest, line: 4 }),
    ]);
  });

  it('of a manifest that had drifted before warns', () => {
    const drifted = { ...base, [manifest]: running(three) };
    expect(check(drifted, { [manifest]: `# a comment\n${running(three)}` }).findings).toEqual([
      expect.objectContaining({ rule: 'unrecorded-edit', verdict: 'warn' }),
    ]);
  });

  it('of something else is none of ours', () => {
    expect(check(base, { 'README.md': 'hello', [manifest]: `# a comment\n${running(one)}` })).toEqual({
      records: [],
      findings: [],
      images: [],
    });
  });

  it('that reverts a promotion is a rollback, and is named as one', () => {
    const now: Content = { [recordFile]: second, [manifest]: running(two) };
    const { findings, records } = check(now, base, { versions: [first, second] });
    expect(records[0]?.change).toBe('rollback');
    expect(findings).toEqual([
      expect.objectContaining({
        rule: 'rollback',
        verdict: 'pass',
        message: expect.stringMatching(/^A rollback by hand: prod returns to one of .*; two is held from then on\.$/),
      }),
    ]);
  });

  it('that reverts the first promotion takes the record away, and the image with it', () => {
    const back = { [recordFile]: null, [manifest]: running(three) };
    expect(check(base, back, { versions: [first] }).findings).toEqual([
      expect.objectContaining({ rule: 'rollback', verdict: 'pass' }),
    ]);
    expect(check(base, { [recordFile]: null }, { versions: [first] }).findings).toEqual([
      expect.objectContaining({ rule: 'unrecorded-edit', file: manifest, line: 3 }),
    ]);
  });

  it('may not take a record with a history away', () => {
    const now: Content = { [recordFile]: second, [manifest]: running(two) };
    const { findings } = check(now, { [recordFile]: null, [manifest]: running(one) }, { versions: [first, second] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'record', verdict: 'fail' })]);
  });

  it('may not drop a target from the record and edit it', () => {
    const elsewhere = 'apps/flight/canary/kustomization.yaml';
    const target = { kind: 'kustomize', file: elsewhere, address: 'ghcr.io/acme/flight', value: two.image.digest };
    const moved = deployed(two, first, { targets: [target] });
    const change = { [recordFile]: moved, [elsewhere]: running(two), [manifest]: running(three) };
    const { findings } = check({ ...base, [elsewhere]: running(one) }, change, { versions: [first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'unrecorded-edit', file: manifest })]);
  });
});

describe('a branch of a promotion', () => {
  const otherRecord = '.passloop/prod/churn.json';
  const branch = 'promote/flight-delay/prod';
  const other = createCandidate('churn', { model: 'churn', identity: 'acme/churn#churn' });
  const otherManifest = 'apps/churn/kustomization.yaml';
  const target = { kind: 'kustomize', file: otherManifest, address: 'ghcr.io/acme/flight', value: other.image.digest };
  const foreign = { [otherRecord]: deployed(other, null, { targets: [target] }), [otherManifest]: running(other) };

  it('carries no second model', () => {
    const { findings } = check(base, { ...promotion, ...foreign }, { versions: [first], branch });
    expect(findings.map(({ rule, file: where }) => [rule, where])).toEqual([
      ['several-models', otherRecord],
      ['foreign-file', otherManifest],
    ]);
  });

  it('carries no other file', () => {
    const change = { ...promotion, '.github/workflows/evil.yml': 'on: push' };
    expect(check(base, change, { versions: [first], branch }).findings).toEqual([
      expect.objectContaining({ rule: 'foreign-file', file: '.github/workflows/evil.yml' }),
    ]);
  });

  it('is for the model that its name says', () => {
    const { findings } = check(base, promotion, { versions: [first], branch: 'promote/other/prod' });
    expect(findings.map(({ rule }) => rule)).toEqual(['several-models']);
  });

  it('may hold several models where it is no promotion branch', () => {
    expect(check(base, { ...promotion, ...foreign }, { versions: [first], branch: 'tidy' }).findings).toEqual([]);
  });
});

describe('what the manifests say', () => {
  const wrong = kustomization(two.image.digest).replace('    digest', '    newDigest: x\n    digest');

  it('fails where the change brings what kustomize does not know, with the line', () => {
    const { findings } = check(base, { ...promotion, [manifest]: wrong }, { versions: [first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'lint', verdict: 'fail', file: manifest, line: 3 })]);
  });

  it('warns where it was there before', () => {
    const before = { ...base, [manifest]: wrong.replace(two.image.digest, one.image.digest) };
    const { findings } = check(before, { ...promotion, [manifest]: wrong }, { versions: [first] });
    expect(findings).toEqual([expect.objectContaining({ rule: 'lint', verdict: 'warn', file: manifest, line: 3 })]);
  });
});

describe('targets of several kinds', () => {
  const routes = 'apps/flight/prod/routes.yaml';
  const service = 'apps/flight/prod/service.yaml';
  const weight = { kind: 'istio', file: routes, subset: 'canary', weight: 10 } as const;
  const stable = { kind: 'kserve', file: service, slot: 'stable' } as const;
  const canary = { kind: 'kserve', file: service, slot: 'canary', percent: 10 } as const;
  const routed = (canary: number) =>
    `apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: {http: [{route: [{destination: {subset: stable}, weight: ${100 - canary}}, {destination: {subset: canary}, weight: ${canary}}]}]}\n`;
  const served = (digest: string) =>
    `apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: flight, annotations: {serving.kserve.io/deploymentMode: Knative}}\nspec:\n  predictor:\n    model: {storageUri: "oci://ghcr.io/acme/flight@${digest}"}\n`;
  const recordOf = (from: typeof one, ...targets: Target[]) => {
    const image = { repository: 'ghcr.io/acme/flight', digest: from.image.digest, tag: null };
    return deployed(from, null, { targets: targets.map((target) => recordedTarget(target, image)) });
  };

  it('passes where an image and a weight carry what the record says, and fails where the weight is another', () => {
    const record = recordOf(one, stable, weight);
    const before: Content = { [routes]: routed(0), [service]: served(two.image.digest) };
    const whole = { [recordFile]: record, [routes]: routed(10), [service]: served(one.image.digest) };
    expect(check(before, whole).findings).toEqual([]);
    expect(check(before, { ...whole, [routes]: routed(20) }).findings).toEqual([
      {
        rule: 'manifest',
        verdict: 'fail',
        file: routes,
        line: 1,
        message: `It names canary=20 for subset=canary, and its record (${recordFile}) says canary=10.`,
      },
    ]);
  });

  it('finds a weight that is changed without its record', () => {
    const landed: Content = {
      [recordFile]: recordOf(one, stable, weight),
      [routes]: routed(10),
      [service]: served(one.image.digest),
    };
    expect(check(landed, { [routes]: routed(50) }).findings).toEqual([
      expect.objectContaining({ rule: 'unrecorded-edit', verdict: 'fail', file: routes }),
    ]);
  });

  it('lets a canary stand in place of the stable image only with the record of its own environment', () => {
    const image = { repository: null, digest: two.image.digest, tag: null };
    const canaryFile = '.passloop/prod-canary/flight-delay.json';
    const canaryRecord = deployed(two, null, {
      environment: 'prod-canary',
      targets: [recordedTarget(canary, image)],
    });
    const landed: Content = { [recordFile]: recordOf(one, stable), [service]: served(one.image.digest) };
    const rolling = editTarget(served(one.image.digest), canary, image);
    expect(check(landed, { [service]: rolling, [canaryFile]: canaryRecord }).findings).toEqual([]);
    // Nobody answers for this image, whatever share of the traffic it gets.
    expect(check(landed, { [service]: rolling }).findings).toEqual([
      expect.objectContaining({ rule: 'unrecorded-edit', verdict: 'fail', file: service }),
    ]);
    const more = rolling.replace('canaryTrafficPercent: 10', 'canaryTrafficPercent: 90');
    expect(check(landed, { [service]: more, [canaryFile]: canaryRecord }).findings).toEqual([
      expect.objectContaining({ rule: 'manifest', message: expect.stringContaining('at 90 %') }),
    ]);
    expect(check(landed, { [service]: served(two.image.digest) }).findings).toHaveLength(1);
  });

  it('refuses a record whose target says another image than the record, whatever its kind', () => {
    const forged = edited(recordOf(one, stable, weight), (record) => {
      for (const target of record.deployment.targets) target.value = two.image.digest;
    });
    const { findings } = check({}, { [recordFile]: forged, [service]: served(two.image.digest), [routes]: routed(10) });
    expect(findings).toEqual([expect.objectContaining({ rule: 'record', verdict: 'fail' })]);
  });
});
