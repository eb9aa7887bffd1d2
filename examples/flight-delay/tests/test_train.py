import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from flight_delay.features import INPUTS, LABEL
from flight_delay.train import predict, read_rows

EXAMPLE = Path(__file__).parents[1]
ROWS = 2_000


def small_copy(folder: Path) -> Path:
    """The example with 2,000 rows of each file and eight trees."""
    (folder / "data").mkdir(parents=True)
    for name in ("train", "test"):
        pq.write_table(pq.read_table(EXAMPLE / f"data/{name}.parquet").slice(0, ROWS), folder / f"data/{name}.parquet")
    params = yaml.safe_load((EXAMPLE / "params.yaml").read_text())
    params["fit"]["max_iter"] = 8
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def run(folder: Path, **environment: str) -> dict[str, bytes]:
    """Run the stage as a process of its own; returns the bytes of its outputs."""
    subprocess.run(
        [sys.executable, "-m", "flight_delay.train"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE), **environment},
        check=True,
        capture_output=True,
    )
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Path:
    folder = small_copy(tmp_path_factory.mktemp("stage") / "repository")
    run(folder)
    return folder


def test_it_writes_key_score_and_class_and_no_label(stage):
    predictions = pq.read_table(stage / "out/predictions.parquet")
    holdout = pq.read_table(stage / "data/test.parquet")

    assert predictions.column_names == ["id", "score", "late_hat"]
    assert [str(field.type) for field in predictions.schema] == ["int64", "double", "int64"]
    assert predictions["id"].equals(holdout["id"])


def test_two_runs_in_two_folders_give_the_same_bytes_on_any_number_of_threads(stage, tmp_path):
    once = {path.name: path.read_bytes() for path in (stage / "out").iterdir()}
    again = run(small_copy(tmp_path / "elsewhere"), OMP_NUM_THREADS="2", PYTHONHASHSEED="123")

    assert sorted(once) == ["metrics.json", "model.joblib", "predictions.parquet"]
    assert once == again


def test_another_seed_is_another_model(stage, tmp_path):
    once = (stage / "out/predictions.parquet").read_bytes()
    other = run(small_copy(tmp_path / "seeded"), PASSLOOP_SEED_FRAMEWORK="8")
    assert other["predictions.parquet"] != once


def test_the_saved_model_scores_raw_rows_as_the_stage_did(stage):
    model = joblib.load(stage / "out/model.joblib")
    holdout = read_rows(stage / "data/test.parquet")
    written = pq.read_table(stage / "out/predictions.parquet").to_pandas()

    pd.testing.assert_frame_equal(predict(model, holdout), written, check_exact=True)
    pd.testing.assert_frame_equal(predict(model, holdout.drop(columns=LABEL)), written, check_exact=True)


def test_it_serves_an_array_as_it_serves_a_table(stage):
    model = joblib.load(stage / "out/model.joblib")
    inputs = read_rows(stage / "data/test.parquet")[list(INPUTS)]
    array = np.empty(inputs.shape, dtype=object)
    for position, name in enumerate(INPUTS):
        array[:, position] = inputs[name].tolist()

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        scores = model.predict_proba(array)
    np.testing.assert_array_equal(scores, model.predict_proba(inputs))
    np.testing.assert_array_equal(scores, model.predict_proba(inputs[list(reversed(INPUTS))]))


def test_metrics_say_how_the_written_predictions_do(stage):
    metrics = json.loads((stage / "out/metrics.json").read_text())
    written = pq.read_table(stage / "out/predictions.parquet").to_pandas()
    late = pq.read_table(stage / "data/test.parquet")[LABEL].to_numpy().astype(bool)

    # The share of (late, not late) pairs that the score puts in the right order, ties counting half.
    order = np.sign(written["score"].to_numpy()[late][:, None] - written["score"].to_numpy()[~late])
    assert metrics["roc_auc"] == pytest.approx(((order + 1) / 2).mean(), abs=1e-11)
    assert metrics["accuracy"] == pytest.approx((written["late_hat"] == late).mean(), abs=1e-11)
    assert metrics["rows"] == ROWS


def test_a_missing_value_stops_the_training_and_is_named(tmp_path):
    folder = small_copy(tmp_path / "broken")
    rows = pq.read_table(folder / "data/train.parquet").to_pandas()
    rows.loc[5, "origin_late_day"] = np.nan
    rows.to_parquet(folder / "data/train.parquet")

    with pytest.raises(ValueError, match=r"train\.parquet: missing values in origin_late_day"):
        read_rows(folder / "data/train.parquet")
    with pytest.raises(subprocess.CalledProcessError):
        run(folder)
    assert not (folder / "out").exists()
