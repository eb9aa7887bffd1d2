"""What both protocols share: the state of the model, the one thread that runs it, and the checks of a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from . import __version__
from .errors import RequestError
from .metrics import Metrics
from .model import Model, find_model_file, load_object, verify_digest
from .settings import Settings
from .signature import Signature, Tensor

SERVER_NAME = "passloop-runtime"
EXTENSIONS = ("binary_tensor_data",)


class Buffer:
    """The bytes of one request's body, as a part of what all of them may hold."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._size = 0

    def grow(self, size: int) -> None:
        """Raises RequestError(503) when the bodies of all requests together would be too large."""
        if self._service.buffered + size > self._service.settings.max_buffered_bytes:
            raise RequestError(503, "the bodies of other requests fill the memory for them; try again.")
        self._service.buffered += size
        self._size += size

    def __enter__(self) -> Buffer:
        return self

    def __exit__(self, *_: object) -> None:
        self._service.buffered -= self._size


class Service:
    """One model behind one worker thread: a request is decoded, predicted and encoded there, so that neither a slow model
    nor a large body keeps the event loop from answering health checks."""

    def __init__(self, settings: Settings, signature: Signature) -> None:
        self.settings = settings
        self.signature = signature
        self.inputs = {tensor.name: tensor for tensor in signature.inputs}
        self.outputs = {tensor.name: tensor for tensor in signature.outputs}
        self.metrics = Metrics(
            {"name": settings.model_name, "version": settings.model_version, "digest": settings.model_digest}
        )
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self.platform = "python_pickle"
        self._model: Model | None = None
        self._stopping = False
        self._pending = 0
        self.buffered = 0

    @property
    def ready(self) -> bool:
        return self._model is not None and not self._stopping

    def load(self) -> dict[str, Any]:
        """Loads and warms the model; runs in the worker. Returns what the log says. Raises StartError."""
        path = find_model_file(self.settings.model_dir)
        started = time.perf_counter()
        if self.settings.model_digest:
            verify_digest(path, self.settings.model_digest)
        verified = time.perf_counter()
        model = Model(load_object(path), self.signature)
        loaded = time.perf_counter()
        complaint = model.warm_up()
        self.platform = "sklearn_joblib" if path.suffix == ".joblib" else "sklearn_pickle"
        self._model = model
        return {
            "file": path.name,
            "verify_seconds": round(verified - started, 3),
            "load_seconds": round(loaded - verified, 3),
            "warm_up_seconds": round(time.perf_counter() - loaded, 3),
            "warm_up": complaint or "ok",
        }

    def stop(self) -> None:
        """From now on not ready; what runs is finished."""
        self._stopping = True

    def expect_model(self, name: str, version: str | None) -> None:
        """Raises RequestError(404) for another model or version than the one served."""
        if name != self.settings.model_name:
            raise RequestError(404, f"there is no model {name[:128]!r} here; this server has {self.settings.model_name!r}.")
        if version and version != self.settings.model_version:
            raise RequestError(404, f"model {name!r} has no version {version[:128]!r}; it has {self.settings.model_version!r}.")

    async def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Runs one request's work in the worker. Raises RequestError(503) when not ready or too many wait."""
        if not self.ready:
            raise RequestError(503, "the model is not ready.")
        if self._pending >= self.settings.max_pending:
            raise RequestError(503, f"{self._pending} requests are waiting; try again.")
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.worker, work, *arguments)
        finally:
            self._pending -= 1

    def buffer(self) -> Buffer:
        """Room for one request's body until the block ends: clients that send slowly must not use up the memory."""
        return Buffer(self)

    def input(self, name: Any, datatype: Any, seen: dict[str, np.ndarray]) -> Tensor:
        """The signature's tensor for an input of a request. Raises RequestError(400)."""
        tensor = self.inputs.get(name) if isinstance(name, str) else None
        if tensor is None:
            raise RequestError(400, f"there is no input {str(name)[:128]!r}; the model has {', '.join(self.inputs)}.")
        if tensor.column in seen:
            raise RequestError(400, f"input {name!r} is given twice.")
        if datatype != tensor.datatype:
            raise RequestError(400, f"input {name!r} has the datatype {str(datatype)[:32]!r}; it must be {tensor.datatype}.")
        return tensor

    def predict(self, columns: dict[str, np.ndarray], requested: list[str]) -> dict[str, np.ndarray]:
        """The requested outputs (none named: all). Raises RequestError."""
        missing = [tensor.name for tensor in self.signature.inputs if tensor.column not in columns]
        if missing:
            raise RequestError(400, f"the request has no input {', '.join(map(repr, missing[:20]))}.")
        rows = {len(values) for values in columns.values()}
        if len(rows) != 1:
            raise RequestError(400, f"the inputs have different numbers of rows: {', '.join(map(str, sorted(rows)))}.")
        for name in requested:
            if not isinstance(name, str) or name not in self.outputs:
                raise RequestError(400, f"there is no output {str(name)[:128]!r}; the model has {', '.join(self.outputs)}.")
        if len(set(requested)) != len(requested):
            raise RequestError(400, "an output is requested twice.")
        if self._model is None:
            raise RequestError(503, "the model is not ready.")
        result = self._model.predict(columns, requested or list(self.outputs))
        self.metrics.count_rows(rows.pop())
        return result

    def server_metadata(self) -> dict[str, Any]:
        return {"name": SERVER_NAME, "version": __version__, "extensions": list(EXTENSIONS)}

    def model_metadata(self) -> dict[str, Any]:
        def described(tensors: Any) -> list[dict[str, Any]]:
            return [{"name": t.name, "datatype": t.datatype, "shape": [-1, 1]} for t in tensors]

        properties = {"runtime_version": __version__}
        if self.settings.model_digest:
            properties["model_digest"] = self.settings.model_digest
        return {
            "name": self.settings.model_name,
            "versions": [self.settings.model_version],
            "platform": self.platform,
            "inputs": described(self.signature.inputs),
            "outputs": described(self.signature.outputs),
            "properties": properties,
        }
