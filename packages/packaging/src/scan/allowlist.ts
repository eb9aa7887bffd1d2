/** Exact names by module. What a model of these frameworks imports when it is unpickled, measured on their own files. */
const names: Record<string, string> = {
  builtins: 'bool bytearray bytes complex dict float frozenset int list object range set slice str tuple',
  __builtin__:
    'bool bytearray bytes complex dict float frozenset int list long object set slice str tuple unicode xrange',
  collections: 'OrderedDict defaultdict Counter deque',
  copyreg: '_reconstructor',
  copy_reg: '_reconstructor',
  _codecs: 'encode',
  datetime: 'date datetime time timedelta timezone',
  decimal: 'Decimal',
  'joblib.numpy_pickle': 'NumpyArrayWrapper',
  numpy:
    'ndarray dtype matrix bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc float16 float32 float64 complex64 ' +
    'complex128 str_ bytes_ object_ datetime64 timedelta64 longlong ulonglong longdouble ' +
    'abs absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil cos cosh deg2rad degrees exp exp2 expm1 fabs ' +
    'floor hypot log log10 log1p log2 logaddexp maximum minimum negative power rad2deg radians reciprocal rint sign sin sinh ' +
    'sqrt square tan tanh trunc add subtract multiply divide true_divide isfinite isinf isnan ' +
    'mean median std var sum min max amin amax nanmean nanmedian nanstd argmax argmin clip ravel asarray array',
  'numpy._core.multiarray': '_reconstruct scalar',
  'numpy.core.multiarray': '_reconstruct scalar',
  'numpy._core.numeric': '_frombuffer',
  'numpy.core.numeric': '_frombuffer',
  'numpy.ma': 'MaskedArray',
  'numpy.ma.core': 'MaskedArray _mareconstruct',
  'numpy.random._pickle': '__generator_ctor __bit_generator_ctor __randomstate_ctor',
  'numpy.random._pcg64': 'PCG64 PCG64DXSM',
  'numpy.random._mt19937': 'MT19937',
  'numpy.random._philox': 'Philox',
  'numpy.random._sfc64': 'SFC64',
  'numpy.random.bit_generator': 'SeedSequence __pyx_unpickle_SeedSequence',
  'numpy.random._bit_generator': 'SeedSequence __pyx_unpickle_SeedSequence',
  'numpy.random.mtrand': 'RandomState',
  'scipy.interpolate._bsplines': 'BSpline',
  'scipy.interpolate._interpolate': 'interp1d',
  'scipy.interpolate.interpolate': 'interp1d',
  'scipy.special._special_ufuncs': 'expit logit log_expit',
  'scipy.special._ufuncs': 'expit logit log_expit boxcox inv_boxcox',
  'scipy._lib.array_api_compat.numpy._aliases': 'asarray',
  'sklearn.utils._bunch': 'Bunch',
  'sklearn.utils': 'Bunch',
  'sklearn.utils._metadata_requests':
    'MetadataRequest MethodMetadataRequest MethodMapping MetadataRouter RequestMethod',
  'sklearn.utils._random': '__pyx_unpickle_DEFAULT_SEED',
  'sklearn.feature_selection._univariate_selection': 'f_classif f_regression f_oneway chi2 r_regression',
  'sklearn.feature_selection._mutual_info': 'mutual_info_classif mutual_info_regression',
  'sklearn.neighbors._kd_tree': 'newObj',
  'sklearn.neighbors._ball_tree': 'newObj',
  'sklearn.metrics._dist_metrics': 'newObj',
  'sklearn.neighbors._dist_metrics': 'newObj',
  'sklearn.cluster._kmeans':
    '_kmeans_single_lloyd _kmeans_single_elkan lloyd_iter_chunked_dense lloyd_iter_chunked_sparse',
  'sklearn.feature_extraction.text': 'strip_accents_unicode strip_accents_ascii',
  'sklearn.metrics.pairwise': 'rbf_kernel polynomial_kernel linear_kernel sigmoid_kernel laplacian_kernel',
  'lightgbm.basic': 'Booster',
  'lightgbm.sklearn': 'LGBMModel LGBMClassifier LGBMRegressor LGBMRanker',
  'lightgbm.compat': '_LGBMLabelEncoder',
  'xgboost.core': 'Booster',
  'xgboost.sklearn': 'XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor',
  // What torch.load(weights_only=True) takes for a state dictionary.
  torch:
    'Size device ' +
    'FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage ByteStorage ' +
    'BoolStorage ComplexFloatStorage ComplexDoubleStorage ' +
    'float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128',
  'torch._utils':
    '_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor',
  'torch.storage': 'UntypedStorage TypedStorage',
  'torch.nn.parameter': 'Parameter',
  'torch.serialization': '_get_layout',
};

const listed = new Set(
  Object.entries(names).flatMap(([module, words]) => words.split(' ').map((word) => `${module}.${word}`)),
);

/** Packages of scikit-learn whose classes are estimators and their parts; tests, datasets, externals and utils are not. */
const sklearnModules = new RegExp(
  '^sklearn\\.(_loss|base|calibration|cluster|compose|covariance|cross_decomposition|decomposition|discriminant_analysis|' +
    'dummy|ensemble|feature_extraction|feature_selection|frozen|gaussian_process|impute|isotonic|kernel_approximation|' +
    'kernel_ridge|linear_model|manifold|metrics\\._dist_metrics|metrics\\._scorer|mixture|model_selection|multiclass|' +
    'multioutput|naive_bayes|neighbors|neural_network|pipeline|preprocessing|random_projection|semi_supervised|svm|tree)' +
    '(\\.(?!tests(\\.|$))[a-z_][a-z0-9_]*)*$',
);
const scipySparse = /^scipy\.sparse\.(_?(bsr|coo|csc|csr|dia|dok|lil))$/;
const className = /^_{0,2}[A-Z][A-Za-z0-9_]*$/;
/** Classes of other packages that those modules happen to hold as attributes. */
const borrowed = new Set(
  'ABC ABCMeta Any BytesIO Callable Counter Enum GzipFile Iterable LinearOperator Mapping Memory Parallel Parameter Path StringIO Template'.split(
    ' ',
  ),
);

/** Whether a model may import this name by the built-in profiles (scikit-learn, numpy, joblib, scipy, LightGBM, XGBoost, torch). */
export function isListed(module: string, name: string): boolean {
  if (listed.has(`${module}.${name}`)) return true;
  if (sklearnModules.test(module)) {
    return (className.test(name) && !borrowed.has(name)) || /^__pyx_unpickle_[A-Za-z_]\w*$/.test(name);
  }
  // Cython names the module of its losses relatively.
  if (module === '_loss') return /^Cy[A-Z][A-Za-z]*$/.test(name);
  return scipySparse.test(module) && /^(bsr|coo|csc|csr|dia|dok|lil)_(matrix|array)$/.test(name);
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
