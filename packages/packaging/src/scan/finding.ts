/** What a rule means for the file: `fail` is known to be bad, `inconclusive` could not be judged, `note` is told only. */
const severities = {
  'forbidden-import': 'fail',
  'unlisted-import': 'fail',
  'computed-import': 'fail',
  'computed-call': 'fail',
  'unusual-call': 'fail',
  'dunder-state': 'fail',
  'extension-code': 'fail',
  'persistent-id': 'fail',
  'trailing-bytes': 'fail',
  'several-streams': 'fail',
  'frame-mismatch': 'fail',
  'array-framing': 'fail',
  'disguised-pickle': 'fail',
  'header-mismatch': 'fail',
  'unsafe-path': 'fail',
  'custom-code': 'fail',
  malformed: 'inconclusive',
  limit: 'inconclusive',
  'unread-format': 'inconclusive',
  'extension-mismatch': 'inconclusive',
  'repeated-protocol': 'note',
} as const satisfies Record<string, 'fail' | 'inconclusive' | 'note'>;

export type ScanRule = keyof typeof severities;
export type ScanVerdict = 'pass' | 'fail' | 'inconclusive';

export interface ScanFinding {
  rule: ScanRule;
  detail: string;
}

/** The verdict of a file from its findings: the worst of them; none is a pass. */
export function verdictOf(findings: readonly ScanFinding[]): ScanVerdict {
  if (findings.some(({ rule }) => severities[rule] === 'fail')) return 'fail';
  return findings.some(({ rule }) => severities[rule] === 'inconclusive') ? 'inconclusive' : 'pass';
}

/** Why a scan cannot go on: the file ends early, breaks its format, or passes a limit. Ends the scan of that file only. */
export class ScanStop extends Error {
  readonly rule: ScanRule;

  constructor(rule: ScanRule, detail: string) {
    super(detail);
    this.name = 'ScanStop';
    this.rule = rule;
  }
}
