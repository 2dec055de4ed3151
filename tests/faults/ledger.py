"""What callers were promised, written down outside of the system that promised it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Promise:
    """A submission that was answered with 202."""

    job_id: str
    agent: str
    to: int
    moment: float


@dataclass(frozen=True)
class Start:
    """An agent that began, by its own account."""

    job_id: str
    attempt: int
    moment: float


@dataclass
class Ledger:
    """Keeps promises in a file, and reads what the agents noted in another."""

    directory: Path
    promises: list[Promise] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.notes = self.directory / "notes"
        self.notes.touch()
        self._lock = threading.Lock()
        self._file = (self.directory / "ledger").open("a")

    def promise(self, job_id: str, agent: str, to: int) -> None:
        with self._lock:
            self.promises.append(Promise(job_id, agent, to, time.time()))
            self._file.write(f"{job_id} {agent} {to}\n")
            self._file.flush()

    def refuse(self, why: str) -> None:
        with self._lock:
            self.refused[why] += 1

    def starts(self) -> list[Start]:
        """Every start of every agent, in order."""
        noted = (line.split() for line in self.notes.read_text().splitlines())
        return [Start(words[1], int(words[2]), float(words[3])) for words in noted if words[0] == "start"]

    def outside_effects(self) -> Counter[str]:
        """How often each job came to the end of its agent: more than once when its worker died right after."""
        noted = (line.split() for line in self.notes.read_text().splitlines())
        return Counter(words[1] for words in noted if words[0] == "end")
