"""Trains the models of the integration tests: `python train.py FOLDER`.

Writes one honest model, models that differ from it as mistakes do, one that would run a command when it is loaded, and
rows.json with the rows and the honest model's own predictions, which are what a training stage would have stored.
"""

import json
import os
import pickle
import sys
from copy import deepcopy
from pathlib import Path

import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

ROWS = 300


def make_rows(generator: np.random.Generator) -> dict[str, list]:
    """Distances in miles, departures in seconds since 1970 (which a float32 rounds to minutes), and airports."""
    return {
        "distance": np.round(generator.uniform(100, 3000, ROWS), 1).tolist(),
        "departed": generator.integers(980_000_000, 980_600_000, ROWS).tolist(),
        "origin": generator.choice(["ATL", "LAX", "Zürich"], ROWS).tolist(),
    }


def make_model(number: object) -> Pipeline:
    prepare = ColumnTransformer([("number", number, [0, 1]), ("airport", OneHotEncoder(sparse_output=False), [2])])
    return Pipeline([("prepare", prepare), ("classify", LogisticRegression())])


class Command:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/passloop-model-was-loaded",)


def main(folder: Path) -> None:
    generator = np.random.default_rng(7)
    rows = make_rows(generator)
    inputs = np.empty((ROWS, 3), dtype=object)
    for position, values in enumerate(rows.values()):
        inputs[:, position] = values
    logit = (inputs[:, 0].astype(float) - 1500) / 800 + (inputs[:, 1].astype(float) - 980_300_000) / 200_000
    late = (logit + generator.normal(size=ROWS) > 0).astype(int)

    model = make_model(StandardScaler()).fit(inputs, late)
    joblib.dump(model, folder / "honest.joblib")

    coefficient = deepcopy(model)
    coefficient["classify"].coef_[0, 0] *= 1.001
    joblib.dump(coefficient, folder / "coefficient.joblib")

    classes = deepcopy(model)
    classes["classify"].classes_ = classes["classify"].classes_[::-1]
    joblib.dump(classes, folder / "classes.joblib")

    rounded = make_model(make_pipeline(FunctionTransformer(np.float32), StandardScaler())).fit(inputs, late)
    rounded.steps[1] = ("classify", model["classify"])
    joblib.dump(rounded, folder / "float32.joblib")

    scaled = make_model(MinMaxScaler()).fit(inputs, late)
    scaled.steps[1] = ("classify", model["classify"])
    joblib.dump(scaled, folder / "preprocessing.joblib")

    (folder / "command.pkl").write_bytes(pickle.dumps(Command()))
    predictions = {"score": model.predict_proba(inputs)[:, 1].tolist(), "late_hat": model.predict(inputs).tolist()}
    (folder / "rows.json").write_text(json.dumps({"rows": rows, "predictions": predictions}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
