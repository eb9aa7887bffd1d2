"""Makes fixtures/permutation.json: p-values of paired permutation tests of ranked metrics, by scipy.

Of curves all 4,096 ways to swap twelve rows by their ranks; of rankings 99,999 of the ways to swap forty queries.

python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
venv/bin/python golden/make_permutation.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics as m

rng = np.random.default_rng(20261126)


def ks(label, score, weight):
    low, high, _ = m.roc_curve(label, score, sample_weight=weight, drop_intermediate=False)
    return np.max(high - low)


CURVES = {
    "pr_auc": lambda label, score, weight: m.average_precision_score(label, score, sample_weight=weight),
    "roc_auc": lambda label, score, weight: m.roc_auc_score(label, score, sample_weight=weight),
    "ks": ks,
}


def curves(rows, weighted):
    label = rng.permutation(np.arange(rows) % 2)
    weight = np.round(rng.uniform(0.5, 3, rows), 2) if weighted else None
    production = np.round(label * 0.1 + rng.uniform(0, 0.5, rows), 2)
    # Another scale: ranks alone can change sides.
    candidate = np.round(100 * (label * 0.3 + rng.uniform(0, 0.5, rows)), 0)
    ranks = [stats.rankdata(scores) for scores in (candidate, production)]

    def p_value(of):
        def difference(x, y):
            # Sums in another order have another last digit, and scipy takes that for a difference.
            return np.round(of(label, x, weight) - of(label, y, weight), 9)

        return stats.permutation_test(
            ranks, difference, permutation_type="samples", n_resamples=np.inf, vectorized=False
        ).pvalue

    return {
        "labels": label.tolist(),
        "weights": None if weight is None else weight.tolist(),
        "production": production.tolist(),
        "candidate": candidate.tolist(),
        "pValues": {name: float(p_value(of)) for name, of in CURVES.items()},
    }


def rankings(queries, rows):
    relevance = rng.integers(0, 4, (queries, rows))
    relevance[:, 0] = 3
    production = np.round(0.1 * relevance + rng.uniform(0, 1, (queries, rows)), 6)
    noise = 0.5 * (production - 0.1 * relevance) + rng.uniform(0, 0.5, (queries, rows))
    candidate = np.round(0.08 * relevance + noise, 6)
    values = [
        np.array([m.ndcg_score([y], [s]) for y, s in zip(relevance, scores)]) for scores in (candidate, production)
    ]

    def difference(x, y, axis):
        return np.mean(x, axis=axis) - np.mean(y, axis=axis)

    found = stats.permutation_test(
        values, difference, permutation_type="samples", n_resamples=99_999, vectorized=True, rng=np.random.default_rng(1)
    )
    return {
        "labels": relevance.ravel().tolist(),
        "units": np.repeat(np.arange(queries), rows).tolist(),
        "production": production.ravel().tolist(),
        "candidate": candidate.ravel().tolist(),
        "pValues": {"ndcg": float(found.pvalue)},
    }


path = Path(__file__).parent / "fixtures" / "permutation.json"
cases = {"curves": curves(12, False), "weighted": curves(12, True), "rankings": rankings(40, 5)}
path.write_text(json.dumps(cases) + "\n")
print({name: case["pValues"] for name, case in cases.items()})
