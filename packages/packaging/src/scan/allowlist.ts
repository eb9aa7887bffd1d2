/**
 * Exact names by module: what a model of these frameworks names when it is unpickled, measured on their own files. A name is
 * listed for what the pickle may do with it: call it (`called`), make an instance of it without its constructor (`made`), or
 * only mention it (`named`: functions that a model holds on to). Nothing that hands back or calls what it is given may be called:
 * numpy.max of one object is that object, and its copy of the judgement made here would be lost.
 */
const called: Names = {
  // Containers and plain values; what is put into them is looked at by `judgeCall`.
  builtins: 'bool bytearray bytes complex dict float frozenset int list object range set slice str tuple',
  __builtin__:
    'bool bytearray bytes complex dict float frozenset int list long object set slice str tuple unicode xrange',
  collections: 'OrderedDict defaultdict Counter deque',
  datetime: 'date datetime time timedelta timezone',
  decimal: 'Decimal',
  // An instance of a class without its constructor; class and base are looked at.
  copyreg: '_reconstructor',
  copy_reg: '_reconstructor',
  // bytes in protocols 0 to 2; the codec is looked at.
  _codecs: 'encode',
  // Arrays and scalars from bytes; the dtype is looked at. None takes an address, and lengths are checked by numpy.
  numpy: 'dtype',
  'numpy._core.multiarray': '_reconstruct scalar',
  'numpy.core.multiarray': '_reconstruct scalar',
  'numpy._core.numeric': '_frombuffer',
  'numpy.core.numeric': '_frombuffer',
  'numpy.ma.core': '_mareconstruct',
  // These call what they are given: it must be of numpy.random.
  'numpy.random._pickle': '__generator_ctor __bit_generator_ctor __randomstate_ctor',
  'numpy.random.bit_generator': '__pyx_unpickle_SeedSequence',
  'numpy.random._bit_generator': '__pyx_unpickle_SeedSequence',
  'sklearn.utils._random': '__pyx_unpickle_DEFAULT_SEED',
  // cls.__new__(cls); the class is looked at.
  'sklearn.neighbors._kd_tree': 'newObj',
  'sklearn.neighbors._ball_tree': 'newObj',
  'sklearn.metrics._dist_metrics': 'newObj',
  'sklearn.neighbors._dist_metrics': 'newObj',
  // What torch.load(weights_only=True) calls for a state dictionary.
  torch: 'Size device',
  'torch._utils':
    '_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor',
  'torch.serialization': '_get_layout',
};

const made: Names = {
  'joblib.numpy_pickle': 'NumpyArrayWrapper',
  numpy: 'ndarray matrix',
  'numpy.ma': 'MaskedArray',
  'numpy.ma.core': 'MaskedArray',
  'numpy.random._pcg64': 'PCG64 PCG64DXSM',
  'numpy.random._mt19937': 'MT19937',
  'numpy.random._philox': 'Philox',
  'numpy.random._sfc64': 'SFC64',
  'numpy.random.bit_generator': 'SeedSequence',
  'numpy.random._bit_generator': 'SeedSequence',
  'numpy.random.mtrand': 'RandomState',
  'scipy.interpolate._bsplines': 'BSpline',
  'scipy.interpolate._interpolate': 'interp1d',
  'scipy.interpolate.interpolate': 'interp1d',
  'sklearn.utils._bunch': 'Bunch',
  'sklearn.utils': 'Bunch',
  'sklearn.utils._metadata_requests':
    'MetadataRequest MethodMetadataRequest MethodMapping MetadataRouter RequestMethod',
  // By its constructor, a booster reads a file.
  'lightgbm.basic': 'Booster',
  'lightgbm.sklearn': 'LGBMModel LGBMClassifier LGBMRegressor LGBMRanker',
  'lightgbm.compat': '_LGBMLabelEncoder',
  'xgboost.core': 'Booster',
  'xgboost.sklearn': 'XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor',
};

const ufuncs =
  'abs absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil cos cosh deg2rad degrees exp exp2 expm1 fabs ' +
  'floor hypot log log10 log1p log2 logaddexp maximum minimum negative power rad2deg radians reciprocal rint sign sin sinh ' +
  'sqrt square tan tanh trunc add subtract multiply divide true_divide isfinite isinf isnan';

const named: Names = {
  // numpy 1 names its functions by the module that holds them.
  'numpy.core._multiarray_umath': ufuncs,
  'numpy._core._multiarray_umath': ufuncs,
  numpy:
    'bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc float16 float32 float64 complex64 ' +
    'complex128 str_ bytes_ object_ datetime64 timedelta64 longlong ulonglong longdouble ' +
    ufuncs +
    ' mean median std var sum min max amin amax nanmean nanmedian nanstd argmax argmin clip ravel asarray array',
  'scipy.special._special_ufuncs': 'expit logit log_expit',
  'scipy.special._ufuncs': 'expit logit log_expit boxcox inv_boxcox',
  'scipy._lib.array_api_compat.numpy._aliases': 'asarray',
  'sklearn.feature_selection._univariate_selection': 'f_classif f_regression f_oneway chi2 r_regression',
  'sklearn.feature_selection._mutual_info': 'mutual_info_classif mutual_info_regression',
  'sklearn.cluster._kmeans':
    '_kmeans_single_lloyd _kmeans_single_elkan lloyd_iter_chunked_dense lloyd_iter_chunked_sparse',
  'sklearn.feature_extraction.text': 'strip_accents_unicode strip_accents_ascii',
  'sklearn.metrics.pairwise': 'rbf_kernel polynomial_kernel linear_kernel sigmoid_kernel laplacian_kernel',
  torch:
    'FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage ByteStorage ' +
    'BoolStorage ComplexFloatStorage ComplexDoubleStorage ' +
    'float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128',
  'torch.storage': 'UntypedStorage TypedStorage',
  'torch.nn.parameter': 'Parameter',
};

