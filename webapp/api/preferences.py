"""What a client prefers: wait for the answer, or come back for it (RFC 7240)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# What `wait` may say: whole seconds, and no more digits than a day of them has.
MOST_DIGITS = 5


@dataclass(frozen=True)
class Preferences:
    """The preferences that this service knows. Unknown ones are ignored, as the RFC says."""

    respond_async: bool = False
    wait: int | None = None

    @classmethod
    def parse(cls, header: str) -> Preferences:
        """Read a `Prefer` header. Of a preference that is named twice, the first counts."""
        named: dict[str, str] = {}
        for name, value in _tokens(header):
            named.setdefault(name, value)
        wait = named.get("wait", "")
        return cls("respond-async" in named, int(wait) if _is_seconds(wait) else None)

    def budget(self, most: float) -> float:
        """How many seconds to wait for the job, at most `most`."""
        if self.wait is None:
            return 0.0 if self.respond_async else most
        return min(float(self.wait), most)

    def applied(self, most: float) -> str:
        """The `Preference-Applied` header: what was asked for and is honoured."""
        honoured = ["respond-async"] if self.respond_async else []
        if self.wait is not None and self.wait <= most:
            honoured.append(f"wait={self.wait}")
        return ", ".join(honoured)


def _tokens(header: str) -> Iterator[tuple[str, str]]:
    for preference in header.split(","):
        # Parameters after a `;` refine a preference; the ones known here have none.
        name, _, value = preference.partition(";")[0].partition("=")
        yield name.strip().lower(), value.strip().strip('"')


def _is_seconds(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
