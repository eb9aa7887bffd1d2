"""Counts and latencies in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import threading
from bisect import bisect_left

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Thread-safe; labels come from fixed sets, never from a request."""

    def __init__(self, info: dict[str, str]) -> None:
        self._lock = threading.Lock()
        self._info = info
        self._requests: dict[tuple[str, str, str], int] = {}
        self._buckets: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        self._rows = 0

    def observe(self, protocol: str, operation: str, code: str, seconds: float) -> None:
        with self._lock:
            key = (protocol, operation, code)
            self._requests[key] = self._requests.get(key, 0) + 1
            if operation != "infer":
                return
            self._buckets.setdefault(protocol, [0] * (len(_BOUNDS) + 1))[bisect_left(_BOUNDS, seconds)] += 1
            self._sums[protocol] = self._sums.get(protocol, 0.0) + seconds

    def count_rows(self, rows: int) -> None:
        with self._lock:
            self._rows += rows

    def text(self, ready: bool) -> str:
        with self._lock:
            lines = [
                "# HELP passloop_ready Whether the model is loaded and served.",
                "# TYPE passloop_ready gauge",
                f"passloop_ready {int(ready)}",
                "# HELP passloop_model_info What is served.",
                "# TYPE passloop_model_info gauge",
                f"passloop_model_info{_labels(self._info)} 1",
                "# HELP passloop_requests_total Requests by protocol, operation and status.",
                "# TYPE passloop_requests_total counter",
            ]
            for (protocol, operation, code), count in sorted(self._requests.items()):
                labels = _labels({"protocol": protocol, "operation": operation, "code": code})
                lines.append(f"passloop_requests_total{labels} {count}")
            lines += [
                "# HELP passloop_rows_total Rows predicted.",
                "# TYPE passloop_rows_total counter",
                f"passloop_rows_total {self._rows}",
                "# HELP passloop_infer_seconds Time from the whole request to its whole answer.",
                "# TYPE passloop_infer_seconds histogram",
            ]
            for protocol, buckets in sorted(self._buckets.items()):
                total = 0
                for bound, count in zip((*_BOUNDS, "+Inf"), buckets):
                    total += count
                    lines.append(f"passloop_infer_seconds_bucket{_labels({'protocol': protocol, 'le': str(bound)})} {total}")
                lines.append(f"passloop_infer_seconds_sum{_labels({'protocol': protocol})} {self._sums[protocol]!r}")
                lines.append(f"passloop_infer_seconds_count{_labels({'protocol': protocol})} {total}")
        return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    escaped = ((name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels.items())
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
