"""Drift of one half of a Parquet file against the other by another tool's defaults: python bench/peers/drift.py TOOL FILE [rows]

TOOL is evidently or deepchecks. Prints seconds without the start of Python and the imports. Install beside it: pip install evidently pyarrow;
for deepchecks see checks.py.
"""

import sys
import time

import pandas as pd


def evidently(reference, current):
    from evidently import Report
    from evidently.presets import DataDriftPreset

    started = time.perf_counter()
    Report([DataDriftPreset()]).run(current, reference).dict()
    return time.perf_counter() - started


def deepchecks(reference, current):
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.checks import FeatureDrift

    started = time.perf_counter()
    sides = [Dataset(side, cat_features=["s1", "s2", "s3", "flag"]) for side in (reference, current)]
    # By default it takes samples of 100,000 rows.
    FeatureDrift(n_samples=max(len(reference), len(current))).run(*sides, with_display=False)
    return time.perf_counter() - started


tool, file = sys.argv[1:3]
frame = pd.read_parquet(file).drop(columns=["id", "day"])
frame = frame.head(int(sys.argv[3])) if len(sys.argv) > 3 else frame
half = len(frame) // 2
measure = {"evidently": evidently, "deepchecks": deepchecks}[tool]
print(f"{tool}: {len(frame)} rows, {measure(frame.head(half), frame.tail(half)):.1f} s")
