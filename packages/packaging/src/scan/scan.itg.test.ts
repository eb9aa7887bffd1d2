import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pythonEnvironment } from '../runtime/python-environment.ts';
import { permissionOf } from './allowlist.ts';
import { hostilePickles } from './hostile-pickles.ts';
import { scanModelFile } from './scan-model-file.ts';

const run = promisify(execFile);
let python: string;
let folder: string;

beforeAll(async () => {
  python = await pythonEnvironment();
  folder = await mkdtemp(join(tmpdir(), 'scan-itg-'));
  await mkdir('innocent', INNOCENT);
  await mkdir('hostile', HOSTILE);
}, 300_000);

afterAll(() => rm(folder, { recursive: true }));

async function mkdir(name: string, script: string): Promise<void> {
  await run('mkdir', [join(folder, name)]);
  await run(python, ['-c', script], { cwd: join(folder, name), env: { ...process.env, OMP_NUM_THREADS: '1' } });
}

/** Models as teams save them: every estimator that fits a plain table, and pipelines, in every protocol and compression. */
const INNOCENT = `
import warnings; warnings.simplefilter('ignore')
import joblib, pickle, numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.utils import all_estimators

X, y = make_classification(200, 8, n_informative=5, random_state=0)
X = np.abs(X)
for name, Estimator in all_estimators():
    try: model = Estimator().fit(X, y)
    except Exception: continue
    joblib.dump(model, f'{name}.joblib')
    for protocol in (0, 2, 5): pickle.dump(model, open(f'{name}.{protocol}.pkl', 'wb'), protocol=protocol)

table = pd.DataFrame({'a': X[:, 0], 'b': X[:, 1], 'city': np.where(X[:, 2] > 1, 'JFK', 'LAX'), 'when': 3})
def pipeline(model, encoder):
    columns = ColumnTransformer([('n', make_pipeline(SimpleImputer(), FunctionTransformer(np.log1p), StandardScaler()), ['a', 'b']), ('c', encoder, ['city'])], remainder='passthrough')
    return make_pipeline(columns, model)
models = {
    'pipeline_lr': pipeline(LogisticRegression(), OneHotEncoder(handle_unknown='ignore')),
    'pipeline_hgb': pipeline(HistGradientBoostingClassifier(max_iter=20, random_state=np.random.RandomState(3)), OrdinalEncoder()),
    'pipeline_rf': pipeline(RandomForestClassifier(10), TargetEncoder()),
    'search': GridSearchCV(pipeline(LogisticRegression(), OneHotEncoder()), {'logisticregression__C': [0.1, 1.0]}, cv=2),
    'calibrated': CalibratedClassifierCV(pipeline(LogisticRegression(), OneHotEncoder()), cv=2),
    'stack': StackingClassifier([('a', LogisticRegression()), ('b', RandomForestClassifier(5))], cv=2),
    'vote': VotingClassifier([('a', LogisticRegression()), ('b', RandomForestClassifier(5))]),
}
for name, model in models.items():
    model.fit(table if name[:4] in ('pipe', 'sear', 'cali') else X, y)
    joblib.dump(model, f'{name}.joblib')
    joblib.dump(model, f'{name}.zlib.joblib', compress=('zlib', 3))
    joblib.dump(model, f'{name}.gzip.joblib', compress=('gzip', 3))
    for protocol in range(6): joblib.dump(model, f'{name}.{protocol}.joblib', protocol=protocol)
joblib.dump({'empty': np.zeros((0, 3)), 'text': np.array(['x', 'yy']), 'time': np.array(['2020-01-01'], dtype='M8[ns]'),
             'fortran': np.asfortranarray(X), 'record': np.zeros(3, dtype=[('a', 'f8'), ('b', 'U3')]),
             'objects': np.zeros(3, dtype=[('a', 'f8'), ('b', 'O')]), 'scalar': np.float64(3), 'masked': np.ma.masked_array([1, 2], [True, False])}, 'arrays.joblib')
np.save('numbers.npy', X); np.save('objects.npy', np.array(['a', None], dtype=object), allow_pickle=True)
np.savez('a.npz', a=X, b=y); np.savez_compressed('b.npz', a=X)
`;

/** What a stranger could commit in their place. */
const HOSTILE = `
import joblib, numpy as np, os, pickle
class Payload:
    def __init__(self, function, *arguments): self.call = (function, arguments)
    def __reduce__(self): return self.call
bad = Payload(os.system, 'true')
array = np.arange(1000.0)
for compress in (0, ('zlib', 3), ('gzip', 3), ('bz2', 3), ('xz', 3), ('lzma', 3)):
    joblib.dump([array, bad, array], f'behind_an_array.{compress and compress[0]}.joblib', compress=compress)
joblib.dump(np.array([bad], dtype=object), 'in_objects.joblib')
joblib.dump(np.zeros(2, dtype=[('a', 'O')]) if False else np.array([(bad,)], dtype=[('a', 'O')]), 'in_a_record.joblib')
np.save('objects.npy', np.array([bad], dtype=object), allow_pickle=True)
np.savez('objects.npz', a=array, b=np.array([bad], dtype=object))
pickle.dump(bad, open('renamed.onnx', 'wb')); pickle.dump(bad, open('renamed.safetensors', 'wb'))
joblib.dump({'model': array}, 'innocent_renamed.onnx')
for protocol in range(6):
    pickle.dump(bad, open(f'system.{protocol}.pkl', 'wb'), protocol=protocol)
    joblib.dump([array, bad], f'system.{protocol}.joblib', protocol=protocol)
from sklearn.preprocessing import FunctionTransformer
joblib.dump(FunctionTransformer(os.system), 'transformer.joblib')
joblib.dump(FunctionTransformer(eval), 'eval.joblib')
import functools, subprocess, importlib, operator
joblib.dump(FunctionTransformer(functools.partial(subprocess.run, shell=True)), 'partial.joblib')
for name, payload in {'import_module': Payload(importlib.import_module, 'os'), 'attrgetter': operator.attrgetter('system'),
                      'builtins_import': Payload(__import__, 'os'), 'getattr': Payload(getattr, array, 'tofile'),
                      'f2py': Payload(np.fromfile, '/etc/passwd')}.items():
    joblib.dump(payload, name + '.joblib')
whole = open('innocent_renamed.onnx', 'rb').read()
open('cut.joblib', 'wb').write(whole[:-20]); open('longer.joblib', 'wb').write(whole + b'x'); open('twice.joblib', 'wb').write(whole + whole)
`;

