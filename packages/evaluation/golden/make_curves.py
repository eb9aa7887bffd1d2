"""Makes fixtures/curves.json: rows, and what scikit-learn and NumPy draw of them, for the test of curves.ts.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    venv/bin/python golden/make_curves.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

rng = np.random.default_rng(7)


def binary(rows, share, digits):
    label = (rng.random(rows) < share).astype(int)
    score = np.round(1 / (1 + np.exp(-(1.2 * label + rng.normal(-0.8, 1, rows)))), digits)
    score[:2] = 0.0, 1.0
    score[2:8] = 0.1, 0.2, 0.3, 0.5, 0.7, 0.9
    fpr, tpr, thresholds = roc_curve(label, score, drop_intermediate=False)
    true, mean = calibration_curve(label, score, n_bins=10)
    return {
        "label": label.tolist(),
        "score": score.tolist(),
        # The first threshold is infinite, with no row.
        "roc": np.column_stack([thresholds, fpr, tpr])[1:].tolist(),
        "calibration": np.column_stack([true, mean]).tolist(),
        "confusion": confusion_matrix(label, score >= 0.5).tolist(),
    }


def regression(rows):
    prediction = np.round(rng.gamma(3, 10, rows), 1)
    label = np.round(prediction + rng.normal(0, 1 + prediction / 10), 3)
    left = label - prediction
    pooled = np.quantile(np.concatenate([left, left]), [0.01, 0.99])
    edges = np.linspace(pooled[0], pooled[1], 41)
    inner = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    starts = np.unique(np.sort(prediction)[:: int(np.ceil(rows / 20))])
    group = np.searchsorted(starts, prediction, side="right") - 1
    return {
        "label": label.tolist(),
        "prediction": prediction.tolist(),
        "edges": edges.tolist(),
        "counts": np.histogram(left, inner)[0].tolist(),
        "groups": [
            [int((group == k).sum()), *np.quantile(left[group == k], [0.1, 0.5, 0.9])] for k in range(len(starts))
        ],
    }


golden = {
    "scikit-learn": sklearn.__version__,
    "numpy": np.__version__,
    "ties": binary(600, 0.3, 2),
    "rare": binary(1500, 0.02, 6),
    "regression": regression(800),
}
(Path(__file__).parent / "fixtures" / "curves.json").write_text(json.dumps(golden) + "\n")
