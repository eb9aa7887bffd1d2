/** For tests: pickles put together by hand, opcode by opcode, that make a folder `marker` when they are loaded. */

/** What a file does when `loader` loads it; `fires` says that Python really runs the payload. */
export interface HostilePickle {
  name: string;
  bytes: Buffer;
  loader: 'pickle' | 'joblib';
  fires: boolean;
  /** Rules of the findings that must be there. */
  rules: string[];
}

export function op(...parts: (number | string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  );
}

/** SHORT_BINUNICODE. */
export function text(value: string): Buffer {
  return op(0x8c, Buffer.byteLength(value), value);
}

/** GLOBAL. */
function global(module: string, name: string): Buffer {
  return op('c', module, '\n', name, '\n');
}

/** STACK_GLOBAL with literal operands. */
export function stackGlobal(module: string, name: string): Buffer {
  return op(text(module), text(name), 0x93);
}

/** FRAME around opcodes. */
export function frame(...parts: (number | string | Buffer)[]): Buffer {
  const body = op(...parts);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(body.length));
  return op(0x95, length, body);
}

/** A call with one text. */
export function call(callee: Buffer, argument: string): Buffer {
  return op(callee, text(argument), 0x85, 'R');
}

/** numpy.dtype(code, False, True) with the item size and flags that its state says. */
export function dtype(code: string, itemsize = -1, flags = 0): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32LE(itemsize);
  const state = op('(', 'K', 3, text('<'), 'NNN', 'J', size, 'J', Buffer.from([255, 255, 255, 255]), 'K', flags, 't');
  return op(stackGlobal('numpy', 'dtype'), text(code), 0x89, 0x88, 0x87, 'R', state, 'b');
}

const wrapperClass = stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper');

/**
 * joblib's wrapper of an array, up to and with the BUILD behind which the array stands. `made` are opcodes that import its class, or
 * make the wrapper itself by a call; `more` are further items of its state.
 */
export function wrapper(
  shape: number[],
  type: Buffer,
  alignment: number | null = null,
  made: Buffer = wrapperClass,
  more: Buffer = Buffer.alloc(0),
): Buffer {
  return op(
    made,
    made.at(-1) === 0x93 ? op(')', 0x81) : '',
    '}(',
    text('subclass'),
    stackGlobal('numpy', 'ndarray'),
    text('shape'),
    '(',
    ...shape.flatMap((size) => [op('K', size)]),
    't',
    text('order'),
    text('C'),
    text('dtype'),
    type,
    text('allow_mmap'),
    0x89,
    text('numpy_array_alignment_bytes'),
    alignment === null ? 'N' : op('K', alignment),
    more,
    'ub',
  );
}

/** BINBYTES8 that swallows what follows: for one reader it is text, for another, that starts behind its head, opcodes. */
function swallow(hidden: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(hidden.length));
  return op(0x8e, length, hidden);
}

const proto2 = op(0x80, 2);
const proto4 = op(0x80, 4);

