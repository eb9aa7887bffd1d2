"""Golden numbers for drift and profiles, by numpy, pandas and scipy: an implementation that is not ours.

    pip install numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1 scipy==1.17.1
    python packages/data/golden/make.py

Writes reference.csv and current.csv (made with a fixed seed: heavy tails, ties, a shift, missing values, categories
that come and go) and golden.json: for these two, for two files of examples/flight-delay, and for the real tables of
tables.py, every method's statistic and p-value per column; and, but for the last ones, the reference's profile.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance
from scipy.stats.contingency import association

HERE = Path(__file__).parent
FLIGHTS = HERE.parents[2] / "examples" / "flight-delay" / "data"
TABLES = ["iris", "wine", "breast-cancer", "tips"]


def generate(rng: np.random.Generator, rows: int, shift: float) -> pd.DataFrame:
    """One side of the generated pair."""
    normal = rng.normal(shift, 1, rows)
    sparse = np.where(rng.random(rows) < 0.1 + shift / 4, np.nan, rng.gamma(2, 3, rows)).round(6)
    return pd.DataFrame(
        {
            "normal": normal.round(9),
            "heavy": np.exp(rng.normal(0, 2 + shift, rows)).round(9),
            "ties": rng.poisson(4 + 2 * shift, rows) * 10 + 1000,
            "large": rng.integers(0, 1000, rows) + 4_000_000_000_000,
            "tiny": normal * 1e-12,
            "sparse": sparse,
            "label": (rng.random(rows) < 0.3 + shift / 2).astype(int),
            "city": rng.choice(["Ulm", "Köln", "São Paulo", "a,b", 'q"q'], rows, p=np.array([5, 4, 3, 2, 1]) / 15),
        }
    )


def quantile_edges(values: np.ndarray, parts: int) -> np.ndarray:
    """Inner edges of the bins (-inf, e1], .. (ek, inf): observed quantiles, ties merged, the maximum left out.

    This is numpy's `inverted_cdf` with the rank in whole numbers: 0.07 * 1500 is 105.00000000000001 in floats.
    """
    ranks = [-(-i * len(values) // parts) for i in range(1, parts)]
    edges = np.unique(np.sort(values)[np.array(ranks) - 1])
    return edges[edges < values.max()]


def profile_edges(values: np.ndarray) -> np.ndarray:
    """Inner edges of a profile's cells: percentiles, and the double below each one that a second percentile shares.

    The maximum is the hundredth percentile: an edge only where the 99th is the same.
    """
    ranks = sorted({-(-i * len(values) // 100) for i in range(1, 101)})
    points, ties = np.unique(np.sort(values)[np.array(ranks) - 1].astype(float), return_counts=True)
    tied = points[ties > 1]
    return np.unique(np.concatenate([points[:-1], tied, np.nextafter(tied, -np.inf)]))


def bin_counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Rows per bin, an edge belonging to the bin on its left."""
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)


def fill(shares: np.ndarray) -> np.ndarray:
    """Evidently's rule for empty bins of PSI."""
    smallest = shares[shares > 0].min()
    return np.where(shares == 0, 1e-4 if smallest > 1e-4 else smallest / 1e6, shares)


def of_counts(reference: np.ndarray, current: np.ndarray) -> dict:
    """PSI, Jensen-Shannon distance, two-sample chi-squared and Cramer's V of two lists of counts."""
    p, q = reference / reference.sum(), current / current.sum()
    used = (reference + current) > 0
    table = np.array([reference[used], current[used]])
    chi2 = chi2_contingency(table, correction=False)
    return {
        "psi": {"statistic": float(((fill(p) - fill(q)) * np.log(fill(p) / fill(q))).sum())},
        "js": {"statistic": float(jensenshannon(p, q))},
        "chi2": {
            "statistic": float(chi2.statistic),
            "pValue": float(chi2.pvalue),
            "minimumExpected": float(chi2.expected_freq.min()),
            "cramersV": float(association(table, method="cramer")),
        },
    }


def drift(reference: pd.Series, current: pd.Series) -> dict:
    """Every method for one column. Integers of at most 20 distinct values on both sides count as categories too."""
    if reference.dtype.kind not in "fiu":
        values = sorted(set(reference.dropna()) | set(current.dropna()))
        counts = [side.value_counts().reindex(values, fill_value=0).to_numpy() for side in (reference, current)]
        return of_counts(*counts)
    a, b = reference.dropna().to_numpy(), current.dropna().to_numpy()
    values = np.unique(np.concatenate([a, b]))
    if reference.dtype.kind in "iu" and len(values) <= 20:
        result = of_counts(*(np.array([(side == value).sum() for value in values]) for side in (a, b)))
    else:
        edges = quantile_edges(a, 10)
        result = of_counts(bin_counts(a, edges), bin_counts(b, edges))
    ks = ks_2samp(a, b)
    result["ks"] = {"statistic": float(ks.statistic), "pValue": float(ks.pvalue)}
    result["wasserstein"] = {"statistic": float(wasserstein_distance(a, b) / a.std(ddof=0))}
    return result


def profile(column: pd.Series) -> dict:
    """What our profile says of a column."""
    found = {"nulls": int(column.isna().sum()), "distinct": int(column.nunique())}
    if column.dtype.kind in "fiu":
        values = column.dropna().to_numpy()
        found["mean"], found["sd"] = float(column.mean()), float(column.std())
        found["edges"] = [float(point) for point in profile_edges(values)]
    else:
        found["values"] = {str(value): int(count) for value, count in column.value_counts().items()}
    return found


def pair(name: str, reference: Path, current: Path, columns: list[str], profiled: bool = True) -> dict:
    """The golden numbers of one pair of files."""
    read = pd.read_parquet if reference.suffix == ".parquet" else pd.read_csv
    a, b = read(reference), read(current)
    return {
        "name": name,
        "reference": reference.relative_to(HERE.parents[2]).as_posix(),
        "current": current.relative_to(HERE.parents[2]).as_posix(),
        "sha256": [hashlib.sha256(path.read_bytes()).hexdigest() for path in (reference, current)],
        "drift": {column: drift(a[column], b[column]) for column in columns},
        "profile": {column: profile(a[column]) for column in columns} if profiled else {},
    }


def main() -> None:
    rng = np.random.default_rng(20010131)
    generate(rng, 1500, 0).to_csv(HERE / "reference.csv", index=False)
    generate(rng, 1100, 0.2).to_csv(HERE / "current.csv", index=False)
    generated = list(generate(rng, 2, 0).columns)
    flights = ["departure_minute", "distance", "origin_late_day", "destination_late_3h", "day_of_week", "hub", "late"]
    real = {name: (HERE / "tables" / f"{name}-reference.csv", HERE / "tables" / f"{name}-current.csv") for name in TABLES}
    golden = {
        "versions": {"numpy": np.__version__, "pandas": pd.__version__, "scipy": scipy.__version__},
        "pairs": [
            pair("generated", HERE / "reference.csv", HERE / "current.csv", generated),
            pair("flights, May", FLIGHTS / "train.parquet", FLIGHTS / "test.parquet", flights),
            pair("flights, June", FLIGHTS / "train.parquet", FLIGHTS / "later.parquet", flights),
            *(pair(name, *files, list(pd.read_csv(files[0]).columns), profiled=False) for name, files in real.items()),
        ],
    }
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
