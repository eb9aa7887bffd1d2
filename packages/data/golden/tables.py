"""Small real tables, each split in two: what the other scripts measure drift on.

    pip install pandas==2.3.3 plotly==5.24.1 scikit-learn==1.9.1
    python packages/data/golden/tables.py

Writes tables/NAME-reference.csv and tables/NAME-current.csv. The rows are split by one of their columns where that
drifts them, and at random where not. Numbers are written in full, so that every reader has the same doubles.

iris, wine, breast cancer and diabetes are those of scikit-learn (BSD licence), the tips those of plotly (MIT licence).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import plotly.data
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

TABLES = Path(__file__).parent / "tables"


def random_half(frame: pd.DataFrame, seed: int) -> pd.Series:
    """True for some rows."""
    return pd.Series(np.random.default_rng(seed).random(len(frame)) < 0.6, index=frame.index)


def write(name: str, frame: pd.DataFrame, is_reference: pd.Series) -> None:
    """Both parts of one table."""
    for part, rows in (("reference", is_reference), ("current", ~is_reference)):
        frame[rows].to_csv(TABLES / f"{name}-{part}.csv", index=False, na_rep="")


def main() -> None:
    TABLES.mkdir(exist_ok=True)
    iris = load_iris(as_frame=True).frame
    write("iris", iris, random_half(iris, 1))

    wine = load_wine(as_frame=True).frame.astype({"proline": int, "magnesium": int})
    write("wine", wine, random_half(wine, 2))

    cancer = load_breast_cancer(as_frame=True).frame
    cancer = cancer[["mean radius", "mean texture", "mean smoothness", "area error", "worst concavity", "target"]]
    write("breast-cancer", cancer, random_half(cancer, 3))

    # Younger people, then older ones; some measurements failed.
    diabetes = load_diabetes(as_frame=True, scaled=False).frame[["age", "sex", "bmi", "s4", "s5", "target"]]
    is_young = diabetes["age"] < 50
    diabetes.loc[diabetes.index[::17], "bmi"] = np.nan
    diabetes.loc[diabetes.index[5::40], "s5"] = np.inf
    diabetes.loc[diabetes.index[9::60], "s5"] = -np.inf
    write("diabetes", diabetes, is_young)

    tips = plotly.data.tips()
    write("tips", tips, tips["day"] != "Sun")


if __name__ == "__main__":
    main()
