from __future__ import annotations

import json
import socket
import struct

import numpy as np
import pytest

from .conftest import flights, rest_inputs


def test_health_and_metadata(server):
    assert server.request("GET", "/v2/health/live").status == 200
    assert server.request("GET", "/v2/health/ready").json == {"ready": True}
    assert server.request("HEAD", "/v2/health/ready").body == b""
    for path in ("/v2", "/v2/"):
        assert set(server.request("GET", path).json) == {"name", "version", "extensions"}
    for path in ("/v2/models/flight", "/v2/models/flight/versions/1"):
        metadata = server.request("GET", path).json
        assert (metadata["name"], metadata["versions"], metadata["platform"]) == ("flight", ["1"], "sklearn_joblib")
        assert metadata["inputs"][1] == {"name": "hour_of_day", "datatype": "INT64", "shape": [-1, 1]}
        assert [output["name"] for output in metadata["outputs"]] == ["score", "prediction"]
        assert server.request("GET", f"{path}/ready").json == {"name": "flight", "ready": True}


@pytest.mark.parametrize("path", ["/v2/models/flight/infer", "/v2/models/flight/versions/1/infer"])
def test_infer_equals_the_model_to_the_last_bit(server, model, path):
    table = flights(rows=50, seed=9)
    answer = server.request("POST", path, {"id": "é-1", "inputs": rest_inputs(table)}).json
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("flight", "1", "é-1")
    score, prediction = answer["outputs"]
    assert (score["shape"], score["datatype"]) == ([50, 1], "FP64")
    assert score["data"] == model.predict_proba(table)[:, 1].tolist()
    assert prediction["data"] == model.predict(table).tolist()


def test_shapes_and_nesting_are_free_within_the_protocol(server):
    table = flights(rows=3)
    flat = rest_inputs(table)
    nested = [{**entry, "data": [[value] for value in entry["data"]]} for entry in flat]
    vector = [{**entry, "shape": [3]} for entry in flat]
    mixed_order = [flat[2], nested[0], vector[1]]
    answers = [server.infer({"inputs": inputs}).json["outputs"] for inputs in (flat, nested, vector, mixed_order)]
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert "id" not in server.infer({"inputs": flat}).json


def test_rows_alone_are_the_rows_of_a_batch(server):
    table = flights(rows=5)
    batch = server.infer({"inputs": rest_inputs(table)}).json["outputs"][0]["data"]
    single = [server.infer({"inputs": rest_inputs(table.iloc[[i]])}).json["outputs"][0]["data"][0] for i in range(5)]
    assert batch == single


def test_outputs_are_filtered_in_the_order_asked(server):
    body = {"inputs": rest_inputs(flights(rows=2)), "outputs": [{"name": "prediction"}]}
    assert [output["name"] for output in server.infer(body).json["outputs"]] == ["prediction"]
    body["outputs"] = [{"name": "prediction"}, {"name": "score"}]
    assert [output["name"] for output in server.infer(body).json["outputs"]] == ["prediction", "score"]
    assert server.infer({**body, "outputs": [{"name": "late"}]}).error == (
        "there is no output 'late'; the model has score, prediction."
    )
    assert server.infer({**body, "outputs": [{"name": ["score"]}]}).status == 400
    assert "twice" in server.infer({**body, "outputs": [{"name": "score"}] * 2}).error


def changed(at: int, **fields):
    inputs = rest_inputs(flights(rows=2))
    inputs[at] = {**inputs[at], **fields}
    return {"inputs": inputs}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (changed(0, shape=[3, 1]), "input 'distance' has 2 values; its shape says 3."),
        (changed(0, shape=[1, 2]), "must be [n, 1]"),
        (changed(0, shape=[2, 1, 1]), "must be [n, 1]"),
        (changed(0, shape=[-2, 1]), "must be [n, 1]"),
        (changed(0, shape=[True, 1]), "must be [n, 1]"),
        (changed(0, shape="2"), "must be [n, 1]"),
        (changed(0, shape=[0, 1], data=[]), "at least one"),
        (changed(0, shape=[1, 1], data=[1]), "different numbers of rows: 1, 2"),
        (changed(0, datatype="FP32"), "it must be FP64"),
        (changed(0, datatype=["FP64"]), "it must be FP64"),
        (changed(0, data="ab"), "data must be a list"),
        (changed(0, data=[[1, 2], [3]]), "one value each"),
        (changed(0, data=[[1], 2]), "one value each"),
        (changed(0, data=[1, [2]]), "has a list"),
        (changed(0, data=[1.0, None]), "has null"),
        (changed(0, data=[1.0, True]), "has a boolean"),
        (changed(0, data=[1.0, "2"]), "has a text"),
        (changed(0, data=[10**400, 1]), "out of range of FP64"),
        (changed(1, data=[1.0, 2]), "is INT64 and has a fraction"),
        (changed(1, data=[2**63, 1]), "out of range of INT64"),
        (changed(2, data=["JFK", 1]), "is BYTES and has a whole number"),
        (changed(2, name="orígin"), "there is no input"),
        (changed(2, name=None), "there is no input"),
        (changed(1, name="distance", datatype="FP64"), "given twice"),
        ({"inputs": []}, "the request has no input 'distance', 'hour_of_day', 'origin'."),
        ({"inputs": {}}, "inputs must be a list"),
        ({"inputs": ["distance"]}, "inputs must be a list"),
        ({}, "inputs must be a list"),
        ([], "must be a JSON object"),
        ({**changed(0), "id": 7}, "id must be a text"),
    ],
)
def test_wrong_requests_are_answered_400(server, body, message):
    answer = server.infer(body)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert message in answer.error


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_in_json_is_refused_with_the_way_out(server, word):
    body = json.dumps(changed(0)).replace('"data": [', f'"data": [{word}, ', 1)
    answer = server.infer(body)
    assert answer.status == 400
    assert answer.error == f"{word} is not JSON (RFC 8259); send such values by gRPC or as binary data."


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", '{"inputs":[]}'.encode("utf-16")]
)
def test_what_is_no_json_is_answered_400(server, body):
    answer = server.infer(body)
    assert answer.status == 400
    assert "not JSON" in answer.error


