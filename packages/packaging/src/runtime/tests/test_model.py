"""What a signature asks of a model, and every datatype there and back, without a server between."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from passloop_runtime import model as model_module
from passloop_runtime.errors import RequestError, StartError
from passloop_runtime.model import Model
from passloop_runtime.settings import read_settings, scrub_environment
from passloop_runtime.signature import parse_signature
from passloop_runtime.tensors import DATATYPES, from_json, from_raw, from_values, to_datatype, to_json, to_raw

from .conftest import SIGNATURE, flights


def signature(*outputs, columns=("a", "b"), **fields):
    inputs = [{"name": name, "datatype": "FP64"} for name in columns]
    return parse_signature({"inputs": inputs, "outputs": list(outputs), **fields})


def fitted(estimator, labels):
    return estimator.fit(np.arange(2 * len(labels), dtype=float).reshape(-1, 2) % 7, labels)


COLUMNS = {"a": np.array([0.0, 4.0, 1.0]), "b": np.array([1.0, 5.0, 2.0])}
MATRIX = np.column_stack(list(COLUMNS.values()))
SCORE = {"name": "score", "datatype": "FP64"}


def test_score_is_the_positive_class_wherever_it_stands():
    estimator = fitted(LogisticRegression(), ["yes", "no", "yes", "no", "no", "yes"])
    assert list(estimator.classes_) == ["no", "yes"]
    for fields, column in (({}, 1), ({"positive": "yes"}, 1), ({"positive": "no"}, 0)):
        outputs = Model(estimator, signature(SCORE, **fields)).predict(COLUMNS, ["score"])
        assert outputs["score"].tolist() == estimator.predict_proba(MATRIX)[:, column].tolist()
    with pytest.raises(StartError, match="'maybe' is none of the model's classes"):
        Model(estimator, signature(SCORE, positive="maybe"))


def test_several_classes_need_an_index_or_a_class():
    estimator = fitted(RandomForestClassifier(5, random_state=0), [0, 1, 2, 0, 1, 2])
    with pytest.raises(StartError, match="has 3 classes: give the output an index or a class"):
        Model(estimator, signature(SCORE))
    outputs = [{**SCORE, "class": 2}, {"name": "p1", "datatype": "FP64", "method": "predict_proba", "index": 1}]
    result = Model(estimator, signature(*outputs)).predict(COLUMNS, ["score", "p1"])
    probabilities = estimator.predict_proba(MATRIX)
    assert result["score"].tolist() == probabilities[:, 2].tolist()
    assert result["p1"].tolist() == probabilities[:, 1].tolist()
    wrong = Model(estimator, signature({**SCORE, "index": 9}))
    with pytest.raises(RequestError, match="column 9 is wanted"):
        wrong.predict(COLUMNS, ["score"])


def test_a_regression_s_score_is_its_prediction_and_other_methods_are_named():
    regression = fitted(LinearRegression(), [1.0, 2.0, 3.0, 1.5, 2.5, 3.5])
    assert Model(regression, signature(SCORE)).predict(COLUMNS, ["score"])["score"].tolist() == pytest.approx(
        regression.predict(MATRIX).tolist(), abs=0
    )
    scaler = fitted(StandardScaler(), [0] * 6)
    outputs = signature({"name": "z", "datatype": "FP64", "method": "transform", "index": 1})
    assert Model(scaler, outputs).predict(COLUMNS, ["z"])["z"].tolist() == scaler.transform(MATRIX)[:, 1].tolist()
    with pytest.raises(StartError, match="needs the method predict_proba"):
        Model(regression, signature({**SCORE, "method": "predict_proba"}))


def test_each_method_runs_once_a_request():
    class Counting(DummyClassifier):
        calls = 0

        def predict_proba(self, X):
            type(self).calls += 1
            return super().predict_proba(X)

    estimator = fitted(Counting(), [0, 1, 0, 1, 0, 1])
    outputs = [SCORE, {"name": "other", "datatype": "FP64", "method": "predict_proba", "index": 0}]
    Counting.calls = 0
    Model(estimator, signature(*outputs)).predict(COLUMNS, ["score", "other"])
    assert Counting.calls == 1


def test_columns_go_by_name_in_the_model_s_order(model):
    reordered = {**SIGNATURE, "inputs": list(reversed(SIGNATURE["inputs"]))}
    table = flights(rows=9)
    columns = {name: table[name].to_numpy(dtype=object if name == "origin" else None) for name in reversed(table.columns)}
    result = Model(model, parse_signature(reordered)).predict(columns, ["score"])
    assert result["score"].tolist() == model.predict_proba(table)[:, 1].tolist()
    renamed = {**SIGNATURE, "inputs": [{**SIGNATURE["inputs"][0], "column": "miles"}, *SIGNATURE["inputs"][1:]]}
    with pytest.raises(StartError, match="Missing: distance; unknown: miles"):
        Model(model, parse_signature(renamed))
    with pytest.raises(StartError, match="fitted on 2 columns, the signature has 3"):
        Model(fitted(LinearRegression(), [1, 2, 3]), signature(SCORE, columns=("a", "b", "c")))


def test_without_pandas_a_matrix_in_the_signature_s_order(monkeypatch):
    monkeypatch.setattr(model_module, "_import_pandas", lambda: None)
    estimator = fitted(LinearRegression(), [1.0, 2.0, 3.0, 1.5, 2.5, 3.5])
    assert (
        Model(estimator, signature(SCORE)).predict(COLUMNS, ["score"])["score"].tolist() == estimator.predict(MATRIX).tolist()
    )
    seen = []

    class Spy:
        def predict(self, table):
            seen.append(table)
            return [1.0] * len(table)

    Model(Spy(), signature(SCORE)).predict({**COLUMNS, "b": np.array(["x", "y", "z"], dtype=object)}, ["score"])
    assert seen[0].dtype == object
    assert seen[0].tolist() == [[0.0, "x"], [4.0, "y"], [1.0, "z"]]


def test_outputs_keep_their_value_or_are_refused():
    assert to_datatype("p", "INT64", np.array([1.0, 2.0])).tolist() == [1, 2]
    assert to_datatype("p", "BOOL", np.array([0, 1])).tolist() == [False, True]
    assert to_datatype("p", "BYTES", np.array(["a", "é"])).tolist() == [b"a", "é".encode()]
    for datatype, values in (("INT64", [1.5]), ("INT64", [np.nan]), ("INT8", [200]), ("BOOL", [2]), ("INT64", ["x"])):
        with pytest.raises(RequestError, match="without loss") as caught:
            to_datatype("p", datatype, np.array(values))
        assert caught.value.status == 500
    with pytest.raises(RequestError, match="use gRPC or binary data"):
        to_json("p", "FP64", np.array([1.0, np.nan]))


EXTREMES = {
    "BOOL": [True, False],
    "FP16": [0.5, -65504.0],
    "FP32": [0.1, 3.4e38],
    "FP64": [0.1, 5e-324],
    "BYTES": ["", "né\0"],
    **{f"INT{bits}": [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": [0, 2**bits - 1] for bits in (8, 16, 32, 64)},
}


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_there_and_back(datatype):
    column = from_json("x", datatype, [2, 1], EXTREMES[datatype])
    output = to_datatype("x", datatype, column)
    assert from_raw("x", datatype, [2, 1], to_raw(datatype, output)).tolist() == column.tolist()
    assert from_json("x", datatype, [2], to_json("x", datatype, output)).tolist() == column.tolist()
    if datatype != "FP16":
        assert from_values("x", datatype, [2], output.tolist()).tolist() == column.tolist()
    if "INT" in datatype:
        with pytest.raises(RequestError, match="out of range"):
            from_json("x", datatype, [1], [EXTREMES[datatype][1] + 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": []}, "at least one tensor"),
        ({"inputs": None}, "at least one tensor"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"inputs": [{"name": "a"}]}, "has no 'datatype'"),
        ({"inputs": [{"name": "a", "datatype": "FP65"}]}, "datatype is 'FP65'"),
        ({"inputs": [{"name": "a", "datatype": []}]}, "datatype is"),
        ({"inputs": [{"name": "", "datatype": "FP64"}]}, "1 to 256 characters"),
        ({"inputs": [{"name": "a", "datatype": "FP64"}] * 2}, "the name 'a' twice"),
        ({"outputs": [{"name": "a", "datatype": "FP64", "method": "__init__"}]}, "method is '__init__'"),
        ({"outputs": [{"name": "a", "datatype": "FP64", "method": []}]}, "method is"),
        ({"outputs": [{"name": "a", "datatype": "FP64", "index": -1}]}, "index is -1"),
        ({"outputs": [{"name": "a", "datatype": "FP64", "index": 0, "class": 1}]}, "both index and class"),
        ({"positive": [1]}, "positive must be"),
    ],
)
def test_a_wrong_signature_is_refused(change, message):
    with pytest.raises(StartError, match=message):
        parse_signature({**SIGNATURE, **change})


def test_settings_name_the_variable_that_is_wrong():
    for name, value in (
        ("PASSLOOP_HTTP_PORT", "80a"),
        ("PASSLOOP_GRPC_PORT", "70000"),
        ("PASSLOOP_MODEL_NAME", "a/b"),
        ("PASSLOOP_MODEL_DIGEST", "sha256:12"),
        ("PASSLOOP_MAX_BODY_BYTES", "-1"),
    ):
        with pytest.raises(StartError, match=name):
            read_settings({name: value})


def test_secrets_leave_the_environment():
    environment = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "DB": "y", "OMP_NUM_THREADS": "2", "PASSLOOP_PASS_ENV": "DB"}
    assert scrub_environment(environment) == ["AWS_SECRET_ACCESS_KEY"]
    assert set(environment) == {"PATH", "DB", "OMP_NUM_THREADS", "PASSLOOP_PASS_ENV"}
