import { gzipSync } from 'node:zlib';
import { type ZipEntry, zipOf } from '../hostile-zip.ts';
import { forkRun, refused, type SecurityCase } from '../security-case.ts';

const report: ZipEntry = { name: 'report.json', content: '{}' };
const zeros = Buffer.alloc(50_000_000);

function archive(name: string, entries: readonly ZipEntry[], says: RegExp): SecurityCase {
  return refused(name, { artifact: zipOf(entries) }, says);
}

/** A path where a file is expected. */
function named(name: string, file: string | Buffer, says = /no path inside it|invalid|absolute/): SecurityCase {
  return archive(`a path ${name}`, [report, { name: file, content: 'x' }], says);
}

function kind(name: string, mode: number): SecurityCase {
  return archive(`${name}`, [report, { name: 'x', content: '/etc/passwd', mode }], /which is no plain file/);
}

const whole = zipOf([report]);

export const archiveCases: SecurityCase[] = [
  named('that leads out', '../../.bashrc'),
  named('that leads out of a folder', 'a/../../b'),
  named('that ends in ..', 'a/..'),
  named('that is ..', '..'),
  named('that is absolute', '/etc/passwd'),
  named('with two slashes first', '//host/share'),
  named('with a drive', 'C:/Windows/x'),
  named('with a drive alone', 'C:x'),
  named('with backslashes', '..\\..\\x'),
  named('with one backslash', 'a\\b'),
  named('of dots', './report.json'),
  named('with a dot inside', 'a/./b'),
  named('with an empty part', 'a//b'),
  named('without a name', ''),
  named('with a line break', 'a\nb'),
  named('with a NUL', 'report.json\0.txt'),
  named('with an escape', 'a\u001b[2Jb'),
  named('with a part of 300 characters', 'a'.repeat(300)),
  named('of 2,000 characters', `${'a/'.repeat(1000)}b`),
  named('into .git', '.git/hooks/post-checkout', /holds 2 files/),
  named('of a workflow', '.github/workflows/x.yml', /holds 2 files/),
  named('in Latin-1', Buffer.from([0xff, 0xfe, 0x2f]), /.+/),
  kind('a link to a file', 0o120777),
  kind('a character device', 0o020666),
  kind('a block device', 0o060666),
  kind('a pipe', 0o010666),
  kind('a socket', 0o140777),
  kind('a kind of file that nobody knows', 0o170777),
  archive('the report is a link', [{ ...report, content: '/proc/self/environ', mode: 0o120777 }], /no plain file/),
  archive(
    'a link to a folder, and a file below it',
    [
      { name: 'd', content: '/tmp', mode: 0o120777 },
      { name: 'd/report.json', content: '{}' },
    ],
    /no plain file/,
  ),
  archive('a folder that is a device', [report, { name: 'd/', mode: 0o020666 }], /no plain file/),
  archive('a file twice', [report, report], /holds "report.json" twice/),
  archive('a file twice but for its case', [report, { ...report, name: 'REPORT.json' }], /twice/),
  archive(
    'a name in two Unicode forms',
    [
      { ...report, name: 'é' },
      { ...report, name: 'e\u0301' },
    ],
    /twice/,
  ),
  archive('a file that is a folder too', [report, { name: 'report.json/x', content: '' }], /as a file and as a folder/),
  archive('a bomb', [{ ...report, content: zeros, method: 'deflate' }], /of 50000000 bytes; 32000000 are allowed/),
  archive(
    'a bomb that says it is small',
    [{ ...report, content: zeros, method: 'deflate', size: 100 }],
    /too many bytes/,
  ),
  archive(
    'a bomb that says it is empty',
    [{ ...report, content: zeros, method: 'deflate', size: 0 }],
    /too many bytes/,
  ),
  archive(
    'a bomb in parts',
    Array.from({ length: 3 }, (_, i) => ({
      name: `f${i}`,
      content: zeros.subarray(0, 30_000_000),
      method: 'deflate' as const,
    })),
    /more than 64000000 bytes/,
  ),
  archive('a file shorter than it says', [{ ...report, size: 4000 }], /cannot be read/),
  archive(
    'thousands of files',
    Array.from({ length: 5000 }, (_, i) => ({ name: `f${i}` })),
    /lists 5000 files/,
  ),
  archive('an encrypted file', [{ ...report, method: 'deflate', flags: 1 }], /encrypted/),
  archive('a method that nobody knows', [{ ...report, method: 99 }], /cannot be read/),
  archive('a second file', [report, { name: 'x.sh', content: 'id', mode: 0o100755 }], /holds 2 files/),
  archive('a report in a folder', [{ ...report, name: 'a/report.json' }], /holds 1 files; report.json is expected/),
  archive('no file', [], /holds 0 files/),
  archive('a folder alone', [{ name: 'report.json/', mode: 0o040755 }], /holds 0 files/),
  refused('an archive that is cut off', { artifact: whole.subarray(0, whole.length - 10) }, /no zip/),
  refused('an empty archive', { artifact: Buffer.alloc(0) }, /no zip/),
  refused('a page instead of an archive', { artifact: Buffer.from('<html>fine</html>') }, /no zip/),
  refused('a gzip instead of a zip', { artifact: gzipSync('{}') }, /no zip/),
  refused('a zip behind a script', { artifact: Buffer.concat([Buffer.from('#!/bin/sh\nid\n'), whole]) }, /.+/),
  refused('an archive of 21 MB', { artifact: Buffer.alloc(21_000_000) }, /has 21000000 bytes; 20000000 are allowed/),
  {
    name: 'an archive that the forge takes for smaller',
    play: async (world) => {
      const made = await world.openRun({ artifact: null });
      await made.run.uploadArtifact('passloop-report', Buffer.alloc(21_000_000), { size: 10 });
      return { ...made, act: () => world.post(made.run.payload()) };
    },
    posts: false,
    says: /has more than 20000000 bytes/,
  },
  {
    name: 'an archive with another digest',
    play: async (world) => {
      const made = await world.openRun({ artifact: null });
      await made.run.uploadArtifact('passloop-report', whole, { digest: `sha256:${'0'.repeat(64)}` });
      return { ...made, act: () => world.post(made.run.payload()) };
    },
    posts: false,
    says: /its digest differs/,
  },
  { name: 'nothing: an honest archive is posted', play: forkRun(), posts: true, says: /^created$/ },
];
