"""A real server process on free ports, with a real scikit-learn pipeline behind it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from passloop_runtime import open_inference_pb2 as pb

ROOT = Path(__file__).parent.parent
SIGNATURE = {
    "inputs": [
        {"name": "distance", "datatype": "FP64"},
        {"name": "hour_of_day", "column": "hour", "datatype": "INT64"},
        {"name": "origin", "datatype": "BYTES"},
    ],
    "outputs": [
        {"name": "score", "datatype": "FP64"},
        {"name": "prediction", "column": "late_hat", "datatype": "INT64"},
    ],
    "positive": 1,
}


def flights(rows: int = 400, seed: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "distance": random.normal(700, 300, rows),
            "hour": random.integers(0, 24, rows),
            "origin": random.choice(["JFK", "LAX", "São Paulo"], rows),
        }
    )


def fitted_pipeline() -> Any:
    table = flights()
    late = ((table["distance"] / 300 + table["hour"] / 8) > 4).astype(int)
    columns = ColumnTransformer(
        [("n", StandardScaler(), ["distance", "hour"]), ("c", OneHotEncoder(handle_unknown="ignore"), ["origin"])]
    )
    return make_pipeline(columns, LogisticRegression()).fit(table, late)


@dataclass
class Server:
    process: subprocess.Popen[str]
    log: list[dict[str, Any]] = field(default_factory=list)
    http_port: int = 0
    grpc_port: int = 0

    def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        with contextlib.closing(connection):
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            sent = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, body, {**sent, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())

    def infer(self, body: Any, **headers: str) -> Answer:
        return self.request("POST", "/v2/models/flight/infer", body, headers)

    def rpc(self, name: str, request: Any) -> Any:
        answer = getattr(pb, f"{name}Response")
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            call = channel.unary_unary(
                f"/inference.GRPCInferenceService/{name}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=answer.FromString,
            )
            return call(request, timeout=20)

    def logged(self, event: str) -> dict[str, Any] | None:
        return next((entry for entry in self.log if entry.get("event") == event), None)

    def wait_for(self, event: str, seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            entry = self.logged(event)
            if entry:
                return entry
            time.sleep(0.01)
        raise AssertionError(f"no {event} in {self.log}")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        assert list(self.json) == ["error"]
        return self.json["error"]


@contextlib.contextmanager
def serve(folder: Path, ready: bool = True, **variables: str) -> Iterator[Server]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PASSLOOP_HOST": "127.0.0.1",
        "PASSLOOP_HTTP_PORT": "0",
        "PASSLOOP_GRPC_PORT": "0",
        "PASSLOOP_MODEL_NAME": "flight",
        "PASSLOOP_MODEL_DIR": str(folder),
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "passloop_runtime"], env=environment, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    server = Server(process)

    def read() -> None:
        for line in process.stderr or ():
            server.log.append(json.loads(line) if line.startswith("{") else {"event": "text", "line": line})

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        if ready:
            server.wait_for("ready")
        listening = server.logged("listening") or {}
        server.http_port, server.grpc_port = listening.get("rest", 0), listening.get("grpc", 0)
        yield server
    finally:
        process.terminate()
        process.wait(20)
        reader.join(5)


def write_model(folder: Path, model: Any, signature: dict[str, Any], file: str = "model.joblib") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / file)
    (folder / "signature.json").write_text(json.dumps(signature))
    return folder


@pytest.fixture(scope="session")
def model() -> Any:
    return fitted_pipeline()


@pytest.fixture(scope="session")
def server(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = write_model(tmp_path_factory.mktemp("model"), model, SIGNATURE)
    with serve(folder, PASSLOOP_MAX_BODY_BYTES="200000") as running:
        yield running


def rest_inputs(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = len(table)
    return [
        {"name": "distance", "shape": [rows, 1], "datatype": "FP64", "data": table["distance"].tolist()},
        {"name": "hour_of_day", "shape": [rows, 1], "datatype": "INT64", "data": table["hour"].tolist()},
        {"name": "origin", "shape": [rows, 1], "datatype": "BYTES", "data": table["origin"].tolist()},
    ]
