/** How a shift of one column is measured; `auto` chooses by its type. (A file that imports nothing: `--help` reads it.) */
export const driftMethods = ['auto', 'ks', 'psi', 'js', 'wasserstein', 'chi2'] as const;

/** Other tools whose drift can be reproduced. */
export const driftCompatibilities = ['evidently'] as const;
