import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256 } from '@passloop/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ArtifactLimits, documentLimits, readArtifactArchive } from './artifact-archive.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'passloop-archive-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A zip as Python's own zipfile writes it from `body`, which has `z`, the archive, and `zipfile`. */
function zip(body: string): Buffer {
  const script = `import io, sys, warnings, zipfile
warnings.simplefilter("ignore")
def special(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info
out = io.BytesIO()
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
    ${body.split('\n').join('\n    ')}
sys.stdout.buffer.write(out.getvalue())`;
  return execFileSync('python3', ['-c', script], { maxBuffer: 1 << 28 });
}

async function read(
  archive: Buffer,
  limits: Partial<ArtifactLimits> = {},
  expectedDigest: string | null = null,
): Promise<string[]> {
  const file = path.join(root, 'artifact.zip');
  await writeFile(file, archive);
  const folder = path.join(root, 'incoming');
  return await readArtifactArchive(file, {
    name: 'report',
    folder,
    limits: { ...documentLimits, ...limits },
    expectedDigest,
  });
}

async function unpacked(): Promise<string[]> {
  return await readdir(path.join(root, 'incoming'), { recursive: true }).catch(() => []);
}

const honest = 'z.writestr("report.json", "{}")';

it('unpacks plain files that nobody can execute', async () => {
  const archive = zip(`${honest}\nz.writestr("files/out/", "")\nz.writestr(special("files/run.sh", 0o100755), "id")`);
  expect(await read(archive, {}, sha256(archive))).toEqual(['files/run.sh', 'report.json']);
  expect(await readFile(path.join(root, 'incoming/report.json'), 'utf8')).toBe('{}');
  expect((await stat(path.join(root, 'incoming/files/run.sh'))).mode & 0o777).toBe(0o600);
});

describe('unpacks nothing of an archive that holds', () => {
  it.each<[string, string, RegExp]>([
    ['a path that leads out', 'z.writestr("../../.bashrc", "x")', /invalid relative path/],
    ['a path that leads out later', 'z.writestr("a/../../b", "x")', /invalid relative path/],
    ['an absolute path', 'z.writestr("/etc/passwd", "x")', /absolute path/],
    ['a drive', 'z.writestr("C:/x", "x")', /absolute path|no path inside it/],
    ['a backslash', 'z.writestr("..\\\\x", "x")', /invalid characters|relative path/],
    ['a path of dots', 'z.writestr("a/./b", "x")', /no path inside it/],
    ['an empty name', 'z.writestr("a//b", "x")', /no path inside it/],
    ['a control character', 'z.writestr("\\u00e9\\nb", "x")', /no path inside it/],
    ['a name of 300 characters', 'z.writestr("a" * 300, "x")', /no path inside it/],
    ['a link', 'z.writestr(special("link", 0o120777), "/etc/passwd")', /holds "link", which is no plain file/],
    ['a link to a folder', 'z.writestr(special("files", 0o120777), "/etc")\nz.writestr("files/x", "x")', /no plain/],
    ['a device', 'z.writestr(special("tty", 0o020666), "")', /no plain file/],
    ['a socket', 'z.writestr(special("s", 0o140666), "")', /no plain file/],
    ['a pipe', 'z.writestr(special("p", 0o010666), "")', /no plain file/],
    ['a file twice', 'z.writestr("a", "x")\nz.writestr("a", "y")', /holds "a" twice/],
    ['a file twice but for its case', 'z.writestr("a", "x")\nz.writestr("A", "y")', /holds "A" twice/],
    ['a file that is a folder too', 'z.writestr("a", "x")\nz.writestr("a/b", "y")', /as a file and as a folder/],
    ['a bomb', 'z.writestr("a", b"0" * 50_000_000)', /"a" of 50000000 bytes; 32000000 are allowed/],
    ['a bomb in parts', 'for i in range(5): z.writestr(f"f{i}", b"0" * 20_000_000)', /more than 64000000 bytes/],
    ['thousands of files', 'for i in range(2000): z.writestr(f"f{i}", "")', /lists 2001 files; 200 are allowed/],
  ])('%s', async (_, body, message) => {
    await expect(read(zip(`${honest}\n${body}`))).rejects.toThrow(message);
    expect(await unpacked()).toEqual([]);
  });
});

it('stops a bomb that says that it is small', async () => {
  const archive = zip('z.writestr("report.json", b"0" * 50_000_000)');
  // Both headers say 100 bytes; the data is what it is.
  const size = Buffer.from('80f0fa02', 'hex');
  for (let at = archive.indexOf(size); at >= 0; at = archive.indexOf(size)) archive.writeUInt32LE(100, at);
  await expect(read(archive)).rejects.toThrow(/cannot be read: .*too many bytes/);
});

it('takes no archive that is not what the forge names, is too large, or is none', async () => {
  const archive = zip(honest);
  await expect(read(archive, {}, sha256('another'))).rejects.toThrow(/its digest differs/);
  await expect(read(archive, { archiveBytes: 10 })).rejects.toThrow(/bytes; 10 are allowed/);
  await expect(read(archive.subarray(0, archive.length - 10))).rejects.toThrow(/no zip/);
  await expect(read(Buffer.alloc(0))).rejects.toThrow(/no zip/);
  expect(await unpacked()).toEqual([]);
});
