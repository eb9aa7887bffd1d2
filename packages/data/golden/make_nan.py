"""A row group whose extremes leave NaN out, and say -0 where 0 is the smallest, as Arrow writes them: python make_nan.py (pyarrow 26.0.1)"""

import math

import pyarrow as pa
import pyarrow.parquet as pq

columns = {
    "i": pa.array([7, 7, 3], pa.int64()),
    "x": pa.array([math.nan, math.nan, -1.0], pa.float64()),
    "zero": pa.array([0.0, 2.5, 0.0], pa.float64()),
}
pq.write_table(pa.table(columns), "nan-beyond-extremes.parquet", compression="none")
