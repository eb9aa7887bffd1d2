import { ConfigurationError, sha256 } from '@passloop/core';
import { ModelName } from '@passloop/documents';

/** Where Passloop's state lives in a deploy repository, outside every synced path. */
export const stateFolder = '.passloop';

export function recordPath(model: string, environment: string): string {
  return `${stateFolder}/${named(environment, 'environment')}/${named(model, 'model')}.json`;
}

export function holdsFolder(model: string): string {
  return `${stateFolder}/holds/${named(model, 'model')}`;
}

/** @param digest of the model that is refused, or of the image where only one image of it is */
export function holdPath(model: string, digest: string): string {
  return `${holdsFolder(model)}/${digest.replace(':', '-')}.json`;
}

/** Marks one record's derived hold as lifted. @param record digest of the record that was replaced by its ancestor */
export function liftPath(model: string, record: string): string {
  return `${holdsFolder(model)}/lifted-${record.replace(':', '-')}.json`;
}

export function promotionBranch(model: string, environment: string): string {
  return `promote/${named(model, 'model')}/${named(environment, 'environment')}`;
}

/** Where several models go back together; the same models, the same branch. */
export function rollbackBranch(environment: string, models: readonly string[]): string {
  const names = [...new Set(models.map((model) => named(model, 'model')))].sort();
  return `${groupFolder(environment)}/${sha256(names.join('\n')).slice(7, 19)}`;
}

/** The folder of those branches. */
export function groupFolder(environment: string): string {
  return `rollback/${named(environment, 'environment')}`;
}

export function holdBranch(model: string, digest: string): string {
  return `hold/${named(model, 'model')}/${digest.replace(/^sha256:/, '').slice(0, 12)}`;
}

function named(name: string, what: string): string {
  if (!ModelName.safeParse(name).success || (what === 'environment' && name === 'holds')) {
    throw new ConfigurationError(
      `${JSON.stringify(name.slice(0, 80))} can't be the name of ${what === 'model' ? 'a model' : 'an environment'}.`,
      {
        hint: 'Names are lower case letters, digits and "-"; `holds` is taken.',
      },
    );
  }
  return name;
}
