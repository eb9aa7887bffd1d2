"""Prints the exact p-values that permutation.test.ts expects: all 4,096 ways to swap twelve pairs, by scipy.

python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
venv/bin/python golden/make_permutation.py
"""

import numpy as np
from scipy import stats

# Whole numbers: sums of others differ in their last digit, and scipy takes that for a difference.
PRODUCTION = np.array([31, 22, 50, 44, 17, 63, 29, 38, 41, 55, 24, 33])
BETTER = np.array([27, 25, 41, 40, 19, 52, 22, 31, 43, 49, 26, 28])
ALIKE = PRODUCTION + np.array([5, -4, 3, -6, 2, 1, -2, 3, -1, 2, -5, 4])


def difference(candidate, production, axis):
    return np.sum(candidate, axis=axis) - np.sum(production, axis=axis)


for name, candidate in (("better", BETTER), ("alike", ALIKE)):
    found = stats.permutation_test(
        (candidate, PRODUCTION), difference, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    print(name, found.statistic, found.pvalue)
