import { ConfigurationError, parseYaml, refuseRounded } from '@passloop/core';
import { readDbt } from './dbt.ts';
import { type ForeignChecks, Named } from './foreign-checks.ts';
import { readFrictionless, readPackage } from './frictionless.ts';
import { readGreatExpectations } from './great-expectations.ts';
import { readPandera } from './pandera.ts';
import { readSoda } from './soda.ts';

/**
 * The checks of another tool's file as ours: a suite of Great Expectations, a properties file of dbt, a contract of Soda, a Table Schema, a schema of pandera. What
 * can't be mapped exactly is listed, never dropped.
 *
 * @param table which relation, where the file describes several
 * @throws ConfigurationError where it is none of these, with the line where one is broken
 */
export function readForeignChecks(text: string, file: string, table: string | null = null): ForeignChecks {
  const source = parseYaml(text, file);
  refuseRounded(source);
  const value = Named.safeParse(source.value).data ?? {};
  if (Array.isArray(value.expectations)) return readGreatExpectations(text, file);
  if (Array.isArray(value.models) || Array.isArray(value.sources) || Array.isArray(value.seeds))
    return readDbt(text, file, table);
  if (Array.isArray(value.resources)) return readPackage(text, file, table);
  if (Array.isArray(value.fields)) return readFrictionless(text, file);
  if (Array.isArray(value.columns)) return readSoda(text, file);
  if (Named.safeParse(value.columns).success) return readPandera(text, file);
  throw new ConfigurationError(`${file} holds no checks that are known here.`, {
    file,
    hint: 'Known are suites of Great Expectations (JSON), properties files of dbt, contracts of Soda, Table Schemas and Data Packages, and schemas of pandera (YAML).',
  });
}
