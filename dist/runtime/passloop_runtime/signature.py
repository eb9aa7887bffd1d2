"""signature.json: which tensor is which column, and which method of the model gives which output."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import StartError
from .tensors import DATATYPES

METHODS = ("predict", "predict_proba", "decision_function", "transform")
_ABSENT = object()


@dataclass(frozen=True)
class Tensor:
    name: str
    column: str
    datatype: str


@dataclass(frozen=True)
class Output(Tensor):
    method: str | None = None
    index: int | None = None
    label: Any = _ABSENT

    @property
    def has_label(self) -> bool:
        return self.label is not _ABSENT


@dataclass(frozen=True)
class Signature:
    inputs: tuple[Tensor, ...]
    outputs: tuple[Output, ...]
    positive: Any = _ABSENT

    @property
    def has_positive(self) -> bool:
        return self.positive is not _ABSENT


def read_signature(path: Path) -> Signature:
    """Reads and checks signature.json. Raises StartError with the place in the file and what was expected."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StartError(f"{path} does not exist; it names the model's inputs and outputs.") from error
    except (ValueError, RecursionError) as error:
        raise StartError(f"{path} is not JSON: {error}") from error
    try:
        return parse_signature(document)
    except StartError as error:
        raise StartError(f"{path}: {error}") from error


def parse_signature(document: Any) -> Signature:
    """The signature of a parsed document. Raises StartError."""
    _expect_keys(document, "the signature", required=("inputs", "outputs"), optional=("positive",))
    inputs = tuple(Tensor(**_tensor(entry, f"inputs[{i}]")) for i, entry in enumerate(_list(document, "inputs")))
    outputs = tuple(_output(entry, f"outputs[{i}]") for i, entry in enumerate(_list(document, "outputs")))
    for kind, tensors in (("inputs", inputs), ("outputs", outputs)):
        for field in ("name", "column"):
            values = [getattr(tensor, field) for tensor in tensors]
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise StartError(f"{kind} has the {field} {twice[0]!r} twice.")
    positive = document.get("positive", _ABSENT)
    if positive is not _ABSENT and not isinstance(positive, (str, int, float, bool)):
        raise StartError("positive must be one of the model's classes: a string, a number or a boolean.")
    return Signature(inputs, outputs, positive)


def _output(entry: Any, where: str) -> Output:
    fields = _tensor(entry, where, ("method", "index", "class"))
    method = entry.get("method")
    if method is not None and method not in METHODS:
        raise StartError(f"{where}.method is {method!r}; it may be {', '.join(METHODS)}.")
    index = entry.get("index")
    if index is not None and (isinstance(index, bool) or not isinstance(index, int) or index < 0):
        raise StartError(f"{where}.index is {index!r}; it is the number of a column, from 0.")
    if index is not None and "class" in entry:
        raise StartError(f"{where} has both index and class; give one of them.")
    if "class" in entry and not isinstance(entry["class"], (str, int, float, bool)):
        raise StartError(f"{where}.class must be one of the model's classes: a string, a number or a boolean.")
    return Output(**fields, method=method, index=index, label=entry.get("class", _ABSENT))


def _tensor(entry: Any, where: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    _expect_keys(entry, where, required=("name", "datatype"), optional=("column", *optional))
    name, datatype, column = entry["name"], entry["datatype"], entry.get("column", entry["name"])
    for field, value in (("name", name), ("column", column)):
        if not isinstance(value, str) or not 0 < len(value) <= 256:
            raise StartError(f"{where}.{field} must be a text of 1 to 256 characters.")
    if datatype not in DATATYPES:
        raise StartError(f"{where}.datatype is {datatype!r}; it may be {', '.join(DATATYPES)}.")
    return {"name": name, "column": column, "datatype": datatype}


def _list(document: dict[str, Any], key: str) -> list[Any]:
    value = document[key]
    if not isinstance(value, list) or not value:
        raise StartError(f"{key} must be a list with at least one tensor.")
    return value


def _expect_keys(value: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(value, dict):
        raise StartError(f"{where} must be an object.")
    for key in required:
        if key not in value:
            raise StartError(f"{where} has no {key!r}.")
    for key in value:
        if key not in required and key not in optional:
            raise StartError(f"{where} has the unknown key {key!r}; known are {', '.join((*required, *optional))}.")
