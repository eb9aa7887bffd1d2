"""Makes fixtures/metrics.json: values of every metric with weights, ties, few classes and awkward rows, by scikit-learn.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    venv/bin/python golden/make-more.py

What scikit-learn lacks is worked out here another way than in the package: a ranking's metrics with ties by enumerating
every order of the tied rows, sMAPE and costs by a loop over the rows.
"""

import itertools
import json
import platform
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")
rng = np.random.default_rng(20261125)
AVERAGES = ("macro", "micro", "weighted")


def averages(label, prediction, weight):
    found = {}
    for name, score in (("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)):
        for average in AVERAGES:
            found[f"{name}_{average}"] = score(
                label, prediction, average=average, sample_weight=weight, zero_division=0
            )
    return found


def predicted(label, prediction, weight):
    return {
        "accuracy": m.accuracy_score(label, prediction, sample_weight=weight),
        "balanced_accuracy": m.balanced_accuracy_score(label, prediction, sample_weight=weight),
        "mcc": m.matthews_corrcoef(label, prediction, sample_weight=weight),
        **averages(label, prediction, weight),
    }


def calibration(label, score, weight, bins, strategy):
    """Bins as `calibration_curve` makes them; with weights, the same bins summed by hand."""
    if strategy == "quantile":
        edges = np.percentile(score, np.linspace(0, 1, bins + 1) * 100)
    else:
        edges = np.linspace(0.0, 1.0, bins + 1)
    of = np.searchsorted(edges[1:-1], score)
    weight = np.ones(len(label)) if weight is None else weight
    total = 0.0
    for b in np.unique(of):
        rows = of == b
        inside = weight[rows].sum()
        if inside > 0:
            gap = np.average(label[rows], weights=weight[rows]) - np.average(score[rows], weights=weight[rows])
            total += inside * abs(gap)
    if np.all(weight == 1):
        true, pred = calibration_curve(label, score, n_bins=bins, strategy=strategy)
        counts = np.bincount(of, minlength=bins)
        known = (counts[counts > 0] * np.abs(true - pred)).sum()
        assert abs(known - total) < 1e-9 * max(known, 1e-300) + 1e-15
    return total / weight.sum()


def ks(label, score, weight):
    fpr, tpr, _ = m.roc_curve(label, score, sample_weight=weight, drop_intermediate=False)
    found = max(0.0, (tpr - fpr).max())
    if weight is None:
        known = stats.ks_2samp(score[label == 0], score[label == 1], alternative="greater", method="asymp").statistic
        assert abs(known - found) < 1e-12, (known, found)
    return found


def recall_at_precision(label, score, weight, least):
    precision, recall, _ = m.precision_recall_curve(label, score, sample_weight=weight)
    return recall[precision >= least].max()


def scored(label, score, weight):
    return {
        "roc_auc": m.roc_auc_score(label, score, sample_weight=weight),
        "pr_auc": m.average_precision_score(label, score, sample_weight=weight),
        "ks": ks(label, score, weight),
        "recall_at_precision_70": recall_at_precision(label, score, weight, 0.7),
        "recall_at_precision_99": recall_at_precision(label, score, weight, 0.99),
    }


def probable(label, score, weight):
    return {
        "log_loss": m.log_loss(label, score, sample_weight=weight, labels=[0, 1]),
        "brier": m.brier_score_loss(label, score, sample_weight=weight, labels=[0, 1], pos_label=1),
        "calibration_error": calibration(label, score, weight, 10, "uniform"),
        "calibration_7": calibration(label, score, weight, 7, "uniform"),
        "calibration_equal": calibration(label, score, weight, 5, "quantile"),
    }


COSTS = {"0": {"1": 1.5}, "1": {"0": 7.25, "1": -0.5}}


def cost(label, prediction, weight, costs):
    weight = np.ones(len(label)) if weight is None else weight
    total = 0.0
    for y, p, w in zip(label, prediction, weight):
        total += w * costs.get(str(y), {}).get(str(p), 0.0)
    return total / sum(weight)


def binary(name, label, score, weight=None, values=None):
    label, score = np.asarray(label), np.asarray(score, dtype=float)
    weight = None if weight is None else np.asarray(weight, dtype=float)
    prediction = (score >= 0.45).astype(int)
    if values is None:
        positives = {
            "precision": m.precision_score(label, prediction, sample_weight=weight),
            "recall": m.recall_score(label, prediction, sample_weight=weight),
            "f1": m.f1_score(label, prediction, sample_weight=weight),
        }
        values = {
            **scored(label, score, weight),
            **probable(label, score, weight),
            **predicted(label, prediction, weight),
            **positives,
            "cost": cost(label, prediction, weight, COSTS),
        }
    return {
        "name": name,
        "task": "binary",
        "classes": ["0", "1"],
        "labels": label.tolist(),
        "weights": None if weight is None else weight.tolist(),
        "score": score.tolist(),
        "prediction": prediction.tolist(),
        "values": {key: None if np.isnan(value) else float(value) for key, value in values.items()},
    }


def binary_cases():
    rows = 240
    label = (rng.random(rows) < 0.35).astype(int)
    signal = 1 / (1 + np.exp(-(2 * label - 0.8 + rng.normal(0, 1.3, rows))))
    weight = np.round(rng.exponential(1, rows), 3)
    weight[::17] = 0
    yield binary("fine scores", label, signal)
    yield binary("tied scores", label, np.round(signal, 1))
    yield binary("weights, some 0", label, signal, weight)
    yield binary("weights and ties", label, np.round(signal, 1), weight)
    yield binary("a score against the label", label, 1 - np.round(signal, 2))
    yield binary("rare positives", np.r_[np.ones(3, int), np.zeros(197, int)], rng.random(200))
    yield binary("certain and wrong", [0, 1, 0, 1, 1, 0], [1.0, 0.0, 0.0, 1.0, 0.5, 0.5])
    constant = np.full(40, 0.25)
    half = np.tile([0, 1], 20)
    known = {**scored(half, constant, None), **probable(half, constant, None)}
    yield binary("a constant score", half, constant, None, known)
    # One class only: what has no denominator is undefined (null), and never a 0 or a 1.
    ones = np.ones(30, int)
    some = rng.random(30)
    prediction = (some >= 0.45).astype(int)
    yield binary(
        "positives only",
        ones,
        some,
        None,
        {
            "roc_auc": np.nan,
            "ks": np.nan,
            "mcc": np.nan,
            "accuracy": m.accuracy_score(ones, prediction),
            "precision": 1.0,
            "recall": m.recall_score(ones, prediction),
            "pr_auc": m.average_precision_score(ones, some),
            **probable(ones, some, None),
            "f1_macro": m.f1_score(ones, prediction, average="macro", zero_division=0),
            "f1_weighted": m.f1_score(ones, prediction, average="weighted", zero_division=0),
        },
    )
    yield binary(
        "negatives only",
        1 - ones,
        some,
        None,
        {
            "roc_auc": np.nan,
            "pr_auc": np.nan,
            "ks": np.nan,
            "recall": np.nan,
            "recall_at_precision_70": np.nan,
            "precision": 0.0,
            **probable(1 - ones, some, None),
        },
    )


def multiclass(name, label, scores, prediction, weight=None, ovr=True):
    classes = scores.shape[1]
    weight = None if weight is None else np.asarray(weight, dtype=float)
    labels = list(range(classes))
    values = {
        **predicted(label, prediction, weight),
        "log_loss": m.log_loss(label, scores, sample_weight=weight, labels=labels),
        "brier": m.brier_score_loss(label, scores, sample_weight=weight, labels=labels),
    }
    if ovr:
        values["roc_auc_ovr"] = m.roc_auc_score(
            label, scores, multi_class="ovr", average="macro", sample_weight=weight, labels=labels
        )
    return {
        "name": name,
        "task": "multiclass",
        "classes": [str(code) for code in labels],
        "labels": label.tolist(),
        "weights": None if weight is None else weight.tolist(),
        "scores": scores.T.tolist(),
        "prediction": prediction.tolist(),
        "values": {key: float(value) for key, value in values.items()},
    }


def multiclass_cases():
    rows = 210
    label = rng.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    logits = rng.normal(0, 1, (rows, 4)) + 1.4 * np.eye(4)[label]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    weight = np.round(rng.exponential(1, rows), 3)
    weight[::19] = 0
    tied = np.round(scores, 1)
    tied[:, 0] = 1 - tied[:, 1:].sum(axis=1)
    tied = np.clip(np.round(tied, 1), 0, 1)
    tied = tied / tied.sum(axis=1, keepdims=True)
    yield multiclass("four classes", label, scores, scores.argmax(axis=1))
    yield multiclass("four classes, weights", label, scores, scores.argmax(axis=1), weight)
    yield multiclass("tied scores", label, tied, tied.argmax(axis=1))
    # The last class is never predicted: 0 for precision and F1, as scikit-learn has it.
    never = scores[:, :3].argmax(axis=1)
    yield multiclass("a class that is never predicted", label, scores, never)
    # The last class has no label: it is no part of the log loss's labels, but a mistake where it is predicted.
    yield multiclass("a class without labels", np.where(label == 3, 0, label), scores, scores.argmax(axis=1), ovr=False)


def regression(name, label, prediction, weight=None, mape=True):
    label, prediction = np.asarray(label, dtype=float), np.asarray(prediction, dtype=float)
    weight = None if weight is None else np.asarray(weight, dtype=float)
    smape = []
    for y, p in zip(label, prediction):
        smape.append(0.0 if y == 0 and p == 0 else 2 * abs(y - p) / (abs(y) + abs(p)))
    values = {
        "mae": m.mean_absolute_error(label, prediction, sample_weight=weight),
        "mse": m.mean_squared_error(label, prediction, sample_weight=weight),
        "rmse": m.root_mean_squared_error(label, prediction, sample_weight=weight),
        "r2": m.r2_score(label, prediction, sample_weight=weight) if len(set(label)) > 1 else np.nan,
        "smape": np.average(smape, weights=weight),
        "pinball_10": m.mean_pinball_loss(label, prediction, alpha=0.1, sample_weight=weight),
        "pinball_50": m.mean_pinball_loss(label, prediction, alpha=0.5, sample_weight=weight),
        "pinball_95": m.mean_pinball_loss(label, prediction, alpha=0.95, sample_weight=weight),
    }
    if mape:
        values["mape"] = m.mean_absolute_percentage_error(label, prediction, sample_weight=weight)
    return {
        "name": name,
        "task": "regression",
        "classes": [],
        "labels": label.tolist(),
        "weights": None if weight is None else weight.tolist(),
        "prediction": prediction.tolist(),
        "values": {key: None if np.isnan(value) else float(value) for key, value in values.items()},
    }


def regression_cases():
    rows = 180
    label = np.round(rng.normal(3, 4, rows), 3)
    label[label == 0] = 0.5
    prediction = np.round(label + rng.normal(0.2, 1.5, rows), 3)
    weight = np.round(rng.exponential(1, rows), 3)
    weight[::13] = 0
    yield regression("negative and positive", label, prediction)
    yield regression("weights, some 0", label, prediction, weight)
    yield regression("far from 0", label + 1e8, prediction + 1e8, weight)
    yield regression("zeros in both", np.r_[0.0, 0.0, label], np.r_[0.0, 1.0, prediction], None, mape=False)
    yield regression("a constant prediction", label, np.full(rows, 2.5))
    yield regression("a constant label", np.full(20, 4.0), np.arange(20.0))


def orders(score):
    """Every order of the rows from the best score to the worst, with tied rows in every order of theirs."""
    groups = [np.flatnonzero(score == value) for value in sorted(set(score), reverse=True)]
    for parts in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [row for part in parts for row in part]


def average_precision(relevant, k):
    found, total = 0, 0.0
    for rank, hit in enumerate(relevant[:k], start=1):
        if hit:
            found += 1
            total += found / rank
    return total / min(sum(relevant), k)


def reciprocal_rank(relevant, k):
    return next((1 / rank for rank, hit in enumerate(relevant[:k], start=1) if hit), 0.0)


def recall(relevant, k):
    return sum(relevant[:k]) / sum(relevant)


def dcg(gains, k):
    return sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains[:k], start=1))


