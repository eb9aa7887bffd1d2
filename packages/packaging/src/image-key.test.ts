import { expect, it } from 'vitest';
import { type ImageKeyParts, imageKey } from './image-key.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

function createParts(): ImageKeyParts {
  return {
    model: 'flight-delay',
    modelDigest: digest('a'),
    package: {
      model: 'out/model.joblib',
      requirements: 'serve.lock',
      signature: 'signature.json',
      base: `python:3.11-slim@${digest('b')}`,
      repository: 'ghcr.io/acme/flight',
      platforms: ['linux/amd64'],
      allow: [],
    },
    serveLockDigest: digest('c'),
    signatureDigest: digest('d'),
    runtime: { version: '1.0.0', digest: digest('e') },
  };
}

it('is a function of its parts, whatever the order of fields', () => {
  const reordered = Object.fromEntries(Object.entries(createParts()).reverse()) as ImageKeyParts;
  expect(imageKey(createParts())).toMatch(/^ik1-[0-9a-f]{64}$/);
  expect(imageKey(reordered)).toBe(imageKey(createParts()));
});

it.each<[string, (parts: ImageKeyParts) => void]>([
  [
    'the name of the model',
    (parts) => {
      parts.model = 'other';
    },
  ],
  [
    'the model',
    (parts) => {
      parts.modelDigest = digest('f');
    },
  ],
  [
    'the serving lock',
    (parts) => {
      parts.serveLockDigest = digest('f');
    },
  ],
  [
    'the signature',
    (parts) => {
      parts.signatureDigest = digest('f');
    },
  ],
  [
    'the version of the runtime',
    (parts) => {
      parts.runtime.version = '1.0.1';
    },
  ],
  [
    'a file of the runtime',
    (parts) => {
      parts.runtime.digest = digest('f');
    },
  ],
  [
    'the digest of the base',
    (parts) => {
      parts.package.base = `python:3.11-slim@${digest('f')}`;
    },
  ],
  [
    'the name of the base',
    (parts) => {
      parts.package.base = `python:3.11@${digest('b')}`;
    },
  ],
  [
    'the repository',
    (parts) => {
      parts.package.repository = 'ghcr.io/acme/other';
    },
  ],
  [
    'the platform',
    (parts) => {
      parts.package.platforms = ['linux/arm64'];
    },
  ],
  [
    'the form of the model file',
    (parts) => {
      parts.package.model = 'out/model.pkl';
    },
  ],
  [
    'what the scan allows',
    (parts) => {
      parts.package.allow = ['mylib.Thing'];
    },
  ],
])('changes with %s', (_what, mutate) => {
  const parts = createParts();
  mutate(parts);
  expect(imageKey(parts)).not.toBe(imageKey(createParts()));
});

it('stays what it was, or images that are in registries are built again', () => {
  // sha256 over the canonical JSON, made apart with Python: json.dumps(value, sort_keys=True, separators=(",", ":")).
  expect(imageKey(createParts())).toBe('ik1-4595cdadaa7156b049b744c6661773b16e28f375e3e84fd415a38bec428e6bb2');
});
