from __future__ import annotations

import struct

import grpc
import numpy as np
import pytest

from passloop_runtime import open_inference_pb2 as pb

from .conftest import flights


def typed_request(table, **fields):
    request = pb.ModelInferRequest(model_name="flight", **fields)
    rows = len(table)
    columns = (
        ("distance", "FP64", "fp64_contents", table["distance"].tolist()),
        ("hour_of_day", "INT64", "int64_contents", table["hour"].tolist()),
        ("origin", "BYTES", "bytes_contents", [value.encode() for value in table["origin"]]),
    )
    for name, datatype, field, values in columns:
        entry = request.inputs.add(name=name, datatype=datatype, shape=[rows, 1])
        getattr(entry.contents, field).extend(values)
    return request


def raw_request(table):
    request = typed_request(table)
    for entry in request.inputs:
        entry.ClearField("contents")
    request.raw_input_contents.append(np.array(table["distance"], "<f8").tobytes())
    request.raw_input_contents.append(np.array(table["hour"], "<i8").tobytes())
    request.raw_input_contents.append(b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in table["origin"]))
    return request


def refusal(server, request):
    with pytest.raises(grpc.RpcError) as caught:
        server.rpc("ModelInfer", request)
    return caught.value.code().name, caught.value.details()


def test_health_and_metadata(server):
    assert server.rpc("ServerLive", pb.ServerLiveRequest()).live
    assert server.rpc("ServerReady", pb.ServerReadyRequest()).ready
    assert server.rpc("ModelReady", pb.ModelReadyRequest(name="flight", version="1")).ready
    assert server.rpc("ServerMetadata", pb.ServerMetadataRequest()).name == "passloop-runtime"
    metadata = server.rpc("ModelMetadata", pb.ModelMetadataRequest(name="flight"))
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.outputs] == [
        ("score", "FP64", [-1, 1]),
        ("prediction", "INT64", [-1, 1]),
    ]
    assert (metadata.platform, list(metadata.versions)) == ("sklearn_joblib", ["1"])


def test_typed_and_raw_contents_equal_the_model(server, model):
    table = flights(rows=20, seed=4)
    typed = server.rpc("ModelInfer", typed_request(table, id="a1", model_version="1"))
    assert (typed.id, typed.model_name, typed.model_version) == ("a1", "flight", "1")
    assert list(typed.outputs[0].contents.fp64_contents) == model.predict_proba(table)[:, 1].tolist()
    assert list(typed.outputs[1].contents.int64_contents) == model.predict(table).tolist()
    assert not typed.raw_output_contents
    raw = server.rpc("ModelInfer", raw_request(table))
    assert not raw.outputs[0].HasField("contents")
    assert np.frombuffer(raw.raw_output_contents[0], "<f8").tolist() == list(typed.outputs[0].contents.fp64_contents)
    assert list(raw.outputs[0].shape) == [20, 1]


def test_outputs_are_filtered(server):
    request = typed_request(flights(rows=1))
    request.outputs.add(name="prediction")
    assert [output.name for output in server.rpc("ModelInfer", request).outputs] == ["prediction"]


def test_wrong_requests_have_the_right_codes(server):
    table = flights(rows=2)
    request = typed_request(table)
    request.model_name = "other"
    assert refusal(server, request)[0] == "NOT_FOUND"
    request = typed_request(table, model_version="2")
    assert refusal(server, request)[0] == "NOT_FOUND"
    request = typed_request(table)
    request.inputs[0].shape[0] = 3
    assert refusal(server, request) == ("INVALID_ARGUMENT", "input 'distance' has 2 values; its shape says 3.")
    request = typed_request(table)
    request.inputs[0].contents.fp32_contents.append(1)
    assert "belong in fp64_contents, not fp32_contents" in refusal(server, request)[1]
    request = raw_request(table)
    request.inputs[0].contents.fp64_contents.append(1)
    assert "contents beside raw_input_contents" in refusal(server, request)[1]
    request = raw_request(table)
    del request.raw_input_contents[2]
    assert refusal(server, request)[1] == "2 raw_input_contents for 3 inputs."
    request = raw_request(table)
    request.raw_input_contents[0] = b"\0" * 15
    assert "has 15 bytes; 2 x FP64 are 16 bytes" in refusal(server, request)[1]
    for raw in (b"\x05\0\0\0JFK", b"\x01\0\0", b"\xff\xff\xff\xffJ"):
        request = raw_request(table)
        request.raw_input_contents[2] = raw
        assert "cut off" in refusal(server, request)[1]
    request = typed_request(table)
    request.inputs[2].contents.bytes_contents[0] = b"\xff"
    assert "must be UTF-8" in refusal(server, request)[1]


def test_a_message_over_the_limit_is_refused(server):
    request = typed_request(flights(rows=1))
    request.parameters["padding"].string_param = "x" * 200_001
    assert refusal(server, request)[0] == "RESOURCE_EXHAUSTED"
