import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { call, dtype, op, stackGlobal, text, wrapper } from './hostile-pickles.ts';
import { scanModelFile } from './scan-model-file.ts';

const innocent = op(0x80, 4, '](', wrapper([4], dtype('f8')), Buffer.alloc(32, 0x2e), 'e.');
const evil = op(0x80, 4, call(stackGlobal('posix', 'system'), 'true'), '.');

const scan = (name: string, bytes: Buffer) => scanModelFile(bytes, { name });
const rulesOf = (file: { findings: { rule: string }[] }) => file.findings.map(({ rule }) => rule);

describe('compressed pickles', () => {
  it.each([
    ['zlib', deflateSync, 'trailing-bytes'],
    // zlib itself refuses what follows a gzip member and is none.
    ['gzip', gzipSync, 'malformed'],
  ])('%s is looked into', async (format, compress, rule) => {
    expect(await scan('a.joblib', compress(innocent))).toMatchObject({ verdict: 'pass', format: `${format}:joblib` });
    expect(await scan('a.joblib', compress(evil))).toMatchObject({ verdict: 'fail', globals: ['posix.system'] });
    expect(rulesOf(await scan('a.joblib', Buffer.concat([compress(innocent), evil])))).toContain(rule);
    expect((await scan('a.joblib', compress(innocent).subarray(0, -3))).verdict).toBe('inconclusive');
  });

  it('does not let a small file become a large one, and leaves no temporary file', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('passloop-scan-'));
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const scanned = await scanModelFile(bomb, { limits: { decompressedBytes: 1_000_000 } });
    expect(scanned).toMatchObject({ verdict: 'inconclusive', findings: [{ rule: 'limit' }] });
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('passloop-scan-'));
    expect(after).toEqual(before);
  });

  it.each([
    ['bzip2', 'BZh91AY'],
    ['xz', '\xfd7zXZ\0'],
    ['lzma', ']\0\0\x80\0'],
    ['lz4', '\x04"M\x18'],
    ['zstd', '(\xb5/\xfd'],
  ])('%s is inconclusive, never a pass', async (format, magic) => {
    expect(await scan('a.joblib', Buffer.from(magic, 'latin1'))).toMatchObject({ verdict: 'inconclusive', format });
  });
});

describe('names and bytes', () => {
  it.each([
    'model.onnx',
    'model.safetensors',
    'weights.npy',
    'MODEL.NPZ',
    'model.h5',
  ])('%s that is a pickle', async (name) => {
    expect(rulesOf(await scan(name, innocent))).toContain('disguised-pickle');
    expect(rulesOf(await scan(name, evil))).toEqual(expect.arrayContaining(['disguised-pickle', 'forbidden-import']));
    expect((await scan(name, gzipSync(innocent))).verdict).toBe('fail');
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'empty'],
    ['a text', Buffer.from('hello, I am a model'), 'unknown'],
    ['JSON', Buffer.from('{"learner": {}}'), 'unknown'],
    ['HDF5', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), 'hdf5'],
    ['GGUF', Buffer.from('GGUF\x03\0\0\0'), 'gguf'],
  ])('%s is inconclusive', async (_name, bytes, format) => {
    expect(await scan('model', bytes)).toMatchObject({
      verdict: 'inconclusive',
      format,
      findings: [{ rule: 'unread-format' }],
    });
  });

  it('a file reads as its bytes do, windows apart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scan-test-'));
    const path = join(folder, 'model.joblib');
    const items = Array.from({ length: 40 }, () => [
      text('x'.repeat(200)),
      wrapper([250, 250], dtype('f8')),
      Buffer.alloc(500_000, 0xff),
    ]);
    await writeFile(path, op(0x80, 4, '](', ...items.flat(), 'e.'));
    expect(await scanModelFile(path)).toMatchObject({ path, verdict: 'pass', format: 'joblib' });
    await writeFile(path, op(0x80, 4, '](', ...items.flat(), evil.subarray(2, -1), 'e.'));
    expect(await scanModelFile(path)).toMatchObject({ verdict: 'fail' });
    await writeFile(path, gzipSync(op(0x80, 4, '](', ...items.flat(), evil.subarray(2, -1), 'e.')));
    expect(await scanModelFile(path)).toMatchObject({ verdict: 'fail', format: 'gzip:joblib' });
    await rm(folder, { recursive: true });
    await expect(scanModelFile(path)).rejects.toThrow(/There is no file .*model\.joblib to scan/);
  });

  it('neither a folder nor a pipe is read, and none is waited for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scan-test-'));
    execFileSync('python3', ['-c', 'import os, sys; os.mkfifo(sys.argv[1])', join(folder, 'model.joblib')]);
    await expect(scanModelFile(folder)).rejects.toThrow(/is a folder/);
    await expect(scanModelFile(join(folder, 'model.joblib'))).rejects.toThrow(/is no regular file/);
    await rm(folder, { recursive: true });
  });
});