export function hostilePickles(marker: string): HostilePickle[] {
  const mkdir = stackGlobal('posix', 'mkdir');
  const run = call(mkdir, marker);
  const code = `__import__('os').mkdir(${JSON.stringify(marker)})`;
  const array = op(wrapper([2], dtype('f8')), Buffer.alloc(16));
  const objects = op(wrapper([1], dtype('O8', -1, 63)), proto4, run, '.');
  const plain = (name: string, bytes: Buffer, ...rules: string[]): HostilePickle => ({
    name,
    bytes,
    loader: 'pickle',
    fires: true,
    rules,
  });
  const quiet = (name: string, bytes: Buffer, ...rules: string[]): HostilePickle => ({
    ...plain(name, bytes, ...rules),
    fires: false,
  });
  const joblib = (name: string, bytes: Buffer, ...rules: string[]): HostilePickle => ({
    ...plain(name, bytes, ...rules),
    loader: 'joblib',
  });
  const hidden = swallow(op(run, '.'));
  const emptyArray = op(
    proto4,
    proto4,
    op(stackGlobal('numpy._core.multiarray', '_reconstruct'), stackGlobal('numpy', 'ndarray'), 'K', 0, 0x85),
    'C',
    1,
    'b',
    0x87,
    'R.',
  );
  const trifle = op(wrapper([0], dtype('O8', -1, 63)), emptyArray, '0');
  const long = Buffer.alloc(4);
  long.writeUInt32LE(600);
  return [
    plain('GLOBAL and REDUCE, protocol 0', op(global('os', 'mkdir'), '(V', marker, '\ntR.'), 'forbidden-import'),
    plain(
      'GLOBAL and REDUCE, protocol 2',
      op(proto2, global('posix', 'mkdir'), '(V', marker, '\ntR.'),
      'forbidden-import',
    ),
    plain('STACK_GLOBAL', op(proto4, run, '.'), 'forbidden-import'),
    plain('INST', op('(V', marker, '\nios\nmkdir\n.'), 'forbidden-import'),
    plain('OBJ', op(proto2, '(', global('os', 'mkdir'), 'V', marker, '\no.'), 'forbidden-import'),
    plain('builtins.eval', op(proto4, call(stackGlobal('builtins', 'eval'), code), '.'), 'forbidden-import'),
    plain('builtins.exec', op(proto4, call(stackGlobal('builtins', 'exec'), code), '.'), 'forbidden-import'),
    plain('Python 2 names', op(proto2, global('__builtin__', 'eval'), '(V', code, '\ntR.'), 'forbidden-import'),
    quiet(
      'builtins.__import__',
      op(proto4, call(stackGlobal('builtins', '__import__'), 'os'), '.'),
      'forbidden-import',
    ),
    quiet('an import alone', op(proto4, stackGlobal('builtins', 'getattr'), '0N.'), 'forbidden-import'),
    quiet('numpy.__builtins__', op(proto4, stackGlobal('numpy', '__builtins__'), '.'), 'unlisted-import'),
    plain(
      'operands from the memo',
      op(proto4, text('posix'), 0x94, '0', text('mkdir'), 0x94, '0h', 0, 'h', 1, 0x93, text(marker), 0x85, 'R.'),
      'forbidden-import',
    ),
    plain(
      'a memo that is written twice',
      op(proto4, text('numpy'), 'q', 7, text('posix'), 'q', 7, '00h', 7, text('mkdir'), 0x93, text(marker), 0x85, 'R.'),
      'forbidden-import',
    ),
    plain(
      'a computed module name',
      op(
        proto4,
        stackGlobal('builtins', 'str'),
        'C',
        5,
        'posix',
        text('ascii'),
        0x86,
        'R',
        text('mkdir'),
        0x93,
        text(marker),
        0x85,
        'R.',
      ),
      'computed-import',
    ),
    plain(
      'an escaped module name',
      op(proto4, 'Vp\\u006fsix\n', text('mkdir'), 0x93, text(marker), 0x85, 'R.'),
      'computed-import',
    ),
    plain(
      'an attribute of an attribute',
      op(proto4, call(stackGlobal('joblib.numpy_pickle', 'os.mkdir'), marker), '.'),
      'unlisted-import',
    ),
    plain(
      'a name that scikit-learn borrows',
      op(proto4, call(stackGlobal('sklearn.datasets._base', 'os.mkdir'), marker), '.'),
      'unlisted-import',
    ),
    quiet(
      'a function of a package that is allowed',
      op(proto4, call(stackGlobal('sklearn.datasets._base', 'urlretrieve'), 'file:///etc/passwd'), '.'),
      'unlisted-import',
    ),
    plain(
      'a method that BUILD puts on an instance',
      op(
        proto4,
        stackGlobal('collections', 'OrderedDict'),
        ')R}',
        text('__setstate__'),
        mkdir,
        'sb',
        text(marker),
        'b.',
      ),
      'forbidden-import',
      'dunder-state',
    ),
    quiet(
      'BUILD on a class',
      op(
        proto4,
        stackGlobal('sklearn.base', 'BaseEstimator'),
        '}',
        text('predict'),
        stackGlobal('numpy', 'abs'),
        'sb.',
      ),
      'unusual-call',
    ),
    quiet(
      'an item set on an import',
      op(proto4, stackGlobal('collections', 'OrderedDict'), text('a'), 'Ns.'),
      'unusual-call',
    ),
    quiet(
      'state from a computed dictionary',
      op(proto4, stackGlobal('collections', 'OrderedDict'), ')R', stackGlobal('builtins', 'dict'), ')RbN.'),
      'dunder-state',
    ),
    quiet('a call of what a call gave', op(proto4, stackGlobal('builtins', 'str'), ')R)R.'), 'computed-call'),
    quiet(
      'another codec',
      op(proto4, stackGlobal('_codecs', 'encode'), text('a'), text('rot13'), 0x86, 'R.'),
      'unusual-call',
    ),
    quiet(
      'a reconstructed class that is computed',
      op(
        proto4,
        stackGlobal('copyreg', '_reconstructor'),
        stackGlobal('builtins', 'str'),
        ')R',
        stackGlobal('builtins', 'object'),
        'N',
        0x87,
        'R.',
      ),
      'computed-call',
    ),
    quiet('EXT1', op(proto2, 0x82, 7, ')R.'), 'extension-code', 'computed-call'),
    quiet('EXT2', op(proto2, 0x83, 7, 1, '.'), 'extension-code'),
    quiet('EXT4', op(proto2, 0x84, 7, 1, 1, 1, '.'), 'extension-code'),
    quiet('a persistent id', op(proto2, 'Pposix.mkdir\nN.'), 'persistent-id'),
    quiet('a binary persistent id', op(proto2, 'NQ.'), 'persistent-id'),
    quiet(
      'a module name without end',
      op(proto4, 'X', long, 'o'.repeat(600), text('mkdir'), 0x93, '.'),
      'computed-import',
    ),
    quiet(
      'a payload behind the first pickle',
      op(proto4, 'N.', proto4, run, '.'),
      'several-streams',
      'forbidden-import',
    ),
    quiet('bytes behind the pickle', op(proto4, 'N.', 'hidden'), 'trailing-bytes'),
    plain(
      'opcodes beyond their frame',
      op(proto4, 0x95, 2, 0, 0, 0, 0, 0, 0, 0, run, '.'),
      'forbidden-import',
      'frame-mismatch',
    ),
    quiet('a frame that is cut off', op(proto4, 0x95, 255, 0, 0, 0, 0, 0, 0, 0, 'N.'), 'frame-mismatch'),
    quiet('a frame in a frame', op(proto4, frame(frame('N'), 'N0.')), 'frame-mismatch'),
    plain('a pickle that breaks behind its payload', op(proto4, run, 0xff), 'forbidden-import', 'malformed'),
    joblib('a payload behind an array of joblib', op(proto4, '](', array, run, 'e.'), 'forbidden-import'),
    joblib('a payload in an array of objects', op(proto4, objects, '.'), 'forbidden-import'),
    joblib(
      'a payload where the array seems to be',
      op(proto4, frame(wrapper([2, 40], dtype('i1')), '0', run, '.'), Buffer.alloc(80)),
      'array-framing',
    ),
    // Each of these begins an array where a careless reader sees none, or ends it elsewhere: what joblib executes then
    // stands inside of what that reader takes for bytes.
    joblib(
      'a wrapper by a dotted name',
      op(
        proto4,
        wrapper([9], dtype('i1'), null, stackGlobal('joblib', 'numpy_pickle.NumpyArrayWrapper')),
        hidden,
        '0.',
      ),
      'unlisted-import',
    ),
    joblib(
      'a wrapper that a constructor of scikit-learn makes',
      op(
        proto4,
        wrapper(
          [9],
          dtype('i1'),
          null,
          op(
            stackGlobal('sklearn.neighbors._kd_tree', 'newObj'),
            stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper'),
            0x85,
            'R',
          ),
        ),
        hidden,
        '0.',
      ),
      'unusual-call',
    ),
    joblib(
      'a shape under an escaped key',
      op(proto4, wrapper([2], dtype('i1'), null, undefined, op('Vsh\\u0061pe\n', 'K', 11, 0x85)), 'ab', hidden, '0.'),
      'dunder-state',
    ),
    joblib(
      'a shape under a computed key',
      op(
        proto4,
        wrapper(
          [2],
          dtype('i1'),
          null,
          undefined,
          op(stackGlobal('builtins', 'str'), 'C', 5, 'shape', text('ascii'), 0x86, 'R', 'K', 11, 0x85),
        ),
        'ab',
        hidden,
        '0.',
      ),
      'dunder-state',
    ),
    joblib(
      'a wrapper whose alignment comes from its constructor',
      op(
        proto4,
        stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper'),
        op('(', stackGlobal('numpy', 'ndarray'), 'K', 1, 0x85, text('C'), dtype('i1'), 0x89, 'K', 16, 'tR'),
        op('}(', text('shape'), 'K', 1, 0x85, text('dtype'), dtype('i1'), 'ub'),
        9,
        swallow(op('x', run, '.')),
        '0.',
      ),
      'unusual-call',
    ),
    joblib(
      'a wrapper that is built twice',
      op(
        proto4,
        op(stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper'), ')', 0x81, 0x94),
        wrapper([1], dtype('i1'), 16, Buffer.alloc(0)),
        op(0, 'x', '0h', 0),
        op('}(', text('shape'), 'K', 1, 0x85, text('dtype'), dtype('i1'), 'ub'),
        9,
        swallow(op('x', run, '.')),
        '0.',
      ),
      'unusual-call',
    ),
    joblib(
      'a payload behind a thousand trifles',
      op(proto4, Buffer.concat(Array(1001).fill(trifle)), run, '.'),
      'forbidden-import',
    ),
    plain(
      'an array of joblib that is a payload for pickle.load',
      op(proto4, wrapper([200], dtype('i1')), op(run, '.', Buffer.alloc(200)).subarray(0, 200), '.'),
      'forbidden-import',
    ),
    quiet(
      'an array over any memory',
      op(
        proto4,
        stackGlobal('numpy', 'asarray'),
        stackGlobal('sklearn.base', 'BaseEstimator'),
        ')',
        0x81,
        '}V\\u005f_array_interface__\n}sb',
        0x85,
        'R.',
      ),
      'dunder-state',
      'unusual-call',
    ),
    quiet(
      'a dtype that a function hands back, to be changed',
      op(
        proto4,
        stackGlobal('numpy', 'max'),
        ']',
        dtype('O8', -1, 63),
        'a',
        0x85,
        'R(',
        'K',
        3,
        text('|'),
        'NNNJ',
        Buffer.alloc(4, 255),
        'J',
        Buffer.alloc(4, 255),
        'K',
        0,
        'tb.',
      ),
      'unusual-call',
    ),
    quiet(
      'an array of objects over any bytes',
      op(
        proto4,
        stackGlobal('numpy', 'ndarray'),
        'K',
        1,
        0x85,
        dtype('O8', -1, 63),
        'C',
        8,
        'AAAAAAAA',
        0x87,
        0x81,
        '.',
      ),
      'unusual-call',
    ),
    quiet(
      'the same by names',
      op(
        proto4,
        stackGlobal('numpy', 'ndarray'),
        ')}(',
        text('shape'),
        'K',
        1,
        0x85,
        text('dtype'),
        dtype('O8', -1, 63),
        text('buffer'),
        'C',
        8,
        'AAAAAAAA',
        'u',
        0x92,
        '.',
      ),
      'unusual-call',
    ),
    quiet(
      'the same by names of a dictionary that a call made',
      op(
        proto4,
        stackGlobal('numpy', 'ndarray'),
        ')',
        stackGlobal('collections', 'OrderedDict'),
        ')R(',
        text('shape'),
        'K',
        1,
        0x85,
        text('dtype'),
        dtype('O8', -1, 63),
        text('buffer'),
        'C',
        8,
        'AAAAAAAA',
        'u',
        0x92,
        '.',
      ),
      'unusual-call',
    ),
    quiet('objects that are said to be plain bytes', op(proto4, dtype('O8', -1, 61), '.'), 'unusual-call'),
    quiet(
      'a scalar of objects',
      op(proto4, stackGlobal('numpy._core.multiarray', 'scalar'), dtype('O8', -1, 63), 'N', 0x86, 'R.'),
      'unusual-call',
    ),
    quiet(
      'a generator that calls what it is given',
      op(
        proto4,
        stackGlobal('numpy.random._pickle', '__generator_ctor'),
        text('a'),
        stackGlobal('numpy', 'asarray'),
        0x86,
        'R.',
      ),
      'unusual-call',
    ),
    quiet(
      'a method that BUILD names and APPEND calls',
      op(
        proto4,
        stackGlobal('sklearn.base', 'BaseEstimator'),
        ')',
        0x81,
        '}',
        text('append'),
        stackGlobal('numpy', 'asarray'),
        'sbNa.',
      ),
      'unusual-call',
    ),
    quiet(
      'a file that a constructor reads',
      op(proto4, stackGlobal('lightgbm.basic', 'Booster'), 'NN', text('/etc/passwd'), 0x87, 'R.'),
      'unusual-call',
    ),
    quiet(
      'a constructor behind copyreg',
      op(
        proto4,
        stackGlobal('copyreg', '_reconstructor'),
        stackGlobal('lightgbm.basic', 'Booster'),
        stackGlobal('lightgbm.basic', 'Booster'),
        '}',
        0x87,
        'R.',
      ),
      'unusual-call',
    ),
    quiet(
      'an iterator of scikit-learn that runs what it iterates',
      op(
        proto4,
        stackGlobal('builtins', 'list'),
        stackGlobal('sklearn.model_selection._search', 'ParameterSampler'),
        ')',
        0x81,
        0x85,
        'R.',
      ),
      'unusual-call',
    ),
    {
      ...joblib(
        'a dtype that hides objects',
        op(proto4, wrapper([1], dtype('O8', -1, 0)), Buffer.alloc(8, 0x41), '.'),
        'unusual-call',
        'array-framing',
      ),
      fires: false,
    },
    {
      ...joblib(
        'a text that is longer than its dtype',
        op(proto4, wrapper([1], dtype('S1', 40, 0)), 'a.', Buffer.alloc(38), '.'),
        'unusual-call',
        'array-framing',
      ),
      fires: false,
    },
    {
      ...joblib('an array larger than the file', op(proto4, wrapper([200, 200, 200], dtype('f8')), '.'), 'malformed'),
      fires: false,
    },
    {
      ...joblib(
        'an array without a literal shape',
        op(proto4, stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper'), ')', 0x81, '}b.'),
        'array-framing',
      ),
      fires: false,
    },
  ];
}
