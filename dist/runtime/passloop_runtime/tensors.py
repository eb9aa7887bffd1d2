"""Tensors of the protocol to and from numpy: JSON data, raw little-endian bytes.

A tensor of this runtime is one column: shape [n, 1], or [n] in requests. Decoders raise RequestError(400).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from .errors import RequestError

# Datatype of the protocol -> numpy's, little-endian, as raw bytes are laid out. BYTES are texts here, as objects.
_NUMPY = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
DATATYPES = (*_NUMPY, "BYTES")


def placeholder(datatype: str) -> np.ndarray:
    """A column with one row: zero, false or the empty text."""
    return objects([""]) if datatype == "BYTES" else np.zeros(1, dtype=_NUMPY[datatype])


def rows_of_shape(name: str, shape: Any) -> int:
    """The rows n of a shape [n, 1] or [n]."""
    valid = isinstance(shape, (list, tuple)) and all(type(size) is int and size >= 0 for size in shape)
    if not valid or not 1 <= len(shape) <= 2 or (len(shape) == 2 and shape[1] != 1):
        shown = repr(list(shape) if isinstance(shape, tuple) else shape)[:80]
        raise RequestError(400, f"input {name!r} has the shape {shown}; it must be [n, 1] (or [n]), one column a tensor.")
    if shape[0] == 0:
        raise RequestError(400, f"input {name!r} has no rows; a request needs at least one.")
    return shape[0]


def from_json(name: str, datatype: str, shape: Any, data: Any) -> np.ndarray:
    """A column from the `data` of a JSON request, flat or nested as its shape is."""
    rows = rows_of_shape(name, shape)
    if not isinstance(data, list):
        raise RequestError(400, f"input {name!r}: data must be a list.")
    if data and type(data[0]) is list and len(shape) == 2:
        if any(type(row) is not list or len(row) != 1 for row in data):
            raise RequestError(400, f"input {name!r}: nested data of shape [n, 1] is a list of lists with one value each.")
        data = [row[0] for row in data]
    _expect_count(name, rows, len(data))
    kinds = set(map(type, data))
    if datatype == "BYTES":
        _expect_kinds(name, datatype, kinds, {str})
        if not is_text("".join(data)):
            raise RequestError(400, f"input {name!r} has half a character (a lone surrogate), which is no UTF-8 text.")
        return objects(data)
    if datatype == "BOOL":
        _expect_kinds(name, datatype, kinds, {bool})
        return np.array(data, dtype=np.bool_)
    if datatype.startswith("FP"):
        _expect_kinds(name, datatype, kinds, {float, int})
        return _floats(name, datatype, data)
    _expect_kinds(name, datatype, kinds, {int})
    return _integers(name, datatype, data)


def from_raw(name: str, datatype: str, shape: Any, raw: bytes) -> np.ndarray:
    """A column from raw little-endian bytes; BYTES are a 4-byte length and that many bytes of UTF-8 each."""
    rows = rows_of_shape(name, shape)
    if datatype == "BYTES":
        values = _split_bytes(name, raw)
        _expect_count(name, rows, len(values))
        return texts(name, values)
    dtype = np.dtype(_NUMPY[datatype])
    if len(raw) != rows * dtype.itemsize:
        raise RequestError(400, f"input {name!r} has {len(raw)} bytes; {rows} x {datatype} are {rows * dtype.itemsize} bytes.")
    if datatype == "BOOL" and raw.strip(b"\x00\x01"):
        raise RequestError(400, f"input {name!r}: a BOOL is a byte 0 or 1.")
    return np.frombuffer(raw, dtype=dtype)


def from_values(name: str, datatype: str, shape: Any, values: Any) -> np.ndarray:
    """A column from the typed values of a gRPC message, which protobuf has typed but, for 8 and 16 bits, not bounded."""
    rows = rows_of_shape(name, shape)
    _expect_count(name, rows, len(values))
    if datatype == "BYTES":
        return texts(name, values)
    if datatype in ("BOOL", "FP32", "FP64"):
        return np.array(values, dtype=_NUMPY[datatype])
    return _integers(name, datatype, list(values))


def to_datatype(name: str, datatype: str, values: np.ndarray) -> np.ndarray:
    """An output of the model as its declared datatype. Raises RequestError(500) if that would change a value."""
    values = np.asarray(values)
    if datatype == "BYTES":
        return objects([value if isinstance(value, bytes) else str(value).encode() for value in values.tolist()])
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            cast = values.astype(_NUMPY[datatype])
        kept = datatype.startswith("FP") or bool(np.all(cast == values))
    except (TypeError, ValueError, OverflowError):
        kept = False
    if not kept:
        raise RequestError(500, f"output {name!r}: the model gave {values.dtype}, which is no {datatype} without loss.")
    return cast


def to_json(name: str, datatype: str, values: np.ndarray) -> list[Any]:
    """JSON values of an output. A float is printed with repr, which a reader turns into the same 64 bits."""
    if datatype == "BYTES":
        try:
            return [value.decode("utf-8") for value in values]
        except UnicodeDecodeError as error:
            raise RequestError(500, f"output {name!r} is no UTF-8 text; use gRPC or binary data.") from error
    if datatype.startswith("FP") and not np.isfinite(values).all():
        raise RequestError(
            500, f"output {name!r} has NaN or infinite values, which JSON cannot carry (RFC 8259); use gRPC or binary data."
        )
    return values.tolist()


def to_raw(datatype: str, values: np.ndarray) -> bytes:
    """Raw little-endian bytes of an output."""
    if datatype == "BYTES":
        return b"".join(struct.pack("<I", len(value)) + value for value in values)
    return values.astype(_NUMPY[datatype], copy=False).tobytes()


def objects(values: list[Any]) -> np.ndarray:
    """An object array of exactly these values (numpy would look into them)."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def is_text(value: str) -> bool:
    """False for lone surrogates, which JSON can escape and UTF-8 cannot carry: no model was trained on one."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def texts(name: str, values: Any) -> np.ndarray:
    try:
        return objects([value.decode("utf-8") for value in values])
    except UnicodeDecodeError as error:
        raise RequestError(400, f"input {name!r}: BYTES must be UTF-8 text; {error.reason}.") from error


def _floats(name: str, datatype: str, data: list[Any]) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            values = np.array(data, dtype=np.float64).astype(_NUMPY[datatype], copy=False)
    except OverflowError:
        values = None
    # The parser has refused the words NaN and Infinity: what is infinite here is a number such as 1e999.
    if values is None or not np.isfinite(values).all():
        raise RequestError(400, f"input {name!r} has a number that is out of range of {datatype}.")
    return values


def _integers(name: str, datatype: str, data: list[Any]) -> np.ndarray:
    limits = np.iinfo(_NUMPY[datatype])
    if data and (min(data) < limits.min or max(data) > limits.max):
        raise RequestError(400, f"input {name!r} has a number that is out of range of {datatype}.")
    return np.array(data, dtype=_NUMPY[datatype])


def _split_bytes(name: str, raw: bytes) -> list[bytes]:
    values, at = [], 0
    while at < len(raw):
        if at + 4 > len(raw):
            raise RequestError(400, f"input {name!r}: a length of BYTES is cut off.")
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4
        if at + length > len(raw):
            raise RequestError(400, f"input {name!r}: BYTES of {length} bytes are cut off.")
        values.append(raw[at : at + length])
        at += length
    return values


def _expect_count(name: str, rows: int, count: int) -> None:
    if rows != count:
        raise RequestError(400, f"input {name!r} has {count} values; its shape says {rows}.")


def _expect_kinds(name: str, datatype: str, kinds: set[type], allowed: set[type]) -> None:
    wrong = kinds - allowed
    if not wrong:
        return
    words = {bool: "a boolean", int: "a whole number", float: "a fraction", str: "a text", list: "a list", dict: "an object"}
    found = ", ".join(sorted(words.get(kind, "null") for kind in wrong))
    raise RequestError(400, f"input {name!r} is {datatype} and has {found}.")
