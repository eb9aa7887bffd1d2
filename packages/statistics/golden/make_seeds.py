"""Makes fixtures/seeds.json: what seed-means.test.ts and delong.test.ts expect of several models a side.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python golden/make_seeds.py

The package goes from a covariance; here everything is worked out another way. The metric is a mean over rows, so that a side
is a table of rows x seeds whose analysis of variance has the answer: Hillis 2014 (Stat. Med. 33:330) for readers that are
nested within tests, with the mean square of readers and the covariances between two readers of one test (Cov2) and of two
tests (Cov3). Areas and their covariance are brute force over all pairs.
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261126)


def table(rows, seeds, spread, noise):
    """A row's difficulty, which both sides share, a seed's own level and noise of each cell, in sixteenths: exact as doubles."""
    difficulty = rng.normal(0, 1, (rows, 1))
    sides = []
    for count in seeds:
        own = rng.normal(0, 0.4, (rows, 1))
        level = rng.normal(0, spread, (1, count))
        sides.append(np.round((0.8 + difficulty + own + level + rng.normal(0, noise, (rows, count))) * 16) / 16)
    return sides


def alike(rows, seeds, spread, noise):
    """As table, but with the same seeds on both sides, so that two models of one seed err on the same rows."""
    production, _ = table(rows, (seeds, seeds), spread, noise)
    return [production, np.round((production + 0.1 + rng.normal(0, noise / 8, (rows, seeds))) * 16) / 16]


def pair_mean(left, right, same):
    found = [
        np.cov(left[:, i], right[:, j])[0, 1]
        for i in range(left.shape[1])
        for j in range(right.shape[1])
        if not (same and i == j)
    ]
    return float(np.mean(found)) / left.shape[0]


def balanced(rows, seeds, spread, noise):
    return of_two(*table(rows, (seeds, seeds), spread, noise))


def of_two(production, candidate):
    seeds = production.shape[1]
    readers = [side.mean(axis=0) for side in (production, candidate)]
    mean_square = sum(((r - r.mean()) ** 2).sum() for r in readers) / (2 * (seeds - 1))
    cov2 = (pair_mean(production, production, True) + pair_mean(candidate, candidate, True)) / 2
    cov3 = pair_mean(production, candidate, False)
    variance = 2 / seeds * (mean_square + seeds * max(0.0, cov2 - cov3))
    squares = [((r - r.mean()) ** 2).sum() / (seeds - 1) / seeds for r in readers]
    freedom = variance**2 / sum(s**2 / (seeds - 1) for s in squares)
    delta = float(readers[1].mean() - readers[0].mean())
    reach = float(stats.t.ppf(0.975, freedom)) * variance**0.5
    return production, candidate, delta, variance, freedom, [delta - reach, delta + reach]


def against_one(rows, seeds, spread, noise):
    """A training against one model: the difference to the fixed model, row by row, is a table of one side."""
    production, candidate = table(rows, (1, seeds), spread, noise)
    change = candidate - production
    readers = change.mean(axis=0)
    square = readers.var(ddof=1)
    # The random two-way layout: rows by themselves beyond what is each cell's, and seeds.
    cells = change - change.mean(axis=0) - change.mean(axis=1, keepdims=True) + change.mean()
    residual = (cells**2).sum() / ((rows - 1) * (seeds - 1))
    between_rows = seeds * change.mean(axis=1).var(ddof=1)
    variance = between_rows / (rows * seeds) + max(0.0, square / seeds - residual / (rows * seeds))
    freedom = variance**2 / ((square / seeds) ** 2 / (seeds - 1))
    delta = float(readers.mean())
    reach = float(stats.t.ppf(0.975, freedom)) * variance**0.5
    return production, candidate, delta, variance, freedom, [delta - reach, delta + reach]


def case(name, made):
    production, candidate, delta, variance, freedom, interval = made
    values = np.hstack([production, candidate])
    return {
        "name": name,
        "production": production.mean(axis=0).tolist(),
        "candidate": candidate.mean(axis=0).tolist(),
        "covariance": (np.cov(values, rowvar=False) / values.shape[0]).ravel().tolist(),
        "delta": delta,
        "standardError": float(variance**0.5),
        "degreesOfFreedom": float(freedom),
        "interval": interval,
    }


def areas():
    rows, models = 90, 5
    labels = (rng.uniform(size=rows) < 0.4).astype(int)
    scores = np.round(labels[:, None] * 0.9 + rng.normal(0, 1, (rows, 1)) + rng.normal(0, 0.5, (rows, models)), 1)
    wins = []
    for model in range(models):
        above = scores[labels == 1, model][:, None] - scores[labels == 0, model][None, :]
        wins.append((above > 0) + 0.5 * (above == 0))
    by_positive = np.array([w.mean(axis=1) for w in wins])
    by_negative = np.array([w.mean(axis=0) for w in wins])
    covariance = np.cov(by_positive) / by_positive.shape[1] + np.cov(by_negative) / by_negative.shape[1]
    return {
        "labels": labels.tolist(),
        "scores": scores.T.tolist(),
        "areas": [float(w.mean()) for w in wins],
        "covariance": covariance.ravel().tolist(),
    }


cases = [
    case("two seeds a side that differ much", balanced(300, 2, 0.5, 0.3)),
    case("five seeds a side", balanced(300, 5, 0.2, 0.6)),
    case("ten seeds a side", balanced(200, 10, 0.15, 0.5)),
    case("six seeds against one model", against_one(250, 6, 0.3, 0.5)),
    case("four seeds that change nothing, against one model", against_one(250, 4, 0.0, 1.5)),
]
of_areas = areas()
cases.append(case("the same four seeds on both sides", of_two(*alike(250, 4, 0.05, 1.0))))
target = Path(__file__).parent / "fixtures" / "seeds.json"
target.write_text(json.dumps({"means": cases, "areas": of_areas}, indent=1) + "\n")