type Names = Record<string, string>;
/** What a pickle may do with a name; each includes the ones before it. */
export type Permission = 'named' | 'made' | 'called';

/** By module and name apart: joined by a point, `joblib` and `numpy_pickle.X` would look as another pair that is listed. */
const listed = new Map<string, Map<string, Permission>>();
for (const [permission, table] of Object.entries({ named, made, called }) as [Permission, Names][]) {
  for (const [module, words] of Object.entries(table)) {
    const entry = listed.get(module) ?? new Map<string, Permission>();
    for (const word of words.split(' ')) entry.set(word, permission);
    listed.set(module, entry);
  }
}

/** Packages of scikit-learn whose classes are estimators and their parts; tests, datasets, externals and utils are not. */
const sklearnModules = new RegExp(
  '^sklearn\\.(_loss|base|calibration|cluster|compose|covariance|cross_decomposition|decomposition|discriminant_analysis|' +
    'dummy|ensemble|feature_extraction|feature_selection|frozen|gaussian_process|impute|isotonic|kernel_approximation|' +
    'kernel_ridge|linear_model|manifold|metrics\\._dist_metrics|metrics\\._scorer|mixture|model_selection|multiclass|' +
    'multioutput|naive_bayes|neighbors|neural_network|pipeline|preprocessing|random_projection|semi_supervised|svm|tree)' +
    '(\\.(?!tests(\\.|$))[a-z_][a-z0-9_]*)*$',
);
const scipySparse = /^scipy\.sparse\.(_?(bsr|coo|csc|csr|dia|dok|lil))$/;
/** `LogisticRegression`, `_BinMapper`, `SVC`, and no constant such as `NODE_DTYPE`. */
const className = /^_{0,2}[A-Z](?=[A-Z0-9]*$|[A-Za-z0-9_]*[a-z])[A-Za-z0-9_]*$/;
/** Classes of other packages that those modules happen to hold as attributes. */
const borrowed = new Set(
  'ABC ABCMeta Any BytesIO Callable Counter Enum GzipFile Iterable LinearOperator Mapping Memory Parallel Parameter Path StringIO Template'.split(
    ' ',
  ),
);
/** Cython's classes, whose own way to be pickled is a call: with numbers, texts and arrays, typed by the class. */
const cythonCalls: Record<string, RegExp> = {
  'sklearn.tree._tree': /^Tree$/,
  'sklearn._loss._loss': /^Cy[A-Z][A-Za-z]*$/,
  'sklearn.linear_model._sgd_fast': /^[A-Z][A-Za-z]*$/,
  'sklearn.neighbors._quad_tree': /^_QuadTree$/,
};

/**
 * What a pickle may do with a name by the built-in profiles (scikit-learn, numpy, joblib, scipy, LightGBM, XGBoost, torch);
 * undefined is on no list.
 */
export function permissionOf(module: string, name: string): Permission | undefined {
  const exact = listed.get(module)?.get(name);
  if (exact) return exact;
  if (sklearnModules.test(module)) {
    if (/^__pyx_unpickle_[A-Za-z_]\w*$/.test(name) || cythonCalls[module]?.test(name)) return 'called';
    return className.test(name) && !borrowed.has(name) ? 'made' : undefined;
  }
  // Cython names the module of its losses relatively.
  if (module === '_loss') return /^Cy[A-Z][A-Za-z]*$/.test(name) ? 'called' : undefined;
  return scipySparse.test(module) && /^(bsr|coo|csc|csr|dia|dok|lil)_(matrix|array)$/.test(name) ? 'made' : undefined;
}

/** Modules that run code, reach the system or the network, or get at any attribute. Decides the words, never the verdict. */
const dangerous = new Set(
  (
    'os posix nt subprocess sys pty runpy importlib imp marshal ctypes socket ssl urllib http requests aiohttp asyncio shutil ' +
    'pickle _pickle dill cloudpickle pip pkgutil operator _operator functools code codeop pdb bdb cProfile profile timeit trace ' +
    'pydoc webbrowser multiprocessing threading _thread types tempfile pathlib io _io ftplib smtplib telnetlib platform signal ' +
    'commands popen2 builtins __builtin__ __main__ nntplib xmlrpc venv ensurepip zipimport gc inspect atexit'
  ).split(' '),
);

/** Whether the module is known for what attacks use. */
export function isDangerous(module: string): boolean {
  return (
    dangerous.has(module.split('.', 1)[0]!) ||
    /^torch\.(hub|jit|utils|_inductor|fx)\b|^numpy\.(testing|f2py|distutils)\b/.test(module)
  );
}