def hits(relevance):
    return [value > 0 for value in relevance]


def exponential(relevance):
    return [2.0**value - 1 for value in relevance]


def query_values(label, score):
    every = [[label[row] for row in order] for order in orders(score)]
    n = len(label)
    best = sorted(label, reverse=True)

    def mean(of):
        return float(np.mean([of(one) for one in every]))

    values = {
        "ndcg": m.ndcg_score([label], [score]),
        "ndcg_at_3": m.ndcg_score([label], [score], k=3),
        "ndcg_exponential_4": mean(lambda one: dcg(exponential(one), 4)) / dcg(exponential(best), 4),
        "map": mean(lambda one: average_precision(hits(one), n)),
        "map_at_3": mean(lambda one: average_precision(hits(one), 3)),
        "mrr": mean(lambda one: reciprocal_rank(hits(one), n)),
        "mrr_at_2": mean(lambda one: reciprocal_rank(hits(one), 2)),
        "recall_at_3": mean(lambda one: recall(hits(one), 3)),
    }
    if len(set(score)) == n:
        known = m.average_precision_score(np.asarray(label) > 0, score)
        assert abs(known - values["map"]) < 1e-12
    return values


def ranking(name, queries, weights=None):
    values = {}
    counted = 0.0
    for at, (label, score) in enumerate(queries):
        if not any(value > 0 for value in label):
            continue
        weight = 1.0 if weights is None else weights[at]
        counted += weight
        for key, value in query_values(np.asarray(label), np.asarray(score)).items():
            values[key] = values.get(key, 0.0) + weight * value
    return {
        "name": name,
        "task": "ranking",
        "classes": [],
        "labels": [value for label, _ in queries for value in label],
        "units": [at for at, (label, _) in enumerate(queries) for _ in label],
        "weights": None if weights is None else [weights[at] for at, (label, _) in enumerate(queries) for _ in label],
        "score": [value for _, score in queries for value in score],
        "values": {key: float(value / counted) for key, value in values.items()},
    }


def ranking_cases():
    def query(size, digits, levels=4):
        label = rng.integers(0, levels, size).tolist()
        return label, np.round(np.asarray(label) * 0.3 + rng.random(size), digits).tolist()

    fine = [query(int(size), 9) for size in rng.integers(2, 9, 25)]
    tied = [query(int(size), 0) for size in rng.integers(2, 8, 25)]
    yield ranking("no ties", fine)
    yield ranking("ties", tied)
    yield ranking("constant scores", [(label, [0.5] * len(label)) for label, _ in tied[:12]])
    yield ranking("weights", tied, np.round(rng.exponential(1, 25), 3).tolist())
    yield ranking("queries without a relevant row", [*fine[:5], ([0, 0, 0], [0.1, 0.2, 0.3])])


cases = [*binary_cases(), *multiclass_cases(), *regression_cases(), *ranking_cases()]
golden = {
    "made": {
        "by": "golden/make-more.py",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "costs": COSTS,
    "cases": cases,
}
path = Path(__file__).parent / "fixtures" / "metrics.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(len(cases), "cases,", sum(len(case["values"]) for case in cases), "values")
