import { ConfigurationError } from '@passloop/core';
import type { Requirement } from '@passloop/model';

/**
 * The recipe of a model image, as text. Raise the version with every change of what it gives: it is a part of the image key,
 * and a test holds it against the text.
 *
 * Neither builder is asked for what only one knows (`# syntax=`, `COPY --link`, `RUN --mount`), and nothing that is outside of the image
 * key may enter the image (no commit, run, time), or one key would have two contents.
 */
export const recipeVersion = 'r2';

/** Installs the wheels, on bases with and without a pip of their own, in the first stage: it is in no image. */
export const installer: Requirement = {
  name: 'pip',
  version: '26.3',
  marker: null,
  hashes: ['sha256:f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13'],
};
const installerFile = `pip-${installer.version}-py3-none-any.whl`;

/** All of `python -m compileall`, and with fixed file times, so that the same files make the same layer. */
const seal = [
  'import compileall, os, re, sys, sysconfig',
  "skip = re.compile(r'/(tests?|idlelib|lib2to3|turtledemo|ensurepip|site-packages/pip)/')",
  'for folder in sys.argv[1:]:',
  "    folder = sysconfig.get_path('stdlib') if folder == 'stdlib' else folder",
  "    compileall.compile_dir(folder, quiet=2, rx=skip, workers=0, invalidation_mode=__import__('py_compile').PycInvalidationMode.UNCHECKED_HASH)",
  "for folder, folders, files in os.walk('/opt/passloop', topdown=False):",
  '    for name in files:',
  '        os.utime(os.path.join(folder, name), (0, 0))',
  '    os.utime(folder, (0, 0))',
].join('\n');

export type RecipeRequest = {
  /** Name of the model: what clients call it. */
  model: string;
  modelDigest: string;
  /** `name@sha256:…` */
  base: string;
  imageKey: string;
  runtimeVersion: string;
};

/** The Dockerfile. Its context holds `model/`, `locks/`, `wheels/{runtime,serve,installer}/` and `passloop_runtime/`. */
export function dockerfile(request: RecipeRequest): string {
  const [baseName = '', baseDigest = ''] = request.base.split('@');
  const install = (lock: string, target: string) =>
    run([
      'python3',
      `/passloop/wheels/installer/${installerFile}/pip`,
      ...[
        'install',
        '--no-index',
        '--find-links',
        `/passloop/wheels/${lock}`,
        '--only-binary',
        ':all:',
        '--require-hashes',
      ],
      ...['--no-cache-dir', '--no-compile', '--no-warn-script-location', '--root-user-action', 'ignore'],
      ...['--disable-pip-version-check', '--no-input', '--quiet'],
      ...['--target', target, '--requirement', `/passloop/locks/${lock}.txt`],
    ]);
  const labels = {
    'org.opencontainers.image.title': request.model,
    'org.opencontainers.image.version': request.modelDigest.slice('sha256:'.length, 'sha256:'.length + 12),
    'org.opencontainers.image.base.name': baseName,
    'org.opencontainers.image.base.digest': baseDigest,
    [imageLabels.model]: request.model,
    [imageLabels.modelDigest]: request.modelDigest,
    [imageLabels.imageKey]: request.imageKey,
    [imageLabels.runtime]: request.runtimeVersion,
    [imageLabels.recipe]: recipeVersion,
  };
  const environment = {
    PYTHONPATH: '/opt/passloop/site-packages:/opt/passloop/runtime:/opt/passloop/lib',
    PYTHONPYCACHEPREFIX: '/opt/passloop/bytecode',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONSAFEPATH: '1',
    // A request has one row, mostly: threads that wait for one another cost more than they bring. A deployment may say otherwise.
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    PASSLOOP_MODEL_NAME: request.model,
    PASSLOOP_MODEL_VERSION: labels['org.opencontainers.image.version'],
    PASSLOOP_MODEL_DIGEST: request.modelDigest,
    PASSLOOP_MODEL_DIR: '/model',
    PASSLOOP_HTTP_PORT: '8080',
    PASSLOOP_GRPC_PORT: '8081',
  };
  const lines = [
    `FROM ${request.base} AS dependencies`,
    'USER 0',
    'WORKDIR /passloop',
    'COPY wheels/installer/ /passloop/wheels/installer/',
    'COPY locks/runtime.txt /passloop/locks/',
    'COPY wheels/runtime/ /passloop/wheels/runtime/',
    install('runtime', '/opt/passloop/lib'),
    'COPY locks/serve.txt /passloop/locks/',
    'COPY wheels/serve/ /passloop/wheels/serve/',
    install('serve', '/opt/passloop/site-packages'),
    'COPY passloop_runtime/ /opt/passloop/runtime/passloop_runtime/',
    'ENV PYTHONPYCACHEPREFIX=/opt/passloop/bytecode',
    run(['python3', '-c', seal, 'stdlib', '/opt/passloop/lib', '/opt/passloop/site-packages', '/opt/passloop/runtime']),
    '',
    `FROM ${request.base}`,
    'COPY --from=dependencies /opt/passloop/ /opt/passloop/',
    `ENV ${pairs(environment)}`,
    `LABEL ${pairs(labels)}`,
    'COPY model/ /model/',
    'WORKDIR /model',
    'EXPOSE 8080 8081',
    'USER 10001:10001',
    'STOPSIGNAL SIGTERM',
    `HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ${exec(['python3', '-m', 'passloop_runtime.healthcheck'])}`,
    `ENTRYPOINT ${exec(['python3', '-m', 'passloop_runtime'])}`,
    'CMD []',
  ];
  return `${lines.join('\n')}\n`;
}

export const imageLabels = {
  model: 'passloop.model',
  modelDigest: 'passloop.model-digest',
  imageKey: 'passloop.image-key',
  runtime: 'passloop.runtime',
  recipe: 'passloop.recipe',
} as const;

/** The name of the model file inside the image, by the form that its ending tells. */
export function servedModelFile(path: string): string {
  const ending = /\.(joblib|pkl|pickle)$/.exec(path)?.[1];
  if (ending === undefined) {
    throw new ConfigurationError(
      `package.model is ${JSON.stringify(path)}; the runtime serves .joblib, .pkl and .pickle files.`,
      {
        hint: 'Write the fitted pipeline, preprocessing included, by joblib.dump(pipeline, "model.joblib").',
      },
    );
  }
  return `model.${ending}`;
}

function run(argv: readonly string[]): string {
  return `RUN ${exec(argv)}`;
}

/** The exec form is a JSON array: no shell, which a base image need not have. */
function exec(argv: readonly string[]): string {
  return JSON.stringify(argv);
}

/** Dockerfile values in double quotes; a name that could leave them, or that the builder would expand, has no place there. */
function pairs(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      if (/["\\$\n\r\u0000]/.test(value)) {
        throw new ConfigurationError(`${name} of an image cannot be ${JSON.stringify(value.slice(0, 120))}.`);
      }
      return `${name}="${value}"`;
    })
    .join(' \\\n    ');
}
