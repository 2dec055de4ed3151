"""What a principal may do: one word a kind of work, declared at the view that does it.

A view that declares nothing needs `read` when it is read with GET and `run` when it is not. A scope allows what it
names and nothing else: `admin` does not run jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import current_app

RUN = "run"
READ = "read"
INFER = "pipelines:infer"
DEPLOY = "pipelines:deploy"
ADMIN = "admin"

ALL = (RUN, READ, INFER, DEPLOY, ADMIN)
# What a key gets that nobody said more about.
USUAL = frozenset({RUN, READ, INFER})
# What the key of the environment gets: it stands in files and on marketplaces, so it administers nothing.
STATIC = frozenset(ALL) - {ADMIN}

READING = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


def needs(scope: str) -> Callable[[View], View]:
    """Let only principals with `scope` call a view. Raises ValueError when there is no such scope."""
    known([scope])

    def mark(view: View) -> View:
        view.needed_scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def needed(endpoint: str, method: str) -> str:
    """The scope that a request needs, on the application that answers it."""
    view: Any = current_app.view_functions[endpoint]
    # A class of views may mark each of its methods, or itself.
    of_method = getattr(getattr(view, "view_class", None), method.lower(), None)
    marked = (getattr(each, "needed_scope", "") for each in (of_method, view))
    return next(filter(None, marked), READ if method in READING else RUN)


def known(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes as a set. Raises ValueError naming the first that does not exist."""
    found = frozenset(scopes)
    unknown = sorted(found - set(ALL))
    if unknown:
        raise ValueError(f"there is no scope {unknown[0]!r}; the scopes are {', '.join(ALL)}")
    return found
