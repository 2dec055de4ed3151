"""Does the web server of this container answer? `python -m webapp.alive` ends with 0, or with 1 and the reason.

For images whose health checks are commands; Kubernetes asks `/livez` itself. `tasks.worker.alive` does it for workers.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping

TIMEOUT = 2.0  # seconds; below the health check's own


def why_not(port: int) -> str:
    """Why the server does not count as alive; empty when it does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/livez")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"it does not answer: {error}"
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"it answers {status}"


def main(environ: Mapping[str, str]) -> int:
    """Run the command. Returns its exit code."""
    reason = why_not(int(environ.get("PORT") or 8000))
    if reason:
        print(f"the web server is not alive: {reason}", file=sys.stderr)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
