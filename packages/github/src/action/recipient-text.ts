/** One recipient as it is; several, where models have different stores, as a JSON map by model. Empty where there is none. */
export function recipientText(recipients: Readonly<Record<string, string>>): string {
  const [first, ...more] = new Set(Object.values(recipients));
  if (first === undefined) return '';
  return more.length === 0 ? first : JSON.stringify(recipients);
}