function npy(descr: string, shape: string, data: Buffer): Buffer {
  const header = `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;
  return op(0x93, 'NUMPY', 1, 0, header.length & 255, header.length >> 8, header, data);
}

describe('npy', () => {
  it.each([
    ['numbers', npy("'<f8'", '(2, 3)', Buffer.alloc(48)), 'pass'],
    ['records', npy("[('a', '<f8'), ('b', '<i4', (2,))]", '(2,)', Buffer.alloc(32)), 'pass'],
    ['objects', npy("'|O'", '(1,)', op(0x80, 4, ']Na.')), 'pass'],
    ['hostile objects', npy("'|O'", '(1,)', evil), 'fail'],
    ['hostile objects in a record', npy("[('a', '|O')]", '(1,)', evil), 'fail'],
    ['a payload behind', npy("'<f8'", '(1,)', op(Buffer.alloc(8), evil)), 'fail'],
    ['a shape that lies', npy("'<f8'", '(9,)', Buffer.alloc(8)), 'inconclusive'],
    [
      'a header whose escaped key says otherwise',
      npy("'<f8', 'desc\\x72': '|O'", '(1,)', op(Buffer.alloc(0), evil.subarray(0, 8))),
      'inconclusive',
    ],
    ['a header with more', npy("'<f8', 'a': 1", '(1,)', Buffer.alloc(8)), 'inconclusive'],
    ['a header that computes', npy("__import__('os')", '(1,)', Buffer.alloc(8)), 'inconclusive'],
    ['a negative shape', npy("'<f8'", '(-1,)', Buffer.alloc(8)), 'inconclusive'],
  ])('%s', async (_name, bytes, verdict) => {
    expect((await scan('a.npy', bytes)).verdict).toBe(verdict);
  });
});

interface Member {
  name: string;
  data: Buffer;
  deflate?: boolean;
  /** What the local header says, where that differs. */
  local?: string;
}

function zip(members: Member[], prefix = Buffer.alloc(0)): Buffer {
  const locals: Buffer[] = [prefix];
  const directory: Buffer[] = [];
  let at = prefix.length;
  for (const { name, data, deflate, local } of members) {
    const content = deflate ? deflateRawSync(data) : data;
    const common = Buffer.alloc(22);
    common.writeUInt16LE(deflate ? 8 : 0, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(data.length, 18);
    const lengthOf = (value: string) => Buffer.from([Buffer.byteLength(value), 0, 0, 0]);
    const header = op('PK\x03\x04', common, lengthOf(local ?? name), local ?? name);
    const offset = Buffer.alloc(4);
    offset.writeUInt32LE(at);
    directory.push(op('PK\x01\x02', 20, 0, common, lengthOf(name), Buffer.alloc(10), offset, name));
    locals.push(header, content);
    at += header.length + content.length;
  }
  const end = Buffer.alloc(18);
  const size = Buffer.concat(directory).length;
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, ...directory, op('PK\x05\x06', end)]);
}

/** One directory where the end says; another, of the same length, right before the end, where Python's zipfile looks. */
function twoDirectories(): Buffer {
  const good = zip([{ name: 'a.npy', data: npy("'<f8'", '(1,)', Buffer.alloc(8)) }]);
  const bad = zip([{ name: 'b.npy', data: npy("'|O'", '(1,)', evil) }]);
  return Buffer.concat([good.subarray(0, -22), bad.subarray(0, -22), good.subarray(-22)]);
}

describe('zip', () => {
  const storage = op(
    op('(', text('storage'), stackGlobal('torch', 'FloatStorage'), text('0'), text('cpu'), 'K', 4, 'tQ'),
    op('K', 0, 'K', 4, 0x85, 'K', 1, 0x85, 0x89, stackGlobal('collections', 'OrderedDict'), ')Rt'),
  );
  const state = op(0x80, 2, stackGlobal('collections', 'OrderedDict'), ')R(', text('weight'), stackGlobal('torch._utils', '_rebuild_tensor_v2'), '(', storage, 'Ru.'); // biome-ignore format: one pickle
  const torch = (data: Buffer) => [
    { name: 'm/data.pkl', data },
    { name: 'm/data/0', data: Buffer.from('\x80\x02cos\nsystem\n', 'latin1') },
    { name: 'm/version', data: Buffer.from('3\n') },
    { name: 'm/byteorder', data: Buffer.from('little') },
  ];

  it('passes a state dictionary of PyTorch, whose raw storages may look like anything', async () => {
    const scanned = await scan('m.pt', zip(torch(state)));
    expect(scanned).toMatchObject({ verdict: 'pass', format: 'torch', findings: [] });
    expect(scanned.globals).toEqual([
      'collections.OrderedDict',
      'torch.FloatStorage',
      'torch._utils._rebuild_tensor_v2',
    ]);
  });

  it('fails a whole module, which needs its code', async () => {
    const module = op(0x80, 2, stackGlobal('torch.nn.modules.linear', 'Linear'), ')', 0x81, '}b.');
    expect(await scan('m.pt', zip(torch(module)))).toMatchObject({
      verdict: 'fail',
      globals: ['torch.nn.modules.linear.Linear'],
    });
  });

  it.each([
    ['a hostile pickle', zip([{ name: 'a/data.pkl', data: evil }]), 'forbidden-import'],
    ['a deflated one', zip([{ name: 'a/data.pkl', data: evil, deflate: true }]), 'forbidden-import'],
    ['one by another name', zip([{ name: 'readme.txt', data: evil }]), 'forbidden-import'],
    [
      'one of protocol 0, by its name',
      zip([{ name: 'x.PKL', data: Buffer.from('cos\nsystem\n.') }]),
      'forbidden-import',
    ],
    [
      'a member with two names',
      zip([{ name: 'a.npy', local: 'b.npy', data: npy("'<f8'", '(1,)', Buffer.alloc(8)) }]),
      'header-mismatch',
    ],
    [
      'a member twice',
      zip([1, 2].map(() => ({ name: 'a.npy', data: npy("'<f8'", '(1,)', Buffer.alloc(8)) }))),
      'header-mismatch',
    ],
    ['a way out', zip([{ name: '../../a.npy', data: npy("'<f8'", '(1,)', Buffer.alloc(8)) }]), 'unsafe-path'],
    [
      'a Lambda of Keras',
      zip([{ name: 'config.json', data: Buffer.from('{"a":[{"b":{"class_name":"Lambda"}}]}') }]),
      'custom-code',
    ],
    [
      'a module of Keras',
      zip([{ name: 'config.json', data: Buffer.from('{"a":{"module":"os","class_name":"system"}}') }]),
      'custom-code',
    ],
    [
      'code of TorchScript',
      zip([...torch(state), { name: 'm/code/a.py', data: Buffer.from('def f(): pass') }]),
      'unread-format',
    ],
    ['a second directory, which Python takes', twoDirectories(), 'header-mismatch'],
    [
      'an end behind the end',
      Buffer.concat([zip([]), op('PK\x05\x06', Buffer.alloc(18)), Buffer.alloc(5)]),
      'header-mismatch',
    ],
    ['no directory', Buffer.from('PK\x03\x04 and nothing more'), 'malformed'],
  ])('%s is found', async (_name, bytes, rule) => {
    const scanned = await scan('model.zip', bytes);
    expect(scanned.verdict).not.toBe('pass');
    expect(rulesOf(scanned)).toContain(rule);
  });

  it('bounds all members together, and what a directory lies about them', async () => {
    const members = Array.from({ length: 8 }, (_, at) => ({
      name: `${at}.npy`,
      data: npy("'<f8'", '(100000,)', Buffer.alloc(800_000)),
      deflate: true,
    }));
    expect((await scanModelFile(zip(members))).verdict).toBe('pass');
    const scanned = await scanModelFile(zip(members), { limits: { decompressedBytes: 3_000_000 } });
    expect(scanned).toMatchObject({ verdict: 'inconclusive', findings: [{ rule: 'limit' }] });
  });

  it('looks at every array of an npz', async () => {
    const good = { name: 'a.npy', data: npy("'<f8'", '(1,)', Buffer.alloc(8)), deflate: true };
    expect((await scan('a.npz', zip([good]))).verdict).toBe('pass');
    expect((await scan('a.npz', zip([good, { name: 'b.npy', data: npy("'|O'", '(1,)', evil) }]))).verdict).toBe('fail');
  });
});

describe('safetensors', () => {
  const tensors = (header: string, data = Buffer.alloc(16)) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    return op(length, header, data);
  };
  const a = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  const b = '"b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}';

  it.each([
    ['two tensors', tensors(`{${a},${b},"__metadata__":{"format":"pt"}}`), 'pass', undefined],
    ['a gap', tensors(`{${b}}`), 'fail', 'header-mismatch'],
    ['an overlap', tensors(`{${a},"c":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}`), 'fail', 'header-mismatch'],
    [
      'a shape that lies',
      tensors(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}`),
      'fail',
      'header-mismatch',
    ],
    ['bytes behind', tensors(`{${a},${b}}`, Buffer.alloc(17)), 'fail', 'trailing-bytes'],
    ['a tensor twice', tensors(`{${a},${b},${a}}`), 'fail', 'header-mismatch'],
    ['too few bytes', tensors(`{${a},${b}}`, Buffer.alloc(15)), 'inconclusive', 'malformed'],
    ['metadata with more than texts', tensors(`{${a},${b},"__metadata__":{"x":{}}}`), 'inconclusive', 'malformed'],
    ['no JSON', tensors('{"a":'), 'inconclusive', 'malformed'],
    [
      'a header longer than the file',
      op(Buffer.from([40, 0, 0, 0, 0, 0, 0, 0]), '{}', Buffer.alloc(38)),
      'inconclusive',
      'malformed',
    ],
    ['depth', tensors(`{"a":${'['.repeat(5000)}`), 'inconclusive', 'limit'],
    ['NaN', tensors('{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,16]}}'), 'inconclusive', 'malformed'],
    [
      'bytes that are no UTF-8',
      op(
        Buffer.from([2 + 61, 0, 0, 0, 0, 0, 0, 0]),
        '{"',
        0xff,
        '":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.padEnd(60),
        Buffer.alloc(8),
      ),
      'inconclusive',
      'malformed',
    ],
  ])('%s', async (_name, bytes, verdict, rule) => {
    const scanned = await scan('a.safetensors', bytes);
    expect(scanned.verdict).toBe(verdict);
    if (rule) expect(rulesOf(scanned)).toContain(rule);
  });
});

