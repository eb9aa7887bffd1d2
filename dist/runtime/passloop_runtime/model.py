"""The model: loaded once from its file, asked by columns, answering by columns."""

from __future__ import annotations

import hashlib
import hmac
import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import RequestError, StartError
from .signature import Output, Signature
from .tensors import placeholder, to_datatype

SUFFIXES = (".joblib", ".pkl", ".pickle")


@dataclass(frozen=True)
class Head:
    """Where an output comes from: a method of the model, and a column of what it gives (None: it gives one)."""

    output: Output
    method: str
    column: int | None


def find_model_file(folder: Path) -> Path:
    """The one file model.joblib, model.pkl or model.pickle of the folder. Raises StartError."""
    found = [folder / f"model{suffix}" for suffix in SUFFIXES if (folder / f"model{suffix}").is_file()]
    if len(found) != 1:
        held = ", ".join(path.name for path in found) or "none of them"
        raise StartError(f"{folder} must hold exactly one of model{', model'.join(SUFFIXES)}; it holds {held}.")
    return found[0]


def verify_digest(path: Path, digest: str) -> None:
    """Raises StartError unless the file has the digest sha256:<hex>."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    if not hmac.compare_digest(f"sha256:{sha.hexdigest()}", digest):
        raise StartError(f"{path} is sha256:{sha.hexdigest()}; the image says {digest}. It is not served.")


def load_object(path: Path) -> Any:
    """Unpickles the image's own model file: the only thing that this program ever unpickles."""
    try:
        import joblib
    except ImportError:
        if path.suffix == ".joblib":
            raise StartError(f"{path} needs joblib, which is not installed; add it to the serve lock.") from None
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301
    return joblib.load(path)


class Model:
    """A loaded model with its signature. Its methods are called by one thread at a time."""

    def __init__(self, estimator: Any, signature: Signature) -> None:
        self.signature = signature
        self._estimator = estimator
        self._columns = _column_order(estimator, signature)
        self._pandas = _import_pandas()
        self._heads = {output.name: _head(estimator, signature, output) for output in signature.outputs}
        # Columns have names here if there is pandas, whether or not the model was fitted with some; their order is right.
        warnings.filterwarnings("ignore", message="X (has|does not have valid) feature names, but")

    def predict(self, columns: dict[str, np.ndarray], names: list[str]) -> dict[str, np.ndarray]:
        """The outputs `names` for equally long columns by column name; each method of the model runs at most once."""
        table = self._table(columns)
        rows = len(next(iter(columns.values())))
        results: dict[str, Any] = {}
        outputs = {}
        for name in names:
            head = self._heads[name]
            if head.method not in results:
                results[head.method] = self._call(head.method, table)
            outputs[name] = to_datatype(name, head.output.datatype, _take(results[head.method], head, rows))
        return outputs

    def warm_up(self) -> str | None:
        """Predicts one row of zeros and empty texts, so that lazy imports are paid before the first request.

        Returns the model's complaint: such a row may be no valid input (an unknown category), which is no fault.
        """
        columns = {tensor.column: placeholder(tensor.datatype) for tensor in self.signature.inputs}
        try:
            self.predict(columns, [output.name for output in self.signature.outputs])
        except RequestError as error:
            return error.message
        return None

    def _call(self, method: str, table: Any) -> Any:
        try:
            return getattr(self._estimator, method)(table)
        except Exception as error:  # whatever the model raises is its own; the server goes on
            raise RequestError(500, f"the model's {method} failed: {type(error).__name__}: {str(error)[:500]}") from error

    def _table(self, columns: dict[str, np.ndarray]) -> Any:
        ordered = {name: columns[name] for name in self._columns}
        if self._pandas is not None:
            return self._pandas.DataFrame(ordered)
        arrays = list(ordered.values())
        kinds = {array.dtype.kind for array in arrays}
        if "O" not in kinds and (len(kinds) == 1 or kinds <= {"i", "u", "f"}):
            return np.column_stack(arrays)
        table = np.empty((len(arrays[0]), len(arrays)), dtype=object)
        for i, array in enumerate(arrays):
            table[:, i] = array
        return table


def _import_pandas() -> Any:
    try:
        import pandas
    except ImportError:
        return None
    return pandas


def _column_order(estimator: Any, signature: Signature) -> list[str]:
    """The model's own order of columns if it knows one, else the signature's."""
    given = [tensor.column for tensor in signature.inputs]
    known = getattr(estimator, "feature_names_in_", None)
    if known is None:
        width = getattr(estimator, "n_features_in_", None)
        if isinstance(width, (int, np.integer)) and width != len(given):
            raise StartError(f"the model was fitted on {width} columns, the signature has {len(given)} inputs.")
        return given
    names = [str(name) for name in known]
    if set(names) != set(given):
        missing = ", ".join(sorted(set(names) - set(given))) or "none"
        surplus = ", ".join(sorted(set(given) - set(names))) or "none"
        raise StartError(
            f"the signature's columns are not those that the model was fitted on. Missing: {missing}; unknown: {surplus}."
        )
    return names


def _head(estimator: Any, signature: Signature, output: Output) -> Head:
    method = output.method
    if method is None:
        scored = output.name == "score" and output.datatype.startswith("FP") and hasattr(estimator, "predict_proba")
        method = "predict_proba" if scored else "predict"
    if not callable(getattr(estimator, method, None)):
        raise StartError(f"output {output.name!r} needs the method {method}, which the model does not have.")
    if output.index is not None:
        return Head(output, method, output.index)
    if output.has_label:
        return Head(output, method, _class_index(estimator, output, output.label))
    if method != "predict_proba":
        return Head(output, method, None)
    if signature.has_positive:
        return Head(output, method, _class_index(estimator, output, signature.positive))
    classes = getattr(estimator, "classes_", None)
    if classes is None or len(classes) != 2:
        raise StartError(
            f"output {output.name!r} is one column of predict_proba, and the model has "
            f"{'no' if classes is None else len(classes)} classes: give the output an index or a class."
        )
    return Head(output, method, 1)


def _class_index(estimator: Any, output: Output, label: Any) -> int:
    classes = getattr(estimator, "classes_", None)
    values = [] if classes is None else np.asarray(classes).tolist()
    if label not in values:
        raise StartError(f"output {output.name!r}: {label!r} is none of the model's classes {values[:20]!r}.")
    return values.index(label)


def _take(result: Any, head: Head, rows: int) -> np.ndarray:
    result = np.asarray(result.todense() if hasattr(result, "todense") else result)
    if result.ndim == 2 and head.column is not None and head.column < result.shape[1]:
        result = result[:, head.column]
    elif result.ndim == 2 and head.column is None and result.shape[1] == 1:
        result = result[:, 0]
    if result.ndim != 1 or len(result) != rows or (head.column or 0) < 0:
        raise RequestError(
            500,
            f"output {head.output.name!r}: the model's {head.method} gave the shape {list(result.shape)} for {rows} rows"
            f"{'' if head.column is None else f', of which column {head.column} is wanted'}.",
        )
    return result
