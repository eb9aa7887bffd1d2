"""Starts both protocols at once, loads the model behind them, and stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import grpc
import uvicorn

from . import __version__
from .errors import StartError
from .grpc_api import make_handler
from .log import log
from .rest import make_app
from .service import Service
from .settings import Settings, read_settings, scrub_environment
from .signature import read_signature


class _HttpServer(uvicorn.Server):
    """uvicorn raises the signal again when it has stopped, which would cut off the stop of gRPC: signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> int:
    """The program. 0 after a signal, 1 when it cannot serve."""
    started = time.perf_counter()
    try:
        settings = read_settings(os.environ)
        scrub_environment()
        service = Service(settings, read_signature(settings.model_dir / "signature.json"))
        code = asyncio.run(_serve(service, settings, started))
    except StartError as error:
        log("error", message=str(error))
        code = 1
    # A model that is still being loaded cannot be interrupted, and its thread would hold the exit back.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _serve(service: Service, settings: Settings, started: float) -> int:
    http_socket = _listen(settings.host, settings.http_port)
    grpc_server = grpc.aio.server(
        # As many as may wait, and as many again for questions that are answered at once.
        maximum_concurrent_rpcs=2 * settings.max_pending,
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", settings.max_body_bytes),
            ("grpc.max_send_message_length", settings.max_body_bytes),
        ],
    )
    grpc_server.add_generic_rpc_handlers((make_handler(service),))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        grpc_port = grpc_server.add_insecure_port(f"{host}:{settings.grpc_port}")
    except RuntimeError as error:
        raise StartError(f"gRPC cannot listen on {host}:{settings.grpc_port}.") from error
    await grpc_server.start()
    http_server = _HttpServer(
        uvicorn.Config(
            make_app(service),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, int(settings.grace_seconds)),
        )
    )
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(http_server.serve(sockets=[http_socket]))
    log("listening", version=__version__, rest=http_socket.getsockname()[1], grpc=grpc_port)
    loading = asyncio.ensure_future(loop.run_in_executor(service.worker, service.load))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({loading, stopped, serving}, return_when=asyncio.FIRST_COMPLETED)
    code = _report_load(loading, started) if loading.done() else 0
    if code == 0:
        await asyncio.wait({stopped, serving}, return_when=asyncio.FIRST_COMPLETED)
    log("stopping")
    service.stop()
    http_server.should_exit = True
    await asyncio.gather(serving, grpc_server.stop(settings.grace_seconds))
    return code


def _report_load(loading: asyncio.Future[dict[str, Any]], started: float) -> int:
    error = loading.exception()
    if error is None:
        log("ready", seconds=round(time.perf_counter() - started, 3), **loading.result())
        return 0
    log("error", message=str(error) if isinstance(error, StartError) else f"the model cannot be loaded: {error!r}"[:1000])
    return 1


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024)
        # asyncio turns Nagle's algorithm off only for sockets whose protocol it can tell, which these are not: without this
        # an answer's body waits some 40 ms for the client to acknowledge its head. Accepted connections inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise StartError(f"REST cannot listen on {host}:{port}: {error.strerror}.") from error
