"""The rules of the house that no tool checks."""

from __future__ import annotations

import ast
import graphlib
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("webapp", "tasks", "deploy")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LOCKS = sorted(ROOT.glob("requirements*.txt"))

LONGEST_FILE, USUAL_FILE = 250, 80
LONGEST_FUNCTION, USUAL_FUNCTION = 40, 8

# Names that say nothing of what is inside: everything would end up there.
MEANINGLESS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "shared"}

# What a module may not do when it is imported. Entry points may: that is what they are for.
ACTIONS = ("socket.connect", "subprocess.Popen", "os.system", "os.fork", "os.mkdir", "os.remove")
ENTRY_POINTS = {"webapp.wsgi", "tasks.worker.main"}

IMPORT_ALL = """
import importlib, json, sys
done = []
def hear(event, arguments):
    if event in ACTIONS or event == "open" and set(str(arguments[1])) & set("wax+") and ".pyc" not in str(arguments[0]):
        done.append([event, repr(arguments)])
names, ACTIONS = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
sys.dont_write_bytecode = True
sys.addaudithook(hear)
for name in names:
    importlib.import_module(name)
json.dump(done, sys.stdout)
"""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a file, with the number of lines from `def` to the end."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def test_no_module_is_named_for_nothing() -> None:
    assert [str(path) for path in SOURCES if path.stem in MEANINGLESS] == []


def test_files_fit_into_a_head() -> None:
    sizes = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}
    assert statistics.median(sizes.values()) <= USUAL_FILE


def test_functions_fit_onto_a_screen() -> None:
    sizes = dict(pair for path in SOURCES for pair in functions(path))
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert statistics.median(sizes.values()) <= USUAL_FUNCTION


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_importing_a_module_does_nothing_but_define() -> None:
    names = sorted({name_of(path) for path in SOURCES if path.name != "gunicorn.conf.py"} - ENTRY_POINTS)
    command = [sys.executable, "-c", IMPORT_ALL, json.dumps(names), json.dumps(ACTIONS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_the_names_of_redis_keys_stand_in_one_file() -> None:
    named = [path for path in SOURCES if re.search(r"\{[\w.]*namespace\}", path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in named] == ["tasks/jobs/keys.py"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_versions_and_hashes_and_no_place_to_get_them(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert re.search(r"https?:|file:|--index|--extra|--find|/home|/root|/tmp", text) is None
    pins = re.findall(r"^([a-z0-9.-]+)(\[[\w,-]+\])?==[^ ]+( ; [^\\\n]+)? \\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len([line for line in text.splitlines() if line[:1].isalnum()]) > 10


def test_what_is_tested_is_what_is_deployed() -> None:
    pins = {lock.name: set(re.findall(r"^\S+==\S+", lock.read_text(), re.MULTILINE)) for lock in LOCKS}
    assert pins["requirements.txt"] <= pins["requirements-local.txt"] <= pins["requirements-dev.txt"]
