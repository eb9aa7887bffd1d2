import { ScanStop } from './finding.ts';

export type PythonLiteral = string | number | boolean | null | PythonLiteral[] | Map<string, PythonLiteral>;

const token = /\s*(?:([[\](){},:])|'([^'\\]*)'|"([^"\\]*)"|(-?\d{1,15})L?|(True|False|None))/y;

/** Reads the part of Python's literals that the header of an npy file has; numpy writes no escapes into its texts. Throws ScanStop `malformed`. */
export function parsePythonLiteral(text: string): PythonLiteral {
  token.lastIndex = 0;
  let depth = 0;
  const next = () => {
    const match = token.exec(text);
    if (!match) throw new ScanStop('malformed', 'a header is no literal of Python.');
    return match;
  };
  let current = next();

  function advance(): void {
    if (text.slice(token.lastIndex).trim() !== '') current = next();
    else current = Object.assign(/()/.exec('')!, { 1: 'end' });
  }

  function at(mark: string): boolean {
    return current[1] === mark;
  }

  function value(): PythonLiteral {
    const [, mark, single, double, digits, word] = current;
    depth += 1;
    if (depth > 20) throw new ScanStop('limit', 'a header is nested more than 20 deep.');
    advance();
    let result: PythonLiteral;
    if (mark === '(' || mark === '[') result = items(mark === '(' ? ')' : ']');
    else if (mark === '{') result = pairs();
    else if (single !== undefined || double !== undefined) result = (single ?? double)!;
    else if (digits !== undefined) result = Number(digits);
    else if (word !== undefined) result = word === 'None' ? null : word === 'True';
    else throw new ScanStop('malformed', 'a header is no literal of Python.');
    depth -= 1;
    return result;
  }

  function items(close: string): PythonLiteral[] {
    const list: PythonLiteral[] = [];
    while (!at(close)) {
      list.push(value());
      if (at(',')) advance();
      else if (!at(close)) throw new ScanStop('malformed', 'a header is no literal of Python.');
    }
    advance();
    return list;
  }

  function pairs(): Map<string, PythonLiteral> {
    const map = new Map<string, PythonLiteral>();
    while (!at('}')) {
      const key = value();
      if (typeof key !== 'string' || !at(':')) throw new ScanStop('malformed', 'a header is no literal of Python.');
      advance();
      map.set(key, value());
      if (at(',')) advance();
      else if (!at('}')) throw new ScanStop('malformed', 'a header is no literal of Python.');
    }
    advance();
    return map;
  }

  const result = value();
  if (!at('end')) throw new ScanStop('malformed', 'a header goes on behind its end.');
  return result;
}
