import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassloopError, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeIcebergTable } from '../testing/iceberg-table.ts';
import { type ObjectServer, startObjectServer } from '../testing/object-server.ts';
import { fetchTable, type RemoteAccess, type RemoteLock } from './fetch-table.ts';

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'do-not-print-this/secret', sessionToken: 'session/+=' };
const csv = Buffer.from(`id,age\n${Array.from({ length: 20_000 }, (_, i) => `${i},${i % 90}`).join('\n')}\n`);

let folder: TemporaryFolder;
let server: ObjectServer;
let access: RemoteAccess;

beforeEach(async () => {
  folder = await temporaryFolder('fetch-test');
  server = await startObjectServer();
  const bucket = { endpoint: server.origin, region: 'eu-central-1' };
  access = {
    cache: path.join(folder.path, 'cache'),
    s3: { ...bucket, credentials: { kind: 'keys', keys } },
    gs: { ...bucket, credentials: { kind: 'bearer', token: 'ya29.secret-token' } },
    maxBytes: 1 << 20,
    now: () => new Date(),
    patience: { idleMs: 500, totalMs: 10_000, delaysMs: [5, 5, 5] },
  };
  server.objects.set('web/train.csv', { body: csv });
  server.objects.set('acme-data/train.csv', { body: csv });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const lock = (body = csv, version: string | null = null): RemoteLock => ({
  digest: sha256(body),
  bytes: body.length,
  version,
});

/** The error of a fetch, with nothing of a credential in it and nothing left behind. */
async function refused(uri: string, locked: RemoteLock | null = null): Promise<PassloopError> {
  const error = await fetchTable(uri, access, locked).then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PassloopError)) throw error;
  const said = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`;
  for (const secret of [keys.secretAccessKey, keys.sessionToken, 'ya29', 'Signature='])
    expect(said).not.toContain(secret);
  const left = await readdir(access.cache).catch(() => []);
  expect(left.filter((name) => name.startsWith('incoming'))).toEqual([]);
  return error;
}

describe('a single object', () => {
  it('is fetched once and verified each time', async () => {
    const uri = `${server.origin}/web/train.csv`;
    const first = await fetchTable(uri, access, null);
    expect(first).toMatchObject({
      digest: sha256(csv),
      bytes: csv.length,
      found: { uri, format: 'csv', folder: null },
    });
    expect(first.version).toMatch(/^"[0-9a-f]{32}"$/);
    const [file = ''] = first.found.files;
    expect(await readFile(file)).toEqual(csv);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect((await stat(access.cache)).mode & 0o077).toBe(0);

    expect((await fetchTable(uri, access, lock())).found.files).toEqual([file]);
    expect(server.requests).toHaveLength(1);
  });

  it('is fetched again where the cache has other bytes, or a link, under its digest', async () => {
    const uri = `${server.origin}/web/train.csv`;
    const [file = ''] = (await fetchTable(uri, access, null)).found.files;
    await writeFile(file, 'id,age\n1,1\n');
    expect((await fetchTable(uri, access, lock())).digest).toBe(sha256(csv));
    expect(await readFile(file)).toEqual(csv);
    await mkdir(path.join(folder.path, 'elsewhere'));
    const other = { ...access, cache: path.join(folder.path, 'other') };
    await mkdir(other.cache);
    await symlink(path.join(folder.path, 'elsewhere'), path.join(other.cache, sha256(csv).slice(7)));
    expect((await fetchTable(uri, other, lock())).found.files[0]).toContain(path.join('other', sha256(csv).slice(7)));
  });

  it('may be fetched by several at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 4 }, () => fetchTable('s3://acme-data/train.csv', access, lock())),
    );
    expect(new Set(all.map(({ found }) => found.files[0])).size).toBe(1);
    expect(await readdir(access.cache)).toEqual([sha256(csv).slice(7)]);
  });

  it('goes on after breaks', async () => {
    server.faults.push({ kind: 'cut', after: 70_000 }, { kind: 'reset' }, { kind: 'cut', after: 20_000 });
    const { digest } = await fetchTable('s3://acme-data/train.csv', access, lock());
    expect(digest).toBe(sha256(csv));
    const ranges = server.requests.map((request) => request.split(' ')[2]);
    expect(ranges).toEqual(['-', 'bytes=70000-', 'bytes=70000-', 'bytes=90000-']);
  });

  it('begins again where the server gives no strong etag', async () => {
    server.objects.set('web/weak.csv', { body: csv, etag: 'W/"1"' });
    server.faults.push({ kind: 'cut', after: 70_000 }, { kind: 'status', status: 503 });
    await fetchTable(`${server.origin}/web/weak.csv`, access, lock());
    expect(server.requests.map((request) => request.split(' ')[2])).toEqual(['-', '-', '-']);
  });

  it('asks for the locked version where a newer one is there', async () => {
    const newer = Buffer.from('id,age\n1,1\n');
    const versions = { version: 'v2', earlier: { v1: csv } };
    server.objects.set('acme-data/train.csv', { body: newer, ...versions });
    const now = await fetchTable('s3://acme-data/train.csv', access, null);
    expect(now.version).toBe('version:v2');
    const { digest } = await fetchTable('s3://acme-data/train.csv', access, lock(csv, 'version:v1'));
    expect(digest).toBe(sha256(csv));
    expect(server.requests.at(-1)).toContain('/acme-data/train.csv?versionId=v1');
  });

  it('follows a redirect on the same host, and refuses one to another', async () => {
    server.faults.push({ kind: 'status', status: 302, headers: { location: '/web/train.csv' } });
    expect((await fetchTable(`${server.origin}/web/moved.csv`, access, lock())).digest).toBe(sha256(csv));
    access = { ...access, cache: path.join(folder.path, 'fresh') };
    await using foreign = await startObjectServer();
    foreign.objects.set('web/train.csv', { body: csv });
    server.faults.push({ kind: 'status', status: 302, headers: { location: `${foreign.origin}/web/train.csv?sig=x` } });
    const error = await refused(`${server.origin}/web/moved.csv`, lock());
    expect(error.message).toContain(`redirects to another place, ${foreign.origin},`);
    expect(error.exitCode).toBe(2);
    server.faults.push({ kind: 'status', status: 307, headers: { location: `${foreign.origin}/acme-data/train.csv` } });
    expect((await refused('s3://acme-data/train.csv', lock())).message).toContain('redirects elsewhere (307)');
    expect(foreign.requests).toEqual([]);
  });

  it.each<[string, string, () => void, RemoteLock | null, number, RegExp]>([
    [
      'that is missing',
      'web/none.csv',
      () => {},
      null,
      2,
      /^There is nothing at http:\/\/127.0.0.1:\d+\/web\/none.csv \(404\)/,
    ],
    [
      'that needs a login',
      'web/train.csv',
      () => server.faults.push({ kind: 'status', status: 401 }),
      null,
      2,
      /may not be read without a credential \(401\)/,
    ],
    [
      'of another length',
      'web/train.csv',
      () => {},
      { ...lock(), bytes: 3 },
      2,
      /is not what the lock says: expected 3 bytes, it has \d+/,
    ],
    [
      'of other bytes',
      'web/train.csv',
      () => {},
      { ...lock(), digest: sha256('') },
      2,
      /is not what the lock says: expected sha256:e3b0/,
    ],
    [
      'without an end, locked',
      'web/train.csv',
      () => server.faults.push({ kind: 'endless' }),
      lock(),
      2,
      /it has more/,
    ],
    [
      'without an end',
      'web/train.csv',
      () => server.faults.push({ kind: 'endless' }),
      null,
      2,
      /without a lock at most 1048576 are read/,
    ],
    [
      'that is always cut off',
      'web/train.csv',
      () => server.faults.push(...Array.from({ length: 9 }, () => ({ kind: 'cut' as const, after: 10 }))),
      lock(),
      3,
      /could not be read in 4 attempts: the connection broke after \d+ bytes/,
    ],
    [
      'of a server that fails',
      'web/train.csv',
      () => server.faults.push(...Array.from({ length: 9 }, () => ({ kind: 'status' as const, status: 500 }))),
      lock(),
      3,
      /4 attempts: it answered 500/,
    ],
    [
      'of a server that says nothing',
      'web/train.csv',
      () => {
        access = { ...access, patience: { idleMs: 30, totalMs: 5000, delaysMs: [] } };
        server.faults.push({ kind: 'silent' });
      },
      lock(),
      3,
      /nothing came for 0.03 s/,
    ],
    [
      'that takes too long',
      'web/train.csv',
      () => {
        access = { ...access, patience: { idleMs: 5000, totalMs: 100, delaysMs: [] } };
        server.faults.push({ kind: 'silent' });
      },
      lock(),
      3,
      /was not read within 0 s/,
    ],
    [
      'sent compressed',
      'web/zipped.csv',
      () => server.objects.set('web/zipped.csv', { body: csv, headers: { 'content-encoding': 'gzip' } }),
      null,
      2,
      /is sent as gzip/,
    ],
    ['that is no table', 'web/page.html', () => {}, null, 2, /has no ending that tells a table format/],
  ])('%s is refused', async (_name, name, arrange, locked, exitCode, message) => {
    arrange();
    const error = await refused(`${server.origin}/${name}`, locked);
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(exitCode);
    expect(error.hint ?? 'none').not.toBe('');
  });

  it('is not reached where nobody listens', async () => {
    const { origin } = server;
    await server[Symbol.asyncDispose]();
    const error = await refused(`${origin}/web/train.csv`);
    expect(error.message).toMatch(/could not be read in 4 attempts: .*ECONNREFUSED/);
    expect(error.exitCode).toBe(3);
    server = await startObjectServer();
  });
});

describe('a bucket', () => {
  beforeEach(() => {
    server.keys = keys;
  });

  it.each(['plain.csv', 'day=1/ü +%25&=\'"(x)!.csv'])('gives %s to a signed request', async (key) => {
    server.objects.set(`acme-data/${key}`, { body: csv });
    const prefix = key.includes('/') ? 'day=1/' : '';
    const uri = prefix === '' ? `s3://acme-data/${key}` : `s3://acme-data/${prefix}`;
    expect((await fetchTable(uri, access, null)).bytes).toBe(csv.length);
  });

  it('lists a prefix page by page, leaves out what is beside the data, and takes what a glob matches', async () => {
    server.pageSize = 2;
    const part = Buffer.from('id\n1\n');
    for (const name of ['a.csv', 'b/c.csv', 'b/d.csv', 'b/_SUCCESS', '.x/e.csv', 'readme.md', 'b/', 'z.csv'])
      server.objects.set(`acme-data/in/${name}`, { body: name === 'b/' ? Buffer.alloc(0) : part });
    const whole = await fetchTable('s3://acme-data/in/', access, null);
    expect(whole.found.files.map((file) => path.relative(whole.found.folder ?? '', file))).toEqual([
      'a.csv',
      'b/c.csv',
      'b/d.csv',
      'z.csv',
    ]);
    expect(whole.version).toBe(null);
    expect(whole.bytes).toBe(20);
    const some = await fetchTable('s3://acme-data/in/b/*.csv', access, null);
    expect(some.found.files.map((file) => path.basename(file))).toEqual(['c.csv', 'd.csv']);
    const requests = server.requests.length;
    expect((await fetchTable('s3://acme-data/in/', access, { ...whole, version: null })).digest).toBe(whole.digest);
    expect(server.requests).toHaveLength(requests);
    server.objects.set('acme-data/in/y.csv', { body: part });
    await using fresh = await temporaryFolder('fetch-test');
    access = { ...access, cache: fresh.path };
    const stale = await refused('s3://acme-data/in/', { ...whole, version: null });
    expect(stale.message).toContain('is not what the lock says');
  });

  it('gives the active files of a Delta table, and the locked version of it later', async () => {
    const golden = path.resolve(import.meta.dirname, '../../golden/delta/partitioned');
    for (const entry of await readdir(golden, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      server.objects.set(`acme-data/sales/${path.relative(golden, file)}`, { body: await readFile(file) });
    }
    const log = 'acme-data/sales/_delta_log/00000000000000000002.json';
    const newest = server.objects.get(log);
    server.objects.delete(log);
    const first = await fetchTable('s3://acme-data/sales/', access, null);
    expect(first.version).toBe('delta:1');
    const asked = server.requests.filter((request) => request.includes('part-')).length;
    expect(asked).toBe(first.found.files.length);

    if (newest !== undefined) server.objects.set(log, newest);
    access = { ...access, cache: path.join(folder.path, 'later') };
    const locked = { digest: first.digest, bytes: first.bytes, version: first.version };
    expect((await fetchTable('s3://acme-data/sales/', access, locked)).digest).toBe(first.digest);
    const now = await fetchTable('s3://acme-data/sales/', access, null);
    expect(now.version).toBe('delta:2');
    expect(now.digest).not.toBe(first.digest);
  });

  it('gives one snapshot of an Iceberg table, and the locked one of it later', async () => {
    const golden = path.resolve(import.meta.dirname, '../../golden/iceberg/plain');
    const put = async (isWanted: (name: string) => boolean) => {
      for (const entry of await readdir(golden, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath, entry.name);
        if (!entry.isFile() || !isWanted(entry.name)) continue;
        server.objects.set(`acme-data/sales/${path.relative(golden, file)}`, { body: await readFile(file) });
      }
    };
    await put((name) => !name.endsWith('.json') || name.startsWith('00002-'));
    const first = await fetchTable('s3://acme-data/sales/', access, null);
    expect(first.version).toMatch(/^iceberg:\d+$/);
    expect(first.found.files).toHaveLength(2);
    const asked = server.requests.map((request) => request.replace(/^GET \S*?\/sales\//, '').replace(/\?.*| .*/, ''));
    expect(asked.filter((name) => name.endsWith('.parquet'))).toHaveLength(2);
    expect(asked.filter((name) => name.endsWith('.avro'))).toHaveLength(3);

    await put((name) => name.endsWith('.json'));
    server.objects.set('acme-data/sales/metadata/version-hint.text', { body: Buffer.from('2') });
    access = { ...access, cache: path.join(folder.path, 'later') };
    const locked = { digest: first.digest, bytes: first.bytes, version: first.version };
    for (const _twice of [1, 2]) {
      const again = await fetchTable('s3://acme-data/sales/', access, locked);
      expect([again.digest, again.version]).toEqual([first.digest, first.version]);
    }
    const now = await fetchTable('s3://acme-data/sales/', access, null);
    expect(now.version).not.toBe(first.version);
    expect(now.digest).not.toBe(first.digest);
  });

  it('refuses an Iceberg table whose metadata leads elsewhere', async () => {
    await using table = await temporaryFolder('fetch-test');
    await writeIcebergTable(table.path, { entries: [{ path: 's3://bucket/warehouse/table/../../other/a.parquet' }] });
    for (const name of ['v1.metadata.json', 'list.avro', 'm0.avro']) {
      const body = await readFile(path.join(table.path, 'metadata', name));
      server.objects.set(`acme-data/sales/metadata/${name}`, { body });
    }
    const error = await refused('s3://acme-data/sales/');
    expect(error.message).toContain('has a file outside of its folder');
    expect(server.requests.some((request) => request.includes('a.parquet'))).toBe(false);
  });

  it.each([
    '../../x.csv',
    '/etc/x.csv',
    'a//b.csv',
    './b.csv',
    'a\nb.csv',
    'a\\b.csv',
    `${'n'.repeat(300)}.csv`,
  ])('with the hostile key %j is refused', async (key) => {
    server.objects.set(`acme-data/in/${key}`, { body: csv });
    const error = await refused('s3://acme-data/in/');
    expect(error.message).toContain('holds an object whose key is no path');
  });

  it('with keys that are a file and a folder at once is refused', async () => {
    for (const name of ['a.csv', 'a.csv/b.csv']) server.objects.set(`acme-data/in/${name}`, { body: csv });
    const error = await refused('s3://acme-data/in/');
    expect(error.message).toMatch(/holds the key "in\/a\.csv(\/b\.csv)?" and one that can't lie beside it on a disk/);
    expect(error.message).not.toContain(folder.path);
    expect((await refused('s3://acme-data/in')).hint).toContain('A prefix of several files ends in "/"');
  });

  it('with too many objects or bytes is refused', async () => {
    for (const name of ['a', 'b', 'c']) server.objects.set(`acme-data/in/${name}.csv`, { body: csv });
    access = { ...access, maxBytes: csv.length * 2 };
    expect((await refused('s3://acme-data/in/')).message).toMatch(
      /c\.csv has \d+ bytes, and without a lock at most 0 are read/,
    );
    for (let i = 0; i < 10_001; i++) server.objects.set(`acme-data/many/${i}.csv`, { body: csv });
    expect((await refused('s3://acme-data/many/')).message).toContain('holds more than 10000 objects');
  });

  it.each<[string, string, () => void, RegExp, RegExp]>([
    [
      'without a credential',
      's3://acme-data/train.csv',
      () => {
        access = { ...access, s3: { ...access.s3, credentials: null } };
      },
      /may not be read without a credential \(403 AccessDenied\), and there is none/,
      /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'with a wrong secret',
      's3://acme-data/train.csv',
      () => {
        server.keys = { ...keys, secretAccessKey: 'other' };
      },
      /403 SignatureDoesNotMatch/,
      /AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is wrong/,
    ],
    [
      'without the permission',
      's3://acme-data/train.csv',
      () => server.forbidden.add('acme-data/train.csv'),
      /may not be read with the credential that is set \(403 AccessDenied\)/,
      /s3:GetObject on arn:aws:s3:::acme-data\/train\.csv/,
    ],
    [
      'without the permission to list',
      's3://acme-data/in/',
      () => server.forbidden.add('acme-data/'),
      /may not be listed/,
      /s3:ListBucket on arn:aws:s3:::acme-data/,
    ],
    [
      'without the object',
      's3://acme-data/none.csv',
      () => {},
      /There is nothing at s3:\/\/acme-data\/none\.csv \(404\)/,
      /Mend the address/,
    ],
    ['without a file', 's3://acme-data/none/', () => {}, /holds no table file/, /ends in "\/"/],
    [
      'of another region',
      's3://acme-data/train.csv',
      () => server.faults.push({ kind: 'status', status: 301, headers: { 'x-amz-bucket-region': 'us-west-2' } }),
      /lies in another region/,
      /AWS_REGION=us-west-2/,
    ],
    [
      'over an open line',
      's3://acme-data/train.csv',
      () => {
        access = { ...access, s3: { ...access.s3, endpoint: 'http://minio.example.org' } };
      },
      /http:\/\/minio\.example\.org is not encrypted/,
      /https/,
    ],
    [
      'of Google without its token',
      'gs://acme-data/train.csv',
      () => {
        access = { ...access, gs: { ...access.gs, credentials: null } };
      },
      /without a credential/,
      /GOOGLE_OAUTH_ACCESS_TOKEN/,
    ],
  ])('%s is refused', async (_name, uri, arrange, message, hint) => {
    arrange();
    const error = await refused(uri);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(error.exitCode).toBe(2);
  });

  it('of Google takes a token, or keys of its own', async () => {
    server.keys = null;
    server.token = 'ya29.secret-token';
    expect((await fetchTable('gs://acme-data/train.csv', access, null)).bytes).toBe(csv.length);
    server.keys = keys;
    server.token = null;
    const gs = { ...access.gs, region: 'auto', credentials: access.s3.credentials };
    expect((await fetchTable('gs://acme-data/train.csv', { ...access, gs }, null)).bytes).toBe(csv.length);
  });
});

it.each([
  ['https://user:secret@example.org/a.csv', /a user name or password/],
  ['https://example.org/a.csv?X-Amz-Signature=abc', /the query parameter `X-Amz-Signature`/],
  ['https://example.org/a.csv?sv=1&sig=abc', /the query parameter `sig`/],
  ['http://example.org/a.csv', /is not encrypted/],
  ['http://169.254.169.254/latest/a.csv', /is not encrypted/],
  ['https://example.org/data/', /names several files/],
  ['https://example.org/*.csv', /names several files/],
  ['s3://evil.example.org@acme/a.csv', /names no bucket/],
  ['s3://acme:443/a.csv', /names no bucket/],
  ['s3://acme/../other/a.csv', /an empty part, "\." or "\.\."/],
  ['s3://acme/a\nb.csv', /a control character/],
  ['s3://acme/\ud800.csv', /what is no text/],
  ['https://example.org/a b.csv', /is no address/],
  ['ftp://example.org/a.csv', /a scheme that Passloop does not read/],
  ['file:///etc/passwd.csv', /a scheme that Passloop does not read/],
])('refuses the address %j before anything is sent', async (uri, message) => {
  const error = await refused(uri);
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain('secret@');
  expect(error.message).not.toContain('abc');
  expect(server.requests).toEqual([]);
});