describe('onnx', () => {
  const field = (number: number, ...parts: (string | Buffer)[]) => {
    const body = op(...parts);
    return op((number << 3) | 2, body.length, body);
  };
  const model = (...parts: Buffer[]) => op(0x08, 9, field(2, 'pytorch'), field(7, ...parts));
  const external = (path: string) => field(13, field(1, 'location'), field(2, path));
  const node = (domain: string) => field(1, field(4, 'MatMul'), field(7, domain));
  const inSubgraph = (tensor: Buffer) => field(1, field(5, field(6, field(5, tensor))));

  it.each([
    ['a graph', model(node(''), node('ai.onnx.ml'), field(5, field(8, 'w'))), 'pass', undefined],
    ['external data above', model(field(5, external('../../etc/passwd'))), 'fail', 'unsafe-path'],
    ['external data by an absolute path', model(field(5, external('/etc/passwd'))), 'fail', 'unsafe-path'],
    ['external data in a subgraph', model(inSubgraph(external('C:\\x'))), 'fail', 'unsafe-path'],
    ['external data in a sparse tensor', model(field(15, field(1, external('a/../../b')))), 'fail', 'unsafe-path'],
    ['external data beside', model(field(5, external('weights.bin'))), 'inconclusive', 'unread-format'],
    [
      'a key behind its value',
      model(field(5, field(13, field(2, '../x'), field(1, 'location')))),
      'fail',
      'unsafe-path',
    ],
    [
      'a key behind its value, and another entry before',
      model(field(5, field(13, field(1, 'offset'), field(2, '0')), field(13, field(2, '../x'), field(1, 'location')))),
      'fail',
      'unsafe-path',
    ],
    ['an operator of a library', model(node('com.evil')), 'fail', 'custom-code'],
    ['a message that is cut off', model(node('')).subarray(0, -2), 'inconclusive', 'malformed'],
  ])('%s', async (_name, bytes, verdict, rule) => {
    const scanned = await scan('m.onnx', bytes);
    expect(scanned.verdict).toBe(verdict);
    if (rule) expect(rulesOf(scanned)).toContain(rule);
  });
});
