"""Drift of one half of a Parquet file against the other by Evidently's defaults: python bench/peers/drift.py FILE [rows]

Prints seconds without the start of Python and the imports. Install beside it: pip install evidently pyarrow
"""

import sys
import time

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

frame = pd.read_parquet(sys.argv[1]).drop(columns=["id", "day"])
frame = frame.head(int(sys.argv[2])) if len(sys.argv) > 2 else frame
half = len(frame) // 2
started = time.perf_counter()
Report([DataDriftPreset()]).run(frame.tail(half), frame.head(half)).dict()
print(f"evidently: {len(frame)} rows, {time.perf_counter() - started:.1f} s")
