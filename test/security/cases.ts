import { archiveCases } from './cases/archive.ts';
import { documentCases } from './cases/document.ts';
import { eventCases } from './cases/event.ts';
import { forgeCases } from './cases/forge.ts';
import { nameCases } from './cases/names.ts';
import { raceCases } from './cases/race.ts';
import type { SecurityCase } from './security-case.ts';

/** Every attack that the suite plays, by what it abuses. */
export const securityCases: { group: string; cases: SecurityCase[] }[] = [
  { group: 'The archive', cases: archiveCases },
  { group: 'The document', cases: documentCases },
  { group: 'Names and texts', cases: nameCases },
  { group: 'The event and the run', cases: eventCases },
  { group: 'Races and other people', cases: raceCases },
  { group: 'The token and the forge', cases: forgeCases },
];
