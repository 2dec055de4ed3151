"""The models of one process, each loaded once."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnxruntime

from tasks.pipelines.description import Tensor
from tasks.pipelines.runtime.tensors import NUMBERS, Array, describe

Load = Callable[[], bytes]

# A model that is deployed no more is let go when nobody has used it for this long: jobs of it may still be waiting.
IDLE_SECONDS = 60.0
_ERROR = re.compile(r"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")
NOWHERE = "/nonexistent"
FATAL_ONLY = 4  # what ONNX Runtime writes to stderr by itself: its errors are raised, too


class ModelError(Exception):
    """The file is no model that can be run here; the message says why."""


@dataclass
class Session:
    """A model that is ready to run."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    _session: onnxruntime.InferenceSession = field(repr=False)
    used: float = 0.0

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run it on all rows at once. A model that is made for one row at a time is run once for each."""
        self.used = time.monotonic()
        given = {tensor.name: feeds[tensor.name] for tensor in self.inputs}
        rows = len(next(iter(given.values())))
        if rows == 1 or self.inputs[0].shape[0] != 1:
            return self._run(given)
        parts = [self._run({name: array[row : row + 1] for name, array in given.items()}) for row in range(rows)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def warm(self) -> None:
        """Run it once: what it allocates and compiles at its first run need not be waited for by a caller."""
        self._run({tensor.name: _zeros(tensor) for tensor in self.inputs})

    def _run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        names = [tensor.name for tensor in self.outputs]
        return dict(zip(names, self._session.run(names, dict(feeds)), strict=True))


class Sessions:
    """Models by the digests of their files."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._sessions: dict[str, Session] = {}
        self._loading = threading.Lock()

    def get(self, sha: str, load: Load) -> Session:
        """The model of that digest; `load` gives its file when it is not there yet. Raises `ModelError`."""
        found = self._sessions.get(sha)
        if found is not None:
            return found
        with self._loading:
            if sha not in self._sessions:
                content = load()
                if hashlib.sha256(content).hexdigest() != sha:
                    raise ModelError("its file is not the one that was deployed")
                self._sessions[sha] = self.open(content)
            return self._sessions[sha]

    def open(self, content: bytes) -> Session:
        """Make a session, which is kept nowhere. Raises `ModelError`."""
        try:
            # Sessions have threads, which a fork would lose: they are made in the process that runs them.
            session = onnxruntime.InferenceSession(content, self._options(), providers=["CPUExecutionProvider"])
            inputs, outputs = map(describe, session.get_inputs()), map(describe, session.get_outputs())
            return Session(tuple(inputs), tuple(outputs), session, time.monotonic())
        except ValueError as error:
            raise ModelError(str(error)) from error
        except Exception as error:  # the library has exceptions of its own, with no more in common
            raise ModelError(_reason(error)) from error

    def keep(self, wanted: Iterable[str]) -> None:
        """Let go of what is neither wanted nor was used lately."""
        kept, before = set(wanted), time.monotonic() - IDLE_SECONDS
        for sha, session in list(self._sessions.items()):
            if sha not in kept and session.used < before:
                del self._sessions[sha]

    def _options(self) -> onnxruntime.SessionOptions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Threads that wait must not burn the processor of the other children.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A model must not name files of ours as its weights: there is nothing in this folder.
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", NOWHERE)
        options.log_severity_level = FATAL_ONLY
        return options


def _zeros(tensor: Tensor) -> Array:
    shape = [each or 1 for each in tensor.shape]
    return np.full(shape, "", dtype=object) if tensor.type not in NUMBERS else np.zeros(shape, NUMBERS[tensor.type])


def _reason(error: Exception) -> str:
    text = _ERROR.sub("", str(error).splitlines()[0] if str(error) else type(error).__name__)
    if "rotobuf parsing failed" in text:
        return "it is no ONNX model"
    return "its weights are not in its file" if NOWHERE in text or "xternal data" in text else text[:300]
