"""The web side describes agents without being able to run them."""

from __future__ import annotations

import json
import subprocess
import sys

# The last reads the tokens of an issuer: 10 MiB that only a server with one needs.
HEAVY = ("openai", "typst", "onnxruntime", "torch", "transformers", "numpy", "pyarrow", "boto3", "botocore", "joserfc")
# What only workers need (5 MiB), only commands do (3 MiB), and only a socket does, which loads it when it is opened.
NOT_SERVING = (
    *("tasks.worker", "celery", "kombu", "amqp", "billiard"),
    *("webapp.cli", "webapp.doctor", "rich"),
    *("simple_websocket", "wsproto"),
)

PROGRAM = """
import json, sys
from webapp.wsgi import app
document = app.test_client().get("/openapi.json")
assert document.status_code == 200
json.dump({"modules": sorted(sys.modules), "paths": sorted(document.json["paths"])}, sys.stdout)
"""


def test_the_application_and_its_document_need_no_ai_library_no_worker_and_no_redis() -> None:
    environment = {"API_KEY": "a key", "REDIS_URL": "redis://127.0.0.1:9/0", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "/ai_service" in seen["paths"]
    loaded = [name for name in seen["modules"] if name.startswith((*HEAVY, *NOT_SERVING)) or name.endswith("_cli")]
    assert loaded == []
