"""The image's health check: exit code 0 if the model is ready. `python3 -m passloop_runtime.healthcheck`"""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    host = "::1" if ":" in os.environ.get("PASSLOOP_HOST", "") else "127.0.0.1"
    connection = http.client.HTTPConnection(host, int(os.environ.get("PASSLOOP_HTTP_PORT", "8080")), timeout=3)
    try:
        connection.request("GET", "/v2/health/ready")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