def test_half_a_character_is_no_text(server):
    table = flights(rows=1)
    inputs = rest_inputs(table)
    inputs[2]["data"] = ["\ud800"]
    answer = server.infer({"inputs": inputs})
    assert (answer.status, "lone surrogate" in answer.error) == (400, True)
    assert server.infer({"inputs": rest_inputs(table), "id": "\ud800"}).error == "id must be a text."


def test_an_infinite_literal_is_out_of_range(server):
    text = json.dumps(changed(0, data=[1.5, 2])).replace("1.5", "1e999")
    assert "out of range of FP64" in server.infer(text).error


def test_paths_methods_types_and_sizes(server):
    body = {"inputs": rest_inputs(flights(rows=1))}
    for path in ("/", "/v3", "/v2/models", "/v2/models/flight/foo", "/v2/models/flight/versions/1/versions/1"):
        assert server.request("GET", path).status == 404
    for path in ("/v2/models/other", "/v2/models/flight/versions/2", "/v2/models/flight/versions/2/ready"):
        assert server.request("GET", path).status == 404
    assert server.request("POST", "/v2/models/other/infer", body).error.startswith("there is no model 'other'")
    assert server.request("POST", "/v2/models/flight/versions/2/infer", body).status == 404
    wrong_method = server.request("GET", "/v2/models/flight/infer")
    assert (wrong_method.status, wrong_method.headers["allow"]) == (405, "POST")
    assert server.request("DELETE", "/v2/health/live").status == 405
    for content_type in ("text/plain", "application/octet-stream", "application/x-www-form-urlencoded"):
        assert server.infer(body, **{"Content-Type": content_type}).status == 415
    assert server.infer(body, **{"Content-Type": "application/json; charset=utf-8"}).status == 200
    assert server.infer(body, **{"Content-Encoding": "gzip"}).status == 415
    assert server.infer(b" " * 200_001).status == 413


def test_a_chunked_body_is_bounded_too(server):
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
        head = "POST /v2/models/flight/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(3):
            connection.sendall(b"186a0\r\n" + b" " * 100_000 + b"\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 413 ")


def test_binary_tensors_carry_what_json_cannot(server, model):
    table = flights(rows=3)
    parts = [
        struct.pack("<3d", *table["distance"]),
        np.array(table["hour"], dtype="<i8").tobytes(),
        b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in table["origin"]),
    ]
    inputs = [
        {**{k: v for k, v in entry.items() if k != "data"}, "parameters": {"binary_data_size": len(part)}}
        for entry, part in zip(rest_inputs(table), parts)
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    answer = server.infer(head + b"".join(parts), **headers)
    assert answer.status == 200
    length = int(answer.headers["inference-header-content-length"])
    document, tail = json.loads(answer.body[:length]), answer.body[length:]
    assert [output["parameters"]["binary_data_size"] for output in document["outputs"]] == [24, 24]
    assert np.frombuffer(tail[:24], "<f8").tolist() == model.predict_proba(table)[:, 1].tolist()
    assert server.infer(head + b"".join(parts) + b"x", **headers).error == "1 binary bytes belong to no input."
    assert server.infer(head + parts[0], **headers).status == 400
    assert server.infer(head, **{**headers, "Inference-Header-Content-Length": "9999999"}).status == 400


def test_metrics_count_what_happened(server):
    before = server.request("GET", "/metrics").body.decode()
    server.infer({"inputs": rest_inputs(flights(rows=7))})
    after = server.request("GET", "/metrics")
    assert after.headers["content-type"].startswith("text/plain; version=0.0.4")

    def value(text: str, name: str) -> float:
        return float(next((line.split()[-1] for line in text.splitlines() if line.startswith(name)), 0))

    text = after.body.decode()
    assert value(text, "passloop_rows_total") - value(before, "passloop_rows_total") == 7
    ok = 'passloop_requests_total{protocol="rest",operation="infer",code="200"}'
    assert value(text, ok) - value(before, ok) == 1
    assert "# TYPE passloop_infer_seconds histogram" in text
    count = value(text, 'passloop_infer_seconds_count{protocol="rest"}')
    assert value(text, 'passloop_infer_seconds_bucket{protocol="rest",le="+Inf"}') == count
