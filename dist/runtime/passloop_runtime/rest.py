"""The protocol over HTTP: an ASGI application. Errors are {"error": "..."}."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from .errors import RequestError
from .log import log
from .service import Buffer, Service
from .settings import Settings
from .tensors import from_json, from_raw, is_text, to_json, to_raw

_MODEL = re.compile(r"/v2/models/(?P<name>[^/]+)(/versions/(?P<version>[^/]+))?(?P<rest>/ready|/infer)?")
_HEADER_LENGTH = "inference-header-content-length"
_Headers = list[tuple[bytes, bytes]]


def make_app(service: Service) -> Callable[..., Awaitable[None]]:
    async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        started = time.perf_counter()
        operation = "other"
        headers: _Headers = [(b"content-type", b"application/json")]
        try:
            operation, handler, arguments = _route(scope["path"])
            allowed = "POST" if operation == "infer" else "GET"
            if scope["method"] not in (allowed, "HEAD" if allowed == "GET" else allowed):
                headers.append((b"allow", allowed.encode()))
                raise RequestError(405, f"{scope['path'][:200]} takes {allowed}.")
            status, extra, body = await handler(service, scope, receive, *arguments)
            headers = extra or headers
        except RequestError as error:
            status, body = error.status, _dumps({"error": error.message})
            if status in (408, 413, 503):  # the rest of the body was not read
                headers.append((b"connection", b"close"))
        except Exception as error:  # a fault of ours must not take the server down, nor show its inside to a client
            log("fault", operation=operation, error=f"{type(error).__name__}: {error}"[:1000])
            status, body = 500, _dumps({"error": "internal error; the server's log has more."})
        service.metrics.observe("rest", operation, str(status), time.perf_counter() - started)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def _route(path: str) -> tuple[str, Callable[..., Any], tuple[Any, ...]]:
    path = path.rstrip("/") or "/"
    if path in _PLAIN:
        return (*_PLAIN[path], ())
    match = _MODEL.fullmatch(path)
    if not match:
        raise RequestError(404, f"there is nothing at {path[:200]}.")
    operation = {None: "model_metadata", "/ready": "model_ready", "/infer": "infer"}[match["rest"]]
    return operation, _BY_MODEL[operation], (match["name"], match["version"])


async def _live(service: Service, scope: Any, receive: Any) -> tuple[int, None, bytes]:
    return 200, None, _dumps({"live": True})


async def _ready(service: Service, scope: Any, receive: Any) -> tuple[int, None, bytes]:
    return 200 if service.ready else 503, None, _dumps({"ready": service.ready})


async def _server_metadata(service: Service, scope: Any, receive: Any) -> tuple[int, None, bytes]:
    return 200, None, _dumps(service.server_metadata())


async def _metrics(service: Service, scope: Any, receive: Any) -> tuple[int, _Headers, bytes]:
    content_type = b"text/plain; version=0.0.4; charset=utf-8"
    return 200, [(b"content-type", content_type)], service.metrics.text(service.ready).encode()


async def _model_metadata(service: Service, scope: Any, receive: Any, name: str, version: str) -> tuple[int, None, bytes]:
    service.expect_model(name, version)
    return 200, None, _dumps(service.model_metadata())


async def _model_ready(service: Service, scope: Any, receive: Any, name: str, version: str) -> tuple[int, None, bytes]:
    service.expect_model(name, version)
    return 200 if service.ready else 503, None, _dumps({"name": name, "ready": service.ready})


async def _infer(service: Service, scope: Any, receive: Any, name: str, version: str) -> tuple[int, _Headers, bytes]:
    service.expect_model(name, version)
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    head_length = headers.get(_HEADER_LENGTH)
    media_type = headers.get("content-type", "application/json").split(";")[0].strip().lower()
    binary = head_length is not None and media_type == "application/octet-stream"
    if media_type != "application/json" and not binary:
        raise RequestError(415, f"content-type {media_type[:80]!r} is not supported; send application/json.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestError(415, "content-encoding is not supported; send the body as it is.")
    with service.buffer() as buffer:
        body = await _read(receive, headers.get("content-length", ""), service.settings, buffer)
        return (200, *await service.run(_infer_body, service, body, head_length))


_PLAIN: dict[str, tuple[str, Callable[..., Any]]] = {
    "/v2": ("server_metadata", _server_metadata),
    "/v2/health/live": ("live", _live),
    "/v2/health/ready": ("ready", _ready),
    "/metrics": ("metrics", _metrics),
}
_BY_MODEL = {"model_metadata": _model_metadata, "model_ready": _model_ready, "infer": _infer}


async def _read(receive: Callable[..., Any], declared: str, settings: Settings, buffer: Buffer) -> bytes:
    limit = settings.max_body_bytes
    too_large = RequestError(413, f"the body has more than {limit} bytes; send fewer rows a request.")
    if declared.isdecimal() and (len(declared) > 12 or int(declared) > limit):
        raise too_large
    chunks, size, more = [], 0, True
    while more:
        try:
            message = await asyncio.wait_for(receive(), settings.read_seconds)
        except asyncio.TimeoutError:  # another class than TimeoutError in Python 3.10
            raise RequestError(408, f"no part of the body came for {settings.read_seconds:g} s.") from None
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the request's body ended early.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise too_large
        buffer.grow(len(chunks[-1]))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _infer_body(service: Service, body: bytes, head_length: str | None) -> tuple[_Headers, bytes]:
    """Decodes, predicts and encodes one request; runs in the worker."""
    document, tail = _split(body, head_length)
    request_id = document.get("id")
    if request_id is not None and not (isinstance(request_id, str) and is_text(request_id)):
        raise RequestError(400, "id must be a text.")
    columns, at = {}, 0
    for entry in _entries(document, "inputs"):
        tensor = service.input(entry.get("name"), entry.get("datatype"), columns)
        size = _parameters(entry).get("binary_data_size")
        if size is None:
            columns[tensor.column] = from_json(tensor.name, tensor.datatype, entry.get("shape"), entry.get("data"))
            continue
        if type(size) is not int or not 0 <= size <= len(tail) - at:
            raise RequestError(400, f"input {tensor.name!r}: binary_data_size {size!r} is not what follows the header.")
        columns[tensor.column] = from_raw(tensor.name, tensor.datatype, entry.get("shape"), tail[at : at + size])
        at += size
    if at != len(tail):
        raise RequestError(400, f"{len(tail) - at} binary bytes belong to no input.")
    wanted = _entries(document, "outputs") if document.get("outputs") else []
    results = service.predict(columns, [entry.get("name") for entry in wanted])
    all_binary = _parameters(document).get("binary_data_output") is True
    binary = {e["name"] for e in wanted if _parameters(e).get("binary_data", all_binary) is True}
    return _encode(service, request_id, results, set(results) if all_binary and not wanted else binary)


def _encode(
    service: Service, request_id: str | None, results: dict[str, np.ndarray], binary: set[str]
) -> tuple[_Headers, bytes]:
    outputs, tail = [], b""
    for name, values in results.items():
        datatype = service.outputs[name].datatype
        output = {"name": name, "shape": [len(values), 1], "datatype": datatype}
        if name in binary:
            raw = to_raw(datatype, values)
            outputs.append({**output, "parameters": {"binary_data_size": len(raw)}})
            tail += raw
        else:
            outputs.append({**output, "data": to_json(name, datatype, values)})
    answer = {"model_name": service.settings.model_name, "model_version": service.settings.model_version}
    if request_id is not None:
        answer["id"] = request_id
    head = _dumps({**answer, "outputs": outputs})
    if not binary:
        return [(b"content-type", b"application/json")], head
    length = (_HEADER_LENGTH.encode(), str(len(head)).encode())
    return [(b"content-type", b"application/octet-stream"), length], head + tail


def _split(body: bytes, head_length: str | None) -> tuple[dict[str, Any], bytes]:
    if head_length is None:
        return _loads(body), b""
    if not re.fullmatch(r"[0-9]{1,10}", head_length) or int(head_length) > len(body):
        raise RequestError(400, f"{_HEADER_LENGTH} {head_length[:32]!r} is not the length of a JSON header in the body.")
    return _loads(body[: int(head_length)]), body[int(head_length) :]


def _loads(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {str(error)[:200]}.") from error
    if not isinstance(document, dict):
        raise RequestError(400, "the body must be a JSON object.")
    return document


def _refuse_constant(word: str) -> Any:
    raise RequestError(400, f"{word} is not JSON (RFC 8259); send such values by gRPC or as binary data.")


def _entries(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RequestError(400, f"{key} must be a list of tensors.")
    return entries


def _parameters(entry: dict[str, Any]) -> dict[str, Any]:
    parameters = entry.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _dumps(document: Any) -> bytes:
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
