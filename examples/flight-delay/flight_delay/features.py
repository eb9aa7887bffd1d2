"""What the model reads, and how it is prepared. All of it ends up in the model file: callers send raw columns."""

from collections.abc import Sequence

from sklearn.compose import ColumnTransformer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

KEY = "id"
LABEL = "late"

# The served model's inputs, in the order of signature.json. A candidate that uses fewer of them still takes them all,
# so that callers needn't change when the model does.
INPUTS = (
    "day_of_week",
    "departure_minute",
    "distance",
    "origin",
    "destination",
    "origin_late_day",
    "destination_late_day",
    "origin_late_3h",
    "destination_late_3h",
)
AIRPORTS = ("origin", "destination")


def preprocessing(features: Sequence[str], seed: int) -> ColumnTransformer:
    """Airports become their late share in the training rows (cross-fitted); numbers pass as they are.

    Columns are chosen by position. Fitted on a DataFrame, scikit-learn turns positions into names when it is given a
    DataFrame, and keeps them for a plain array in the order of `INPUTS`: the image can serve without pandas.

    Raises ValueError for a feature that isn't an input, or is named twice.
    """
    unknown = [name for name in features if name not in INPUTS]
    if unknown:
        raise ValueError(f"features: {', '.join(unknown)} is no input of the model; there are {', '.join(INPUTS)}")
    if len(set(features)) != len(features) or not features:
        raise ValueError("features: give at least one, and each one once")
    chosen = [name for name in INPUTS if name in features]
    airports = [INPUTS.index(name) for name in chosen if name in AIRPORTS]
    numbers = [INPUTS.index(name) for name in chosen if name not in AIRPORTS]
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=seed)
    return ColumnTransformer(
        [("airports", TargetEncoder(cv=folds), airports), ("numbers", "passthrough", numbers)], sparse_threshold=0
    )
