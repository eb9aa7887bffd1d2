import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtype, frame, hostilePickles, op, stackGlobal, text, wrapper } from './hostile-pickles.ts';
import { scanModelFile } from './scan-model-file.ts';

const rulesOf = (file: { findings: { rule: string }[] }) => file.findings.map(({ rule }) => rule);

describe('hostile pickles', () => {
  it.each(hostilePickles('/nowhere/marker'))('$name', async ({ bytes, rules }) => {
    const scanned = await scanModelFile(bytes);
    expect(scanned.verdict).not.toBe('pass');
    expect(rulesOf(scanned)).toEqual(expect.arrayContaining(rules));
  });

  it('never pass when one byte of an innocent pickle becomes an import that is not listed', async () => {
    const bytes = op(0x80, 4, stackGlobal('numpy', 'mean'), '.');
    expect((await scanModelFile(bytes)).verdict).toBe('pass');
    for (let at = 4; at < bytes.length - 2; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at] === 0x78 ? 0x79 : 0x78;
      expect((await scanModelFile(changed)).verdict, `byte ${at}`).not.toBe('pass');
    }
  });
});

describe('innocent pickles', () => {
  it.each([
    ['texts and numbers', op(0x80, 4, '}(', text('a'), 'K', 1, text('b'), 'M', 1, 2, 'u.')],
    ['a frame', op(0x80, 4, frame('](', 'K', 1, 'e.'))],
    ['protocol 0', op("(dp0\nVa\np1\nI1\nsS'b'\nL5L\ns.")],
    ['an OrderedDict', op(0x80, 2, 'ccollections\nOrderedDict\n)R.')],
  ])('%s', async (_name, bytes) => {
    expect(await scanModelFile(bytes)).toMatchObject({ verdict: 'pass', format: 'pickle', findings: [] });
  });

  it('follow arrays of joblib, aligned and of every kind', async () => {
    const record = op(
      stackGlobal('numpy', 'dtype'),
      text('V16'),
      0x89,
      0x88,
      0x87,
      'R(',
      'K',
      3,
      text('|'),
      'N',
      text('a'),
      text('b'),
      0x86,
      '}(',
      text('a'),
      dtype('f8'),
      'K',
      0,
      0x86,
      text('b'),
      dtype('i4'),
      'K',
      8,
      0x86,
      'u',
      'K',
      16,
      'K',
      1,
      'K',
      16,
      'tb',
    );
    const bytes = op(
      op(0x80, 4, ']('),
      op(wrapper([2, 3], dtype('f8')), Buffer.alloc(48, 0xff)),
      op(wrapper([3], dtype('U5', 20, 8), 16), 4, Buffer.alloc(4 + 60, 0xff)),
      op(wrapper([2], record), Buffer.alloc(32, 0xff)),
      op(wrapper([0], dtype('b1'))),
      op(wrapper([], dtype('M8')), Buffer.alloc(8, 0xff)),
      op(wrapper([1], dtype('O8', -1, 63)), op(0x80, 4, ']Na.')),
      'e.',
    );
    expect(await scanModelFile(bytes)).toMatchObject({ verdict: 'pass', format: 'joblib', findings: [] });
  });

  it('may import what the caller allows, by name or by module', async () => {
    const bytes = op(0x80, 4, stackGlobal('acme.features', 'Scaler'), ')', 0x81, '}b.');
    expect(await scanModelFile(bytes)).toMatchObject({ verdict: 'fail', globals: ['acme.features.Scaler'] });
    for (const pattern of ['acme.features.Scaler', 'acme.features.*']) {
      expect((await scanModelFile(bytes, { allow: [pattern] })).verdict).toBe('pass');
    }
    for (const pattern of ['acme.*', 'acme.features', '*', 'acme.features.Scale']) {
      expect((await scanModelFile(bytes, { allow: [pattern] })).verdict).toBe('fail');
    }
  });
});

describe('limits', () => {
  it.each([
    ['opcodes', op(0x80, 4, 'N0'.repeat(600), 'N.'), { opcodes: 1000 }],
    ['stack', op(0x80, 4, 'N'.repeat(2000), '.'), { stack: 1000 }],
    ['stack', op(0x80, 4, '('.repeat(2000), '.'), { stack: 1000 }],
    ['memo', op(0x80, 4, 'N', Buffer.alloc(2000, 0x94), '.'), { memo: 1000 }],
    [
      'memoReads',
      op(0x80, 4, ']q', 0, '0', Buffer.concat(Array(20_000).fill(Buffer.from('h\0' + '0'))), 'N.'),
      { memoReads: 50 },
    ],
    ['heldBytes', op(0x80, 4, ']', Buffer.concat(Array(200).fill(Buffer.from('}a'))), '.'), { heldBytes: 10_000 }],
    ['heldBytes', op(0x80, 4, text('a'.repeat(200)), Buffer.alloc(2000, 0x94), '.'), { heldBytes: 10_000 }],
    ['stack', op(0x80, 4, Buffer.concat(Array(60).fill(op('(', 'N'.repeat(20)))), '.'), { stack: 1000 }],
    [
      'globals',
      op(0x80, 4, ...Array.from({ length: 9 }, (_, at) => op(stackGlobal('sklearn.base', `Name${at}`), '0')), 'N.'),
      { globals: 8 },
    ],
    ['headerBytes', op('V', 'a'.repeat(2000), '\n.'), { headerBytes: 1000 }],
  ])('%s', async (_name, bytes, limits) => {
    expect(await scanModelFile(bytes, { limits })).toMatchObject({
      verdict: 'inconclusive',
      findings: [{ rule: 'limit' }],
    });
  });

  it('holds nested arrays of objects', async () => {
    let inner = op(0x80, 4, 'N.');
    for (let depth = 0; depth < 10; depth += 1) inner = op(0x80, 4, wrapper([1], dtype('O8', -1, 63)), inner, '.');
    // Only the outermost pickle is read by joblib; in the next one, a wrapper's array would be read as opcodes.
    expect((await scanModelFile(inner)).verdict).not.toBe('pass');
  });
});

it('takes any bytes without a crash, and passes nothing that imports outside of the lists', async () => {
  const opcodes = Buffer.from(
    '(.012FIJKLMNPQRSTUVXabcdeghijlopqrstu})]GBC\x80\x81\x85\x86\x87\x88\x89\x8a\x8c\x93\x94\x95',
    'latin1',
  );
  const piece = fc.oneof(
    fc.constantFrom(...opcodes).map((byte) => Buffer.from([byte])),
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(text('posix')),
    fc.constant(stackGlobal('posix', 'mkdir')),
    fc.constant(wrapper([1], dtype('f8'))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const scanned = await scanModelFile(op(0x80, 4, ...pieces));
      expect(['pass', 'fail', 'inconclusive']).toContain(scanned.verdict);
      if (scanned.globals.includes('posix.mkdir')) expect(scanned.verdict).toBe('fail');
    }),
    { numRuns: 2000, seed: 11 },
  );
});
