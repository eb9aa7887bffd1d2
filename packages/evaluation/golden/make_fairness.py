"""Makes fixtures/fairness.json: gaps between groups, with and without weights, by Fairlearn.

python -m venv venv && venv/bin/pip install fairlearn==0.15.0 numpy==2.4.6 scikit-learn==1.9.1
venv/bin/python golden/make_fairness.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from fairlearn import metrics as f

rng = np.random.default_rng(20261126)
OF = {
    ("demographic-parity", "difference"): f.demographic_parity_difference,
    ("demographic-parity", "ratio"): f.demographic_parity_ratio,
    ("equal-opportunity", "difference"): f.equal_opportunity_difference,
    ("equal-opportunity", "ratio"): f.equal_opportunity_ratio,
    ("equalised-odds", "difference"): f.equalized_odds_difference,
    ("equalised-odds", "ratio"): f.equalized_odds_ratio,
}


def case(name, label, prediction, group, weight=None):
    values = [
        {
            "measure": measure,
            "as": form,
            "value": float(of(label, prediction, sensitive_features=group, sample_weight=weight)),
        }
        for (measure, form), of in OF.items()
    ]
    rates = f.MetricFrame(
        metrics={
            "selection-rate": f.selection_rate,
            "true-positive-rate": f.true_positive_rate,
            "false-positive-rate": f.false_positive_rate,
        },
        y_true=label,
        y_pred=prediction,
        sensitive_features=group,
        sample_params=None
        if weight is None
        else {
            rate: {"sample_weight": weight} for rate in ("selection-rate", "true-positive-rate", "false-positive-rate")
        },
    ).by_group
    return {
        "name": name,
        "labels": label.tolist(),
        "prediction": prediction.tolist(),
        "groups": group.tolist(),
        "weights": None if weight is None else weight.tolist(),
        "values": [{**one, "value": None if np.isnan(one["value"]) else one["value"]} for one in values],
        "rates": {rate: {str(group): float(rates[rate][group]) for group in rates.index} for rate in rates.columns},
    }


def cases():
    rows = 160
    group = rng.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])
    label = (rng.random(rows) < 0.4).astype(int)
    chance = 0.25 + 0.4 * label + 0.1 * (group == "b")
    prediction = (rng.random(rows) < chance).astype(int)
    weight = np.round(rng.exponential(1, rows), 3)
    yield case("three groups", label, prediction, group)
    yield case("three groups, weights", label, prediction, group, weight)
    yield case("two groups", label[group != "c"], prediction[group != "c"], group[group != "c"])
    # Nobody of one group is selected.
    never = np.where(group == "b", 0, prediction)
    yield case("a group that is never selected", label, never, group)
    yield case("everybody is selected", label, np.ones(rows, int), group)


golden = {
    "made": {"by": "golden/make_fairness.py", "fairlearn": version("fairlearn"), "numpy": version("numpy")},
    "cases": list(cases()),
}
path = Path(__file__).parent / "fixtures" / "fairness.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(len(golden["cases"]), "cases")
