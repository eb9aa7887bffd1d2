/** Opaque global ids: the kind's prefix as GitHub writes it, then what finds the object again. */
const PREFIXES = [
  'APP',
  'AR',
  'B',
  'BPR',
  'BOT',
  'C',
  'CE',
  'CR',
  'CS',
  'DBP',
  'DE',
  'DES',
  'EN',
  'IC',
  'LA',
  'MQ',
  'MQE',
  'O',
  'PR',
  'PRC',
  'PRR',
  'R',
  'REF',
  'SC',
  'SCR',
  'ST',
  'T',
  'TAG',
  'U',
  'W',
  'WFR',
] as const;
export type NodeKind = (typeof PREFIXES)[number];

export function nodeId(kind: NodeKind, ...parts: (number | string)[]): string {
  return `${kind}_${Buffer.from(JSON.stringify(parts)).toString('base64url')}`;
}

/** What an id names; undefined for an id that this server has not made. */
export function parseNodeId(id: string): { kind: NodeKind; parts: (number | string)[] } | undefined {
  const underscore = id.indexOf('_');
  const kind = PREFIXES.find((prefix) => prefix === id.slice(0, underscore));
  if (kind === undefined) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(id.slice(underscore + 1), 'base64url').toString());
    return Array.isArray(parts) ? { kind, parts } : undefined;
  } catch {
    return undefined;
  }
}
