"""The training stage: `python -m flight_delay.train`, in the folder that has params.yaml and data/.

Reads params.yaml, data/train.parquet and data/test.parquet; writes out/model.joblib, out/predictions.parquet
(key, score, predicted class: no label) and out/metrics.json. The same inputs and seed give the same predictions.
"""

import json
import os
from pathlib import Path

import joblib
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from flight_delay.features import INPUTS, KEY, LABEL, preprocessing

DEFAULT_SEED = 7


def read_rows(path: Path) -> pd.DataFrame:
    """Read key, inputs and label; refuse a missing value, which no step behind this one expects."""
    rows = pq.read_table(path, columns=[KEY, *INPUTS, LABEL]).to_pandas()
    missing = rows.columns[rows.isna().any()]
    if len(missing):
        raise ValueError(f"{path}: missing values in {', '.join(missing)}")
    return rows


def build_pipeline(params: dict, seed: int) -> Pipeline:
    """The whole model, unfitted: raw columns in, `predict_proba` and `predict` out."""
    fit = params["fit"]
    classifier = HistGradientBoostingClassifier(
        max_iter=fit["max_iter"],
        max_depth=fit["max_depth"],
        learning_rate=fit["learning_rate"],
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("prepare", preprocessing(params["features"], seed)), ("classify", classifier)])


def predict(model: Pipeline, rows: pd.DataFrame) -> pd.DataFrame:
    """Key, score (probability of a late arrival) and predicted class for each row. The label isn't looked at."""
    inputs = rows[list(INPUTS)]
    return pd.DataFrame(
        {KEY: rows[KEY], "score": model.predict_proba(inputs)[:, 1], "late_hat": model.predict(inputs).astype("int64")}
    )


def measure(label: pd.Series, predictions: pd.DataFrame) -> dict:
    """The metrics of a table of predictions, rounded to 12 significant digits."""
    score = predictions["score"]
    measured = {
        "roc_auc": roc_auc_score(label, score),
        "log_loss": log_loss(label, score),
        "brier": brier_score_loss(label, score),
        "accuracy": accuracy_score(label, predictions["late_hat"]),
    }
    return {"rows": len(predictions)} | {name: float(f"{value:.12g}") for name, value in measured.items()}


def train(folder: Path, seed: int) -> dict:
    """Run the stage in `folder` and return what it wrote to out/metrics.json."""
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    rows = read_rows(folder / "data/train.parquet")
    holdout = read_rows(folder / "data/test.parquet")

    # One thread is as fast on this many rows. The predictions are the same on more, but scikit-learn stores the number
    # of threads in the model, and the file should not depend on the machine's cores.
    with threadpool_limits(limits=1):
        model = build_pipeline(params, seed).fit(rows[list(INPUTS)], rows[LABEL])
        predictions = predict(model, holdout)
    metrics = measure(holdout[LABEL], predictions)

    out = folder / "out"
    out.mkdir(exist_ok=True)
    joblib.dump(model, out / "model.joblib")
    table = pa.Table.from_pandas(predictions, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, out / "predictions.parquet", compression="zstd")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def main() -> None:
    seed = int(os.environ.get("PASSLOOP_SEED_FRAMEWORK", DEFAULT_SEED))
    for name, value in train(Path.cwd(), seed).items():
        print(f"{name} {value}")


if __name__ == "__main__":
    main()
