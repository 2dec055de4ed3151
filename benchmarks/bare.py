"""What an answer costs before anything is done for it: Flask on gunicorn's gevent workers."""

import time
from collections.abc import Iterator

from flask import Flask, Response, jsonify, request

app = Flask("bare")


@app.post("/run")
def run() -> Response:
    return jsonify(result=request.get_json()["text"])


@app.post("/stream")
def stream() -> Response:
    def frames() -> Iterator[bytes]:
        yield b"retry: 2000\n\n"
        while True:
            time.sleep(15)
            yield b": \n\n"

    return Response(frames(), mimetype="text/event-stream")
