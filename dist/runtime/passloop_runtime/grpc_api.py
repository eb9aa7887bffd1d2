"""The protocol over gRPC: service inference.GRPCInferenceService."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc

from . import open_inference_pb2 as pb
from .errors import RequestError
from .log import log
from .service import Service
from .tensors import from_raw, from_values, to_raw

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_FIELDS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def make_handler(service: Service) -> grpc.GenericRpcHandler:
    """Handlers for grpc.aio. They are bound here by name, so that no code generated for a version of grpcio is needed."""

    async def live(request: Any) -> Any:
        return pb.ServerLiveResponse(live=True)

    async def ready(request: Any) -> Any:
        return pb.ServerReadyResponse(ready=service.ready)

    async def model_ready(request: Any) -> Any:
        service.expect_model(request.name, request.version)
        return pb.ModelReadyResponse(ready=service.ready)

    async def server_metadata(request: Any) -> Any:
        return pb.ServerMetadataResponse(**service.server_metadata())

    async def model_metadata(request: Any) -> Any:
        service.expect_model(request.name, request.version)
        return pb.ModelMetadataResponse(**service.model_metadata())

    async def infer(request: Any) -> Any:
        service.expect_model(request.model_name, request.model_version)
        return await service.run(_infer, service, request)

    methods = {
        "ServerLive": ("live", live, pb.ServerLiveRequest),
        "ServerReady": ("ready", ready, pb.ServerReadyRequest),
        "ModelReady": ("model_ready", model_ready, pb.ModelReadyRequest),
        "ServerMetadata": ("server_metadata", server_metadata, pb.ServerMetadataRequest),
        "ModelMetadata": ("model_metadata", model_metadata, pb.ModelMetadataRequest),
        "ModelInfer": ("infer", infer, pb.ModelInferRequest),
    }
    return grpc.method_handlers_generic_handler(
        "inference.GRPCInferenceService",
        {
            name: grpc.unary_unary_rpc_method_handler(
                _guarded(service, operation, method),
                request_deserializer=message.FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
            for name, (operation, method, message) in methods.items()
        },
    )


def _guarded(service: Service, operation: str, method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    async def call(request: Any, context: Any) -> Any:
        started = time.perf_counter()
        code, detail, answer = grpc.StatusCode.OK, "", None
        try:
            answer = await method(request)
        except RequestError as error:
            code, detail = _CODES.get(error.status, grpc.StatusCode.INTERNAL), error.message[:1000]
        except Exception as error:  # a fault of ours must not show its inside to a client
            log("fault", operation=operation, error=f"{type(error).__name__}: {error}"[:1000])
            code, detail = grpc.StatusCode.INTERNAL, "internal error; the server's log has more."
        service.metrics.observe("grpc", operation, code.name, time.perf_counter() - started)
        if answer is None:
            await context.abort(code, detail)
        return answer

    return call


def _infer(service: Service, request: Any) -> Any:
    """Decodes, predicts and encodes one request; runs in the worker."""
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise RequestError(400, f"{len(raw)} raw_input_contents for {len(request.inputs)} inputs.")
    columns: dict[str, Any] = {}
    for i, entry in enumerate(request.inputs):
        tensor = service.input(entry.name, entry.datatype, columns)
        shape = list(entry.shape)
        if raw:
            if entry.HasField("contents"):
                raise RequestError(400, f"input {tensor.name!r} has contents beside raw_input_contents.")
            columns[tensor.column] = from_raw(tensor.name, tensor.datatype, shape, raw[i])
        else:
            columns[tensor.column] = from_values(tensor.name, tensor.datatype, shape, _contents(entry, tensor.datatype))
    results = service.predict(columns, [output.name for output in request.outputs])
    # FP16 exists only raw, and raw is for all outputs or none.
    as_raw = bool(raw) or any(service.outputs[name].datatype == "FP16" for name in results)
    answer = pb.ModelInferResponse(
        model_name=service.settings.model_name, model_version=service.settings.model_version, id=request.id
    )
    for name, values in results.items():
        datatype = service.outputs[name].datatype
        output = answer.outputs.add(name=name, datatype=datatype, shape=[len(values), 1])
        if as_raw:
            answer.raw_output_contents.append(to_raw(datatype, values))
        else:
            getattr(output.contents, _FIELDS[datatype]).extend(values.tolist())
    return answer


def _contents(entry: Any, datatype: str) -> Any:
    field = _FIELDS.get(datatype)
    if field is None:
        raise RequestError(400, f"input {entry.name!r}: {datatype} travels only in raw_input_contents.")
    others = [descriptor.name for descriptor, _ in entry.contents.ListFields() if descriptor.name != field]
    if others:
        raise RequestError(400, f"input {entry.name!r} is {datatype}: its values belong in {field}, not {others[0]}.")
    return getattr(entry.contents, field)
