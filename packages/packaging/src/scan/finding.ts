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

/** The findings of a file. A list is as long as a reader can bear; the verdict counts what is left out of it as well. */
export class Findings {
  #list: ScanFinding[] = [];
  #counts = { fail: 0, inconclusive: 0, note: 0 };

  get list(): ScanFinding[] {
    return this.#list;
  }

  /** The worst of all findings; none is a pass. */
  get verdict(): ScanVerdict {
    if (this.#counts.fail > 0) return 'fail';
    return this.#counts.inconclusive > 0 ? 'inconclusive' : 'pass';
  }

  add(rule: ScanRule, detail: string): void {
    const severity = severities[rule];
    this.#counts[severity] += 1;
    if (this.#counts[severity] <= shownFindings) this.#list.push({ rule, detail });
  }
}

/** Of each severity, so that trifles can't crowd out what matters. */
const shownFindings = 300;

/** Why a scan cannot go on: the file ends early, breaks its format, or passes a limit. Ends the scan of that file only. */
export class ScanStop extends Error {
  readonly rule: ScanRule;

  constructor(rule: ScanRule, detail: string) {
    super(detail);
    this.name = 'ScanStop';
    this.rule = rule;
  }
}
