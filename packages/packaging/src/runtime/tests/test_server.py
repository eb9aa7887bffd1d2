"""Start, stop and failure of the process itself."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading

import grpc
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from passloop_runtime import open_inference_pb2 as pb

from .conftest import ROOT, SIGNATURE, serve, write_model

ONE = {"inputs": [{"name": "x", "datatype": "FP64"}], "outputs": [{"name": "y", "datatype": "FP64"}]}
INPUT = {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [2]}]}

# A model whose behaviour a test chooses; unpickled from a module beside its file, on PYTHONPATH.
ODD = """
import os, time
class Slow:
    def __init__(self, load=0, predict=0): self.load, self.seconds = load, predict
    def __setstate__(self, state): self.__dict__.update(state); time.sleep(self.load)
    def predict(self, table):
        time.sleep(self.seconds)
        return [float('nan') if value == -1 else value * 2 for value in table['x']]
class Failing:
    def predict(self, table): raise KeyError('no such city')
class Environment:
    def predict(self, table): return [float('SECRET' in os.environ)] * len(table)
class Unloadable:
    def __init__(self): self.version = 1
    def __setstate__(self, state): raise ValueError('made by another version')
    def predict(self, table): return [0.0]
"""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    (tmp_path / "odd_models.py").write_text(ODD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    sys.modules.pop("odd_models", None)
    import odd_models

    return odd_models


def ask(server):
    return server.request("POST", "/v2/models/flight/infer", INPUT)


def test_ready_only_after_the_load_and_live_before(odd, tmp_path):
    with serve(write_model(tmp_path / "m", odd.Slow(load=3), ONE), ready=False) as server:
        listening = server.wait_for("listening")
        server.http_port, server.grpc_port = listening["rest"], listening["grpc"]
        assert server.request("GET", "/v2/health/live").status == 200
        assert server.request("GET", "/v2/health/ready").status == 503
        assert server.request("GET", "/v2/models/flight/ready").json == {"name": "flight", "ready": False}
        assert ask(server).status == 503
        assert not server.rpc("ServerReady", pb.ServerReadyRequest()).ready
        server.wait_for("ready")
        assert ask(server).json["outputs"][0]["data"] == [4.0]


def test_health_is_answered_while_the_model_works_and_the_queue_is_bounded(odd, tmp_path):
    folder = write_model(tmp_path / "m", odd.Slow(predict=1.5), ONE)
    with serve(folder, PASSLOOP_MAX_PENDING="2") as server:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask(server).status)) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert server.request("GET", "/v2/health/live").status == 200
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200, 200, 503, 503]


HEAD = b"POST /v2/models/flight/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


def test_bodies_that_never_end_hold_bounded_memory(odd, tmp_path):
    folder = write_model(tmp_path / "m", odd.Slow(), ONE)
    with serve(folder, PASSLOOP_MAX_BODY_BYTES="100000") as server, contextlib.ExitStack() as stack:
        address = ("127.0.0.1", server.http_port)
        slow = [stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(6)]
        for connection in slow:
            connection.sendall(HEAD + b" " * 90_000)
        # Four of them fit; the others are told so at once, and so is an honest request while the four last.
        refused = select.select(slow, [], [], 20)[0]
        assert refused
        assert all(connection.recv(64).startswith(b"HTTP/1.1 503 ") for connection in refused)
        assert server.request("GET", "/v2/health/ready").status == 200
        for connection in slow:
            connection.close()
        until(lambda: ask(server).status == 200)


def test_a_body_that_stops_coming_is_given_up(odd, tmp_path):
    folder = write_model(tmp_path / "m", odd.Slow(), ONE)
    with (
        serve(folder, PASSLOOP_READ_SECONDS="1") as server,
        socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection,
    ):
        connection.sendall(HEAD + b"{")
        assert connection.recv(64).startswith(b"HTTP/1.1 408 ")


def until(holds):
    for _ in range(200):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never became so")


def test_sigterm_finishes_what_runs_and_exits_0(odd, tmp_path):
    with serve(write_model(tmp_path / "m", odd.Slow(predict=1), ONE)) as server:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(server).status))
        thread.start()
        threading.Event().wait(0.3)
        server.process.send_signal(signal.SIGTERM)
        thread.join()
        assert answers == [200]
        assert server.process.wait(10) == 0


def test_sigterm_during_the_load_exits_at_once(odd, tmp_path):
    with serve(write_model(tmp_path / "m", odd.Slow(load=600), ONE), ready=False) as server:
        server.wait_for("listening")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0


def test_nan_results_travel_by_grpc_only(odd, tmp_path):
    with serve(write_model(tmp_path / "m", odd.Slow(), ONE)) as server:
        body = {"inputs": [{**INPUT["inputs"][0], "data": [-1]}]}
        answer = server.infer(body)
        assert answer.status == 500
        assert "NaN or infinite" in answer.error
        request = pb.ModelInferRequest(model_name="flight")
        request.inputs.add(name="x", datatype="FP64", shape=[1, 1])
        request.raw_input_contents.append(np.array([-1.0]).tobytes())
        assert np.isnan(np.frombuffer(server.rpc("ModelInfer", request).raw_output_contents[0]))


def test_a_failing_model_is_a_500_and_the_server_goes_on(odd, tmp_path):
    with serve(write_model(tmp_path / "m", odd.Failing(), ONE)) as server:
        assert ask(server).error == "the model's predict failed: KeyError: 'no such city'"
        assert ask(server).status == 500
        with pytest.raises(grpc.RpcError) as caught:
            request = pb.ModelInferRequest(model_name="flight")
            request.inputs.add(name="x", datatype="FP64", shape=[1]).contents.fp64_contents.append(1)
            server.rpc("ModelInfer", request)
        assert caught.value.code().name == "INTERNAL"


def test_the_model_sees_no_secret(odd, tmp_path):
    with serve(write_model(tmp_path / "m", odd.Environment(), ONE), **{"SECRET": "x"}) as server:
        assert ask(server).json["outputs"][0]["data"] == [0.0]


def test_the_digest_is_verified_before_anything_is_loaded(tmp_path):
    folder = write_model(tmp_path / "m", LinearRegression().fit([[1.0]], [1.0]), ONE)
    digest = hashlib.sha256((folder / "model.joblib").read_bytes()).hexdigest()
    with serve(folder, PASSLOOP_MODEL_DIGEST=f"sha256:{digest}") as server:
        assert server.request("GET", "/v2/models/flight").json["properties"]["model_digest"] == f"sha256:{digest}"
    with serve(folder, ready=False, PASSLOOP_MODEL_DIGEST=f"sha256:{'0' * 64}") as server:
        assert server.process.wait(60) == 1
    assert "It is not served." in server.logged("error")["message"]


def test_what_cannot_be_served_exits_1_and_says_why(odd, tmp_path):
    cases = [
        (write_model(tmp_path / "a", odd.Unloadable(), ONE), "made by another version"),
        (write_model(tmp_path / "b", LinearRegression(), {**ONE, "inputs": []}), "inputs must be a list"),
        (tmp_path / "c", "signature.json does not exist"),
    ]
    two = write_model(tmp_path / "d", LinearRegression(), ONE)
    (two / "model.pkl").write_bytes(b"")
    cases.append((two, "it holds model.joblib, model.pkl"))
    for folder, message in cases:
        with serve(folder, ready=False) as server:
            assert server.process.wait(60) == 1
        assert message in server.logged("error")["message"]


def test_a_taken_port_is_named(server, tmp_path):
    folder = write_model(tmp_path / "m", LinearRegression(), ONE)
    with serve(folder, ready=False, PASSLOOP_HTTP_PORT=str(server.http_port)) as second:
        assert second.process.wait(60) == 1
    assert f"REST cannot listen on 127.0.0.1:{server.http_port}" in second.logged("error")["message"]
    with serve(folder, ready=False, PASSLOOP_GRPC_PORT=str(server.grpc_port)) as second:
        assert second.process.wait(60) == 1
    assert "gRPC cannot listen" in second.logged("error")["message"]


def test_the_health_check_is_a_program(server):
    def check(port: int) -> int:
        environment = {"PYTHONPATH": str(ROOT), "PASSLOOP_HTTP_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, "-m", "passloop_runtime.healthcheck"], env=environment, check=False).returncode

    assert check(server.http_port) == 0
    assert check(1) == 1


def test_a_pickle_without_joblib_s_name_is_served(tmp_path, model):
    folder = write_model(tmp_path / "m", model, SIGNATURE, file="model.pkl")
    with serve(folder) as server:
        assert server.request("GET", "/v2/models/flight").json["platform"] == "sklearn_pickle"


def test_answers_do_not_wait_for_an_acknowledgement():
    import socket

    from passloop_runtime.server import _listen

    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()) as client:
        accepted, _ = listening.accept()
        with accepted, client:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
