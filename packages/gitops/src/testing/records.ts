import { createHash } from 'node:crypto';
import { sha256 } from '@passloop/core';
import { formatDocument, type RecordDocument } from '@passloop/documents';
import { type CandidateRecord, deployRecord } from '@passloop/record';
import { type DeployQuery, deployState } from '../deploy-state.ts';
import type { ClosedPullRequest, DeploySnapshot, FileAt, HeadSnapshot, OpenBranch, PathVersion } from '../forge.ts';

const image = 'ghcr.io/acme/flight';
export const manifest = 'apps/flight/prod/kustomization.yaml';
export const recordFile = '.passloop/prod/flight-delay.json';
const query: DeployQuery = {
  model: 'flight-delay',
  identity: 'acme/flights#flight-delay',
  environments: [{ name: 'prod', targets: [{ kind: 'kustomize', file: manifest, image }] }],
  branch: null,
};

export function deployed(
  from: CandidateRecord,
  previous: string | null,
  overrides: Partial<RecordDocument['deployment']> = {},
): string {
  const record = deployRecord(
    from,
    {
      environment: 'prod',
      cause: 'promotion',
      targets: [{ kind: 'kustomize', file: manifest, address: image, value: from.image.digest }],
      at: '2026-11-22T10:10:00Z',
      ...overrides,
    },
    previous === null ? null : { record: JSON.parse(previous) as RecordDocument, digest: sha256(previous) },
  );
  return formatDocument('record', record);
}

export function kustomization(digest: string): string {
  return `images:\n  - name: ${image}\n    digest: ${digest}\n`;
}

/** The versions of a file, given oldest first, as a forge lists them. */
export function history(...texts: (string | null)[]): PathVersion[] {
  return texts
    .map((text, index) => ({
      commit: index.toString(16).padStart(40, '0'),
      at: new Date(Date.UTC(2026, 10, 22, 10, 9) + index * 60_000).toISOString().replace('.000', ''),
      author: 'ada',
      message: `commit ${index}`,
      file: text === null ? null : file(recordFile, text),
    }))
    .reverse();
}

export function file(path: string, text: string | null, mode = '100644'): FileAt {
  const bytes = Buffer.from(text ?? '');
  return { path, text, mode, blob: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex') };
}

/** What the deploy repository says, from literal contents. */
export function stateOf(content: {
  record?: string | null;
  manifest?: FileAt | null;
  versions?: PathVersion[];
  holds?: FileAt[];
  head?: HeadSnapshot | null;
  closed?: ClosedPullRequest[];
  open?: OpenBranch[];
}) {
  const record = content.record ?? null;
  const running = record === null ? sha256('other') : (JSON.parse(record) as RecordDocument).image.digest;
  const snapshot: DeploySnapshot = {
    branch: 'main',
    commit: 'c'.repeat(40),
    tree: 'd'.repeat(40),
    files: new Map([
      [recordFile, record === null ? null : file(recordFile, record)],
      [manifest, content.manifest === undefined ? file(manifest, kustomization(running)) : content.manifest],
    ]),
    folders: new Map([['.passloop/holds/flight-delay', content.holds ?? []]]),
    histories: new Map([[recordFile, content.versions ?? []]]),
    heads: new Map([['promote/flight-delay/prod', content.head ?? null]]),
    closed: new Map([['promote/flight-delay/prod', content.closed ?? []]]),
    open: new Map([['rollback/prod', content.open ?? []]]),
    mergeMethods: ['squash'],
    messageFromBody: false,
  };
  return deployState('acme/deploy', query, snapshot);
}
