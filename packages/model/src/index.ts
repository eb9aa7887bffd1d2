export * from './checks.ts';
export * from './load.ts';
export * from './lock.ts';
export * from './overrides.ts';
export * from './policy.ts';
export * from './requirements.ts';
export * from './schema.ts';
export * from './signature.ts';
