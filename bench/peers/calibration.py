"""What Evidently's defaults say of one table: python bench/peers/calibration.py REFERENCE CURRENT COLUMNS

Both files are doubles, column by column. Prints JSON. Started by bench/drift.ts; install beside it: pip install evidently
"""

import json
import sys
import time

import numpy as np
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

columns = int(sys.argv[3])
reference, current = (pd.DataFrame(np.fromfile(path).reshape(columns, -1).T) for path in sys.argv[1:3])
reference.columns = current.columns = [f"c{index}" for index in range(columns)]
started = time.perf_counter()
whole, *found = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
seconds = time.perf_counter() - started
scores = {one["config"]["column"]: float(one["value"]) for one in found}
print(
    json.dumps(
        {
            "drifted": int(whole["value"]["count"]),
            "scores": [scores[name] for name in reference.columns],
            "seconds": seconds,
        }
    )
)
