export { type CalibrationOptions, calibrateDrift } from './calibrate.ts';
export { type DriftMethod, type DriftRequest, driftAgainstProfile } from './drift.ts';
export { type DriftBetweenOptions, driftBetween } from './drift-between.ts';
export { type LockOptions, lockDatasets, verifyLock } from './lock.ts';
export { type DriftMeasure, driftThresholds } from './measure.ts';
export { formatProfile, Profile, ProfileColumn, type ProfileKind, parseProfile } from './profile.ts';
export { type ProfileOptions, profileTable } from './profile-table.ts';
export { type ValidateOptions, validateDataset, validateTable } from './validate.ts';
