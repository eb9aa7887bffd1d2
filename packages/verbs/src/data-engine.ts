import { ConfigurationError, type Digest } from '@passloop/core';
import { openSparkTables } from '@passloop/data';
import { isRemote, openTables, type TableSession } from '@passloop/tables';
import type { Context } from './context.ts';
import { type Dataset, type DatasetFiles, datasetFiles } from './dataset-request.ts';

/** Which engine looks at the data: the embedded one, or a Spark that is there already. */
export type EngineRequest = {
  engine?: 'duckdb' | 'spark' | undefined;
  sparkMaster?: string | undefined;
  sparkSubmit?: string | undefined;
  sparkConf?: readonly string[] | undefined;
};

/** What a Spark driver finds its cluster, its storage and its Python by. Tokens of the forge are not among it. */
const sparkVariables =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|KUBECONFIG|(JAVA|SPARK|PYSPARK|PYTHON|HADOOP|YARN|HIVE|KRB5|AWS|GOOGLE|AZURE|KUBERNETES)_?\w*|(HTTPS?|NO)_PROXY|(https?|no)_proxy)$/;

export async function openEngine(context: Context, request: EngineRequest): Promise<TableSession> {
  if (request.engine !== 'spark') {
    const stray = [request.sparkMaster, request.sparkSubmit, request.sparkConf].some((one) => one !== undefined);
    if (!stray) return openTables();
    throw new ConfigurationError('Options of Spark are given, and the engine is DuckDB.', {
      hint: 'Add --engine spark, or leave them out.',
    });
  }
  context.progress.phase('start Spark');
  const env = Object.entries(context.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && sparkVariables.test(entry[0]),
  );
  return openSparkTables({
    master: request.sparkMaster,
    submit: request.sparkSubmit ?? (context.env.SPARK_HOME ? `${context.env.SPARK_HOME}/bin/spark-submit` : undefined),
    conf: request.sparkConf,
    env: Object.fromEntries(env),
  });
}

export type EngineFiles = Pick<DatasetFiles, 'uri' | 'root'> & {
  found?: DatasetFiles['found'];
  /** Null for what lies on the cluster's storage: nobody has read its bytes. */
  digest: Digest | null;
};

/** Where an engine finds a dataset: Spark reads its addresses itself, all else is found, or fetched, here. */
export async function engineFiles(
  context: Context,
  request: EngineRequest & { maxBytes?: number | undefined },
  dataset: Pick<Dataset, 'uri' | 'root' | 'model'>,
): Promise<EngineFiles> {
  const { uri, root } = dataset;
  if (request.engine === 'spark' && isRemote(uri)) return { uri, root, digest: null };
  return datasetFiles(context, dataset, request.maxBytes);
}
