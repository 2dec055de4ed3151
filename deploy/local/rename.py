"""Make the template a project of your own: `make rename NAME=yours`.

The name stands in packages, images, manifests, units, Redis keys and documents. It is one word everywhere, so that one
replacement in all files (and in their names) is the whole of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.local.processes import ROOT

# Lowercase letters and digits: what Kubernetes, systemd, Python, Redis and a key's prefix all allow.
NAME = re.compile(r"[a-z][a-z0-9]{1,29}")
# Read from pyproject.toml each time: a project can be renamed again.
DECLARED = re.compile(r'^name = "(\w+)"$', re.MULTILINE)
# What is made, not written.
LEFT_OUT = {".git", ".venv", "var", "node_modules", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


class RenameError(ValueError):
    """The name cannot be used. The message says why."""


def rename(root: Path, new: str) -> int:
    """Give the project under `root` the name `new`. Returns how many files were changed or moved."""
    old = _declared(root)
    if NAME.fullmatch(new) is None:
        raise RenameError(f"{new!r} is no name for it: 2 to 30 lowercase letters and digits, a letter first")
    if new == old:
        raise RenameError(f"it is called {new} already")
    # Sorted by length: what lies in a folder is done before the folder itself is moved.
    paths = sorted(_written(root), key=lambda path: len(path.parts), reverse=True)
    _check_free(root, paths, new)
    return sum([_rewrite(path, old, new) | _move(path, old, new) for path in paths])


def _declared(root: Path) -> str:
    found = DECLARED.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise RenameError("pyproject.toml does not say what the project is called")
    return found.group(1)


def _written(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in LEFT_OUT or path.is_symlink():
            continue
        if path.is_dir():
            yield from _written(path)
        yield path


def _check_free(root: Path, paths: list[Path], new: str) -> None:
    """Refuse a word of the code: it could never be told apart from the name again."""
    word = re.compile(rf"\b{new}\b", re.IGNORECASE)
    for path in paths:
        place = path.relative_to(root)
        if path.suffix != ".md" and place.parts[0] != "tests" and path.is_file() and word.search(_text(path) or ""):
            raise RenameError(f"{new} is a word of the project already ({place}); take another name")


def _rewrite(path: Path, old: str, new: str) -> bool:
    text = _text(path) if path.is_file() else None
    if text is None or old not in text.lower():
        return False
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_renamed(text, old, new))
    return True


def _move(path: Path, old: str, new: str) -> bool:
    if old not in path.name:
        return False
    path.rename(path.with_name(_renamed(path.name, old, new)))
    return True


def _renamed(text: str, old: str, new: str) -> str:
    for spelled in (str.lower, str.capitalize, str.upper):
        text = text.replace(spelled(old), spelled(new))
    return text


def _text(path: Path) -> str | None:
    """What is written in a file; None when it is no text."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return None


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not arguments[0]:
        print("Usage: make rename NAME=yours", file=sys.stderr)
        return 2
    try:
        count = rename(ROOT, arguments[0])
    except RenameError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} files speak of {arguments[0]} now. Look through `git diff`, then `make test` and commit.")
    print("What is running under the old name keeps its Redis keys: drain it first, or set NAMESPACE to the old name.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
