"""Makes fixtures/golden.json: rows of two models and scikit-learn's value of every metric, for the tests of this package.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    venv/bin/python golden/make.py

Scores have ties and exact 0 and 1; the regression's labels lie far from zero, where sums of squares cancel. The paired
intervals are made by resampling rows 3,000 times with NumPy: they are compared loosely.
"""

import json
import platform
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn import metrics as m

warnings.simplefilter("ignore")
rng = np.random.default_rng(20260202)


def binary(rows):
    label = (rng.random(rows) < 0.3).astype(int)
    signal = label + rng.normal(0, 1.1, rows)
    models = {}
    for name, noise in (("production", 0.8), ("candidate", 0.4)):
        score = np.round(1 / (1 + np.exp(-(signal - 0.6 + rng.normal(0, noise, rows)))), 3)
        score[:2] = label[:2]
        score[2], score[3] = 0.0, 1.0
        models[name] = {"score": score.tolist(), "prediction": (score >= 0.45).astype(int).tolist()}
    return label, models


def binary_values(label, model):
    score, prediction = np.array(model["score"]), np.array(model["prediction"])
    return {
        "roc_auc": m.roc_auc_score(label, score),
        "accuracy": m.accuracy_score(label, prediction),
        "balanced_accuracy": m.balanced_accuracy_score(label, prediction),
        "precision": m.precision_score(label, prediction),
        "recall": m.recall_score(label, prediction),
        "f1": m.f1_score(label, prediction),
        "mcc": m.matthews_corrcoef(label, prediction),
        "log_loss": m.log_loss(label, score),
        "brier": m.brier_score_loss(label, score),
    }


def multiclass(rows):
    label = rng.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])
    models = {}
    for name, share in (("production", 0.3), ("candidate", 0.2)):
        wrong = rng.random(rows) < share
        models[name] = {"prediction": np.where(wrong, rng.integers(0, 5, rows), label).tolist()}
    return label, models


def multiclass_values(label, model):
    return {
        "accuracy": m.accuracy_score(label, model["prediction"]),
        "balanced_accuracy": m.balanced_accuracy_score(label, model["prediction"]),
    }


def regression(rows, offset):
    label = np.round(offset + rng.normal(0, 3, rows), 4)
    models = {}
    for name, noise in (("production", 1.4), ("candidate", 1.1)):
        models[name] = {"prediction": np.round(label + rng.normal(0.1, noise, rows), 4).tolist()}
    return label, models


def regression_values(label, model):
    prediction = np.array(model["prediction"])
    return {
        "mae": m.mean_absolute_error(label, prediction),
        "mse": m.mean_squared_error(label, prediction),
        "rmse": m.root_mean_squared_error(label, prediction),
        "r2": m.r2_score(label, prediction),
    }


def intervals(label, models, values):
    label = np.array(label)
    rows = len(label)
    deltas = {}
    for _ in range(3_000):
        drawn = rng.integers(0, rows, rows)
        sides = []
        for name in ("production", "candidate"):
            sides.append(values(label[drawn], {k: np.array(v)[drawn] for k, v in models[name].items()}))
        for metric, value in sides[0].items():
            deltas.setdefault(metric, []).append(sides[1][metric] - value)
    return {metric: np.quantile(np.array(found), [0.025, 0.975]).tolist() for metric, found in deltas.items()}


def case(task, made, values, with_intervals=True):
    label, models = made
    return {
        "task": task,
        "labels": label.tolist(),
        "models": models,
        "values": {name: values(label, model) for name, model in models.items()},
        "intervals": intervals(label, models, values) if with_intervals else None,
    }


golden = {
    "made": {
        "by": "golden/make.py",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "binary": case("binary", binary(300), binary_values),
    "multiclass": case("multiclass", multiclass(250), multiclass_values),
    "regression": case("regression", regression(200, 20.0), regression_values),
    "far": case("regression", regression(200, 1e9), regression_values, with_intervals=False),
}
path = Path(__file__).parent / "fixtures" / "golden.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
