"""Evidently's own drift of the tables of tables.py, of the generated pair, and of two months of examples/flight-delay.

    pip install evidently==0.7.23 pandas==2.3.3 pyarrow==26.0.1 scipy==1.17.1
    python packages/data/golden/make_evidently.py

Writes evidently.json: what DataDriftPreset with its defaults says of every column and of the table, and each column's
drift by every test that it can be asked for by name.
"""

import hashlib
import json
from pathlib import Path

import evidently
import numpy
import pandas as pd
import scipy
from evidently import Report
from evidently.metrics import ValueDrift
from evidently.presets import DataDriftPreset

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FLIGHTS = ROOT / "examples" / "flight-delay" / "data"
# Our names of the methods, and Evidently's.
METHODS = {"ks": "ks", "psi": "psi", "js": "jensenshannon", "wasserstein": "wasserstein", "chi2": "chisquare"}


def read(path: Path) -> pd.DataFrame:
    """A table with its doubles as they are written, and with nothing but blanks for missing."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, float_precision="round_trip", keep_default_na=False, na_values=[""])


def value_drift(metric: dict, test: dict) -> dict:
    """One column's score, its verdict, and the name of the test."""
    drifted = test["status"].value == "FAIL"
    return {"score": float(metric["value"]), "drifted": drifted, "test": metric["config"]["method"]}


def by_default(current: pd.DataFrame, reference: pd.DataFrame) -> dict:
    """What DataDriftPreset says."""
    found = Report([DataDriftPreset()], include_tests=True).run(current, reference).dict()
    tests = {test["metric_config"]["metric_id"]: test for test in found["tests"]}
    whole, *columns = found["metrics"]
    return {
        "drifted": int(whole["value"]["count"]),
        "share": float(whole["value"]["share"]),
        "isDrifted": tests[whole["id"]]["status"].value == "FAIL",
        "columns": {one["config"]["column"]: value_drift(one, tests[one["id"]]) for one in columns},
    }


def by_name(current: pd.DataFrame, reference: pd.DataFrame, column: str, method: str) -> dict | None:
    """One column by one test; None where Evidently has no such test for it."""
    try:
        report = Report([ValueDrift(column=column, method=method)], include_tests=True)
        found = report.run(current[[column]], reference[[column]]).dict()
    except ValueError as error:
        if "isn't applicable" in str(error):
            return None
        raise
    return value_drift(found["metrics"][0], found["tests"][0])


def pair(name: str, reference: Path, current: Path, left_out: tuple[str, ...] = ()) -> dict:
    """Evidently's numbers of one pair of files, but for columns that name rows."""
    a, b = (read(path).drop(columns=list(left_out)) for path in (reference, current))
    default = by_default(b, a)
    named = {method: {column: by_name(b, a, column, METHODS[method]) for column in default["columns"]} for method in METHODS}
    return {
        "name": name,
        "reference": reference.relative_to(ROOT).as_posix(),
        "current": current.relative_to(ROOT).as_posix(),
        "sha256": [hashlib.sha256(path.read_bytes()).hexdigest() for path in (reference, current)],
        "leftOut": list(left_out),
        "default": default,
        "named": named,
    }


def main() -> None:
    tables = ["iris", "wine", "breast-cancer", "diabetes", "tips"]
    split = [pair(name, HERE / "tables" / f"{name}-reference.csv", HERE / "tables" / f"{name}-current.csv") for name in tables]
    golden = {
        "versions": {
            "evidently": evidently.__version__,
            "numpy": numpy.__version__,
            "pandas": pd.__version__,
            "scipy": scipy.__version__,
        },
        "pairs": [
            *split,
            pair("generated", HERE / "reference.csv", HERE / "current.csv"),
            pair("flights, May", FLIGHTS / "train.parquet", FLIGHTS / "test.parquet", ("id",)),
            pair("flights, June", FLIGHTS / "train.parquet", FLIGHTS / "later.parquet", ("id",)),
        ],
    }
    text = json.dumps(golden, indent=1, ensure_ascii=False, allow_nan=False)
    (HERE / "evidently.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