async function scanAll(name: string) {
  const files = (await readdir(join(folder, name))).sort();
  return Promise.all(files.map((file) => scanModelFile(join(folder, name, file))));
}

it('passes every innocent model', async () => {
  const scanned = await scanAll('innocent');
  expect(scanned.length).toBeGreaterThan(500);
  const refused = scanned.filter(({ verdict }) => verdict !== 'pass');
  expect(refused.flatMap(({ path, findings }) => findings.map(({ detail }) => `${path}: ${detail}`))).toEqual([]);
  expect(refused).toEqual([]);
}, 60_000);

/** Classes of other packages in scikit-learn's modules, by the module that defines them. */
const BORROWED = `
import importlib, json, pkgutil, sys, warnings; warnings.simplefilter('ignore')
import sklearn
for module in pkgutil.walk_packages(sklearn.__path__, 'sklearn.'):
    if '.tests' in module.name: continue
    try: importlib.import_module(module.name)
    except Exception: pass
found = []
for module, held in list(sys.modules.items()):
    if module.split('.')[0] != 'sklearn': continue
    for name, value in vars(held).items():
        home = getattr(value, '__module__', None) or ''
        if callable(value) and not home.startswith('sklearn') and home != '_loss': found.append([module, name, home])
print(json.dumps(found))
`;

it('lets no class or function of another package through by the name of a module of scikit-learn', async () => {
  const { stdout } = await run(python, ['-c', BORROWED], { maxBuffer: 1e8 });
  const found = JSON.parse(stdout.trim().split('\n').at(-1)!) as [string, string, string][];
  expect(found.length).toBeGreaterThan(1000);
  const through = found.filter(([module, name]) => permissionOf(module, name) !== undefined);
  const homes = new Set(through.map(([, name, home]) => `${home}.${name}`));
  // Abstract classes, errors, number types, and classes that are listed by their own names.
  expect(
    [...homes].filter((name) => !/^(numbers|collections\.abc|typing|numpy)\.|(Error|Warning)$/.test(name)).sort(),
  ).toEqual(['scipy.interpolate._bsplines.BSpline']);
}, 120_000);

it('names what a model of scikit-learn imports', async () => {
  const { format, globals } = await scanModelFile(join(folder, 'innocent', 'LogisticRegression.joblib'));
  expect(format).toBe('joblib');
  expect(globals).toEqual([
    'joblib.numpy_pickle.NumpyArrayWrapper',
    'numpy.dtype',
    'numpy.ndarray',
    'sklearn.linear_model._logistic.LogisticRegression',
  ]);
});

it('passes nothing hostile', async () => {
  const scanned = await scanAll('hostile');
  expect(scanned.length).toBeGreaterThan(30);
  expect(scanned.filter(({ verdict }) => verdict === 'pass')).toEqual([]);
  const inconclusive = scanned
    .filter(({ verdict }) => verdict === 'inconclusive')
    .map(({ path }) => path.split('/').at(-1));
  expect(inconclusive).toEqual([
    'behind_an_array.bz2.joblib',
    'behind_an_array.lzma.joblib',
    'behind_an_array.xz.joblib',
    'cut.joblib',
  ]);
});

/** Loads each file as its suffix says. A load may fail behind its payload: that is the victim's error, after the fact. */
const VICTIM = `
import joblib, os, pickle
for name in sorted(os.listdir('.')):
    try: pickle.load(open(name, 'rb')) if name.endswith('.pickle') else joblib.load(name)
    except Exception: pass
`;

it('Python runs each payload put together by hand that is said to fire, and the scan fails them all', async () => {
  const names = hostilePickles('').filter(({ fires }) => fires);
  expect(names.length).toBeGreaterThan(15);
  await run('mkdir', [join(folder, 'cases')]);
  for (const [at, { name, loader }] of names.entries()) {
    const { bytes } = hostilePickles(join(folder, `marker-${at}`)).find((one) => one.name === name)!;
    await writeFile(join(folder, 'cases', `${at}.${loader}`), bytes);
  }
  await run(python, ['-c', VICTIM], { cwd: join(folder, 'cases') });
  expect(names.filter((_, at) => !existsSync(join(folder, `marker-${at}`)))).toEqual([]);
  for (const file of await scanAll('cases')) expect(file.verdict, file.path).toBe('fail');
}, 120_000);
