"""Settings come from PASSLOOP_* variables alone, so that one image serves anywhere with a read-only root."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from .errors import StartError

MIB = 1024 * 1024

# What Python, BLAS and OpenMP read. Everything else leaves the environment before the model's code is loaded, so that a
# secret which a cluster injects into each pod is out of its reach (PASSLOOP_PASS_ENV=A,B lets named ones through).
_KEPT = re.compile(
    r"^(PASSLOOP_[A-Z0-9_]+|PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|PYTHON[A-Z]+|LD_LIBRARY_PATH|[A-Z]+_NUM_THREADS"
    r"|OMP_[A-Z_]+|KMP_[A-Z_]+|MKL_[A-Z_]+|OPENBLAS_[A-Z_]+|GRPC_[A-Z_]+|CUDA_VISIBLE_DEVICES)$"
)


@dataclass(frozen=True)
class Settings:
    model_name: str = "model"
    model_version: str = "1"
    model_digest: str = ""
    model_dir: Path = Path("/model")
    host: str = "0.0.0.0"
    http_port: int = 8080
    grpc_port: int = 8081
    max_body_bytes: int = 64 * MIB
    max_pending: int = 64
    read_seconds: float = 30.0
    grace_seconds: float = 8.0

    @property
    def max_buffered_bytes(self) -> int:
        """What the bodies of all requests may hold together."""
        return 4 * self.max_body_bytes


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment. Raises StartError naming the variable that is wrong."""

    def text(name: str, default: str, pattern: str) -> str:
        value = environment.get(name, default)
        if not re.fullmatch(pattern, value):
            raise StartError(f"{name}={value!r} is not of the form {pattern}.")
        return value

    def number(name: str, default: int, low: int, high: int) -> int:
        value = environment.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,12}", value) or not low <= int(value) <= high:
            raise StartError(f"{name}={value!r} is not a whole number from {low} to {high}.")
        return int(value)

    plain = Settings()
    return Settings(
        model_name=text("PASSLOOP_MODEL_NAME", plain.model_name, r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
        model_version=text("PASSLOOP_MODEL_VERSION", plain.model_version, r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
        model_digest=text("PASSLOOP_MODEL_DIGEST", "", r"(sha256:[0-9a-f]{64})?"),
        model_dir=Path(environment.get("PASSLOOP_MODEL_DIR", str(plain.model_dir))),
        host=text("PASSLOOP_HOST", plain.host, r"[0-9A-Fa-f.:]{2,45}"),
        http_port=number("PASSLOOP_HTTP_PORT", plain.http_port, 0, 65535),
        grpc_port=number("PASSLOOP_GRPC_PORT", plain.grpc_port, 0, 65535),
        max_body_bytes=number("PASSLOOP_MAX_BODY_BYTES", plain.max_body_bytes, 1024, 2000 * MIB),
        max_pending=number("PASSLOOP_MAX_PENDING", plain.max_pending, 1, 100_000),
        read_seconds=float(number("PASSLOOP_READ_SECONDS", int(plain.read_seconds), 1, 3600)),
        grace_seconds=float(number("PASSLOOP_GRACE_SECONDS", int(plain.grace_seconds), 0, 600)),
    )


def scrub_environment(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Removes every variable that serving does not need; returns the names removed."""
    passed = {name.strip() for name in environment.get("PASSLOOP_PASS_ENV", "").split(",")}
    removed = [name for name in environment if name not in passed and not _KEPT.match(name)]
    for name in removed:
        del environment[name]
    return removed
