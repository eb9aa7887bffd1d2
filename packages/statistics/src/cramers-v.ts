/** The strength of association between the rows and the columns of a contingency table. */
export interface CramersV {
  /** sqrt(chi2 / (n min(r-1, c-1))), 0 .. 1 (Cramer 1946). */
  v: number;
  /** Bergsma's bias-corrected V (2013, "A bias-correction for Cramer's V and Tschuprow's T", J. Korean Stat. Soc. 42). */
  corrected: number;
  n: number;
}

/**
 * Cramer's V of a table of counts, one array a row of the table: for drift of a category pass
 * `[referenceCounts, currentCounts]`; for the association of two columns their cross table. Empty rows and columns are
 * left out. Both values are 0 when one row or one column is left: nothing can be associated.
 *
 * @throws RangeError when the rows differ in length, a count is negative or not finite, or the table is empty
 */
export function cramersV(table: readonly ArrayLike<number>[]): CramersV {
  const width = table[0]?.length ?? 0;
  const columnTotals = new Float64Array(width);
  const rowTotals = new Float64Array(table.length);
  let n = 0;
  for (const [r, row] of table.entries()) {
    if (row.length !== width)
      throw new RangeError(`row ${r} of the table has ${row.length} counts, the first ${width}`);
    for (let c = 0; c < width; c++) {
      const count = row[c]!;
      if (!(count >= 0) || count === Number.POSITIVE_INFINITY) throw new RangeError(`count ${r},${c} is ${count}`);
      rowTotals[r]! += count;
      columnTotals[c]! += count;
      n += count;
    }
  }
  if (n === 0) throw new RangeError("Cramer's V of an empty table");
  const rows = rowTotals.filter((total) => total > 0).length;
  const columns = columnTotals.filter((total) => total > 0).length;
  if (rows < 2 || columns < 2) return { v: 0, corrected: 0, n };
  let chi2 = 0;
  for (const [r, row] of table.entries()) {
    for (let c = 0; c < width; c++) {
      const expected = (rowTotals[r]! * columnTotals[c]!) / n;
      if (expected > 0) chi2 += (row[c]! - expected) ** 2 / expected;
    }
  }
  const phi2 = chi2 / n;
  const v = Math.min(1, Math.sqrt(phi2 / (Math.min(rows, columns) - 1)));
  if (n === 1) return { v, corrected: 0, n };
  const correctedPhi2 = Math.max(0, phi2 - ((rows - 1) * (columns - 1)) / (n - 1));
  const correctedRows = rows - (rows - 1) ** 2 / (n - 1);
  const correctedColumns = columns - (columns - 1) ** 2 / (n - 1);
  const divisor = Math.min(correctedRows, correctedColumns) - 1;
  const corrected = divisor > 0 ? Math.min(1, Math.sqrt(correctedPhi2 / divisor)) : 0;
  return { v, corrected, n };
}
