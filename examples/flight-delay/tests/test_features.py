import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from flight_delay.features import INPUTS, KEY, LABEL, preprocessing

EXAMPLE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pq.read_table(EXAMPLE / "data/train.parquet").slice(0, 2_000).to_pandas()


def test_the_signature_is_what_the_model_reads():
    signature = json.loads((EXAMPLE / "signature.json").read_text())
    schema = pq.read_schema(EXAMPLE / "data/train.parquet")
    datatypes = {"int64": "INT64", "double": "FP64", "string": "BYTES"}

    assert [tensor["column"] for tensor in signature["inputs"]] == list(INPUTS)
    assert [tensor["datatype"] for tensor in signature["inputs"]] == [
        datatypes[str(schema.field(name).type)] for name in INPUTS
    ]
    assert [tensor["column"] for tensor in signature["outputs"]] == ["score", "late_hat"]
    assert not {KEY, LABEL} & set(INPUTS)


def test_the_committed_params_name_inputs():
    params = yaml.safe_load((EXAMPLE / "params.yaml").read_text())
    assert set(params["features"]) <= set(INPUTS)


def test_airports_become_numbers_and_numbers_stay(rows):
    prepared = preprocessing(["distance", "origin"], seed=7).fit_transform(rows[list(INPUTS)], rows[LABEL])

    assert prepared.shape == (2_000, 2)
    assert ((prepared[:, 0] >= 0) & (prepared[:, 0] <= 1)).all()
    np.testing.assert_array_equal(prepared[:, 1], rows["distance"])


def test_an_airport_that_training_never_saw_gets_the_overall_late_share(rows):
    prepare = preprocessing(["origin"], seed=7).fit(rows[list(INPUTS)], rows[LABEL])
    unseen = rows[list(INPUTS)].head(1).assign(origin="XXX")
    assert prepare.transform(unseen)[0, 0] == pytest.approx(rows[LABEL].mean())


def test_the_order_of_features_in_params_means_nothing(rows):
    inputs, label = rows[list(INPUTS)], rows[LABEL]
    one = preprocessing(["origin", "distance", "day_of_week"], seed=7).fit_transform(inputs, label)
    other = preprocessing(["day_of_week", "distance", "origin"], seed=7).fit_transform(inputs, label)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("features", [["late"], ["id", "distance"], ["distance", "distance"], []])
def test_what_is_no_input_is_refused(features):
    with pytest.raises(ValueError, match="features:"):
        preprocessing(features, seed=7)
