export { openDirectoryStore } from './directory-store.ts';
export { type RegistryAccess, registryAccess } from './oci-access.ts';
export { dockerConfigCredentials, type RegistryCredentials } from './oci-auth.ts';
export * from './oci-reference.ts';
export * from './oci-registry.ts';
export { openOciStore } from './oci-store.ts';
export {
  type CandidateRecord,
  deployRecord,
  identityOf,
  type RecordPlace,
  readRecord,
  type StoredRecord,
  sameIdentity,
} from './record.ts';
export * from './record-evidence.ts';
export { decryptFile, encryptedEnding, encryptFile } from './row-files.ts';
export * from './store.ts';
export type { ProofKey } from './stored-proof.ts';
