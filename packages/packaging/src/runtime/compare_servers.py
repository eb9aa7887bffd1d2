"""Measures this runtime beside MLServer, on one machine in one run: size, time to ready, time of a request.

  python compare_servers.py BASE OURS MLSERVER

Three interpreters of virtual environments: BASE with joblib, pandas, scikit-learn; OURS with the same and requirements.lock
beside; and MLSERVER with mlserver and mlserver-sklearn. Run it with OURS. Prints a Markdown table; docs/adr/0003 has one.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import joblib
import pandas as pd

from passloop_runtime import open_inference_pb2 as pb

REQUESTS = 500
STARTS = 3
TRAIN = """
import sys, joblib, numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
random = np.random.default_rng(0)
table = pd.DataFrame({'distance': random.normal(700, 300, 5000), 'hour': random.integers(0, 24, 5000),
                      'origin': random.choice(['JFK', 'LAX', 'SFO'], 5000)})
columns = ColumnTransformer([('n', StandardScaler(), ['distance', 'hour']), ('c', OneHotEncoder(), ['origin'])])
model = make_pipeline(columns, LogisticRegression()).fit(table, table['distance'] / 300 + table['hour'] / 8 > 4)
joblib.dump(model, sys.argv[1])
"""
# What the model itself takes until it could answer.
OWN = """
import sys, time
started = time.perf_counter()
import joblib, pandas, sklearn
joblib.load(sys.argv[1])
print(time.perf_counter() - started)
"""
INPUTS = [("distance", "FP64", [500.5]), ("hour", "INT64", [5]), ("origin", "BYTES", ["JFK"])]


def site_packages(python: str) -> int:
    """Bytes of what is installed, without bytecode and without pip and setuptools, which no image needs."""
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    folder = Path(subprocess.check_output([python, "-c", script], text=True).strip())
    unneeded = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.relative_to(folder).parts[0].startswith(unneeded)
    )


@contextlib.contextmanager
def running(command: list[str], folder: Path, ports: tuple[int, int], model: str, variables: dict[str, str]) -> Iterator[float]:
    """Starts a server; yields the seconds until model and server were ready."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "OMP_NUM_THREADS": "1", **variables}
    started = time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=5)
                connection.request("GET", f"/v2/models/{model}/ready")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            if process.poll() is not None or time.perf_counter() - started > 60:
                raise SystemExit((folder / "log").read_text()[-2000:])
            time.sleep(0.01)
        yield time.perf_counter() - started
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def measured(works: list[Callable[[], object]]) -> list[tuple[float, float]]:
    """p50 and p95 of each in milliseconds. They take turns, so that what else the machine does falls on all alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(REQUESTS + 50):
        for work, spent in zip(works, times):
            started = time.perf_counter()
            work()
            spent.append((time.perf_counter() - started) * 1000)
    return [(statistics.median(spent[50:]), statistics.quantiles(spent[50:], n=20)[18]) for spent in times]


def directly(path: Path) -> Callable[[], object]:
    """Both methods of the model on one row in a frame, as both servers call them."""
    model = joblib.load(path)

    def work() -> None:
        table = pd.DataFrame({name: values for name, _, values in INPUTS})
        model.predict_proba(table)
        model.predict(table)

    return work


def rest(port: int, model: str, parameters: bool, outputs: list[str]) -> Callable[[], object]:
    request: dict[str, Any] = {
        "inputs": [{"name": n, "datatype": d, "shape": [1, 1], "data": v} for n, d, v in INPUTS],
        "outputs": [{"name": name} for name in outputs],
    }
    if parameters:
        request["parameters"] = {"content_type": "pd"}
        request["inputs"][2]["parameters"] = {"content_type": "str"}
    body = json.dumps(request)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def work() -> None:
        connection.request("POST", f"/v2/models/{model}/infer", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise SystemExit(answer)

    return work


def over_grpc(port: int, model: str, parameters: bool, outputs: list[str]) -> Callable[[], object]:
    request = pb.ModelInferRequest(model_name=model)
    fields = {"FP64": "fp64_contents", "INT64": "int64_contents", "BYTES": "bytes_contents"}
    for name, datatype, values in INPUTS:
        entry = request.inputs.add(name=name, datatype=datatype, shape=[1, 1])
        contents = getattr(entry.contents, fields[datatype])
        contents.extend([value.encode() if isinstance(value, str) else value for value in values])
    if parameters:
        request.parameters["content_type"].string_param = "pd"
        request.inputs[2].parameters["content_type"].string_param = "str"
    for name in outputs:
        request.outputs.add(name=name)
    call = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary(
        "/inference.GRPCInferenceService/ModelInfer",
        request_serializer=pb.ModelInferRequest.SerializeToString,
        response_deserializer=pb.ModelInferResponse.FromString,
    )
    return lambda: call(request, timeout=30)


def main(base: str, ours: str, mlserver: str) -> None:
    root = Path(tempfile.mkdtemp(prefix="compare-servers-"))
    model_folder = root / "model"
    model_folder.mkdir()
    subprocess.check_call([base, "-c", TRAIN, str(model_folder / "model.joblib")])
    columns = [{"name": n, "datatype": d} for n, d, _ in INPUTS]
    heads = [{"name": "score", "datatype": "FP64"}, {"name": "prediction", "datatype": "BOOL"}]
    (model_folder / "signature.json").write_text(json.dumps({"inputs": columns, "outputs": heads}))
    parameters = {"uri": str(model_folder / "model.joblib"), "version": "1"}
    settings = {"name": "m", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": parameters}
    (root / "model-settings.json").write_text(json.dumps(settings))

    def mlserver_of(workers: int) -> dict[str, str]:
        return {
            "MLSERVER_PARALLEL_WORKERS": str(workers),
            "MLSERVER_HTTP_PORT": "18180",
            "MLSERVER_GRPC_PORT": "18181",
            "MLSERVER_METRICS_PORT": "18182",
            "MLSERVER_DEBUG": "false",
        }

    own_variables = {
        "PYTHONPATH": str(Path(__file__).parent),
        "PASSLOOP_MODEL_DIR": str(model_folder),
        "PASSLOOP_MODEL_NAME": "m",
        "PASSLOOP_HTTP_PORT": "18180",
        "PASSLOOP_GRPC_PORT": "18181",
    }
    mlserver_command = [str(Path(mlserver).parent / "mlserver"), "start", str(root)]
    servers: dict[str, tuple[list[str], dict[str, str], bool, list[str], str]] = {
        "this runtime": ([ours, "-m", "passloop_runtime"], own_variables, False, ["score", "prediction"], ours),
        "MLServer, in one process": (mlserver_command, mlserver_of(0), True, ["predict_proba", "predict"], mlserver),
        "MLServer, as it comes (1 worker)": (mlserver_command, mlserver_of(1), True, ["predict_proba", "predict"], mlserver),
    }
    readies: dict[str, list[float]] = {name: [] for name in servers}
    times: dict[str, list[tuple[float, float]]] = {}
    own: list[float] = []
    model = model_folder / "model.joblib"
    for start in range(STARTS):
        own.append(float(subprocess.check_output([base, "-c", OWN, str(model)], text=True, env={"OMP_NUM_THREADS": "1"})))
        for name, (command, variables, explicit, outputs, _) in servers.items():
            with running(command, root, (18180, 18181), "m", variables) as ready:
                readies[name].append(ready)
                if start == STARTS - 1:
                    works = [rest(18180, "m", explicit, outputs), over_grpc(18181, "m", explicit, outputs)]
                    times[name] = measured([directly(model), *works])
    empty = site_packages(base)
    load = statistics.median(own)
    print(f"The model alone takes {load:.2f} s to import and load; its packages have {empty / 1e6:.0f} MB.\n")
    head = [
        "",
        "installed",
        "ready after",
        "over the load",
        "model p50",
        "REST p50",
        "over the model",
        "gRPC p50",
        "over the model",
    ]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, (*_, python) in servers.items():
        ready = statistics.median(readies[name])
        (model50, _), (rest50, _), (grpc50, _) = times[name]
        cells = [
            f"{(site_packages(python) - empty) / 1e6:.0f} MB",
            f"{ready:.2f} s",
            f"{ready - load:.2f} s",
            f"{model50:.2f} ms",
            f"{rest50:.2f} ms",
            f"{rest50 - model50:.2f} ms",
            f"{grpc50:.2f} ms",
            f"{grpc50 - model50:.2f} ms",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
