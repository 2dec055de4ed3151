"""Begin an agent: `make new-agent NAME=translate` writes it, commented, and a test of it."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from string import Template

from deploy.local.processes import ROOT

TEMPLATES = Path(__file__).with_name("templates")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
AGENTS, TESTS = Path("tasks/agents"), Path("tests/unit/agents")


class AgentNameError(ValueError):
    """The agent cannot have this name. The message says why."""


def new_agent(root: Path, name: str) -> tuple[Path, Path]:
    """Write an agent and its test below `root`. Returns where they are; nothing that exists is written over."""
    if NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise AgentNameError(f"{name!r} is no name of a function: lowercase letters, digits and _, a letter first")
    agent, test = AGENTS / f"{name}.py", TESTS / f"test_{name}.py"
    for place in (agent, test):
        if (root / place).exists():
            raise AgentNameError(f"{place} is there already")
    (root / agent).write_text(_filled("agent.py.template", name), encoding="utf-8")
    (root / test).write_text(_filled("test_agent.py.template", name), encoding="utf-8")
    return agent, test


def _filled(template: str, name: str) -> str:
    text = Template((TEMPLATES / template).read_text(encoding="utf-8"))
    return text.substitute(name=name, title=name.replace("_", " ").capitalize())


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not arguments[0]:
        print("Usage: make new-agent NAME=translate", file=sys.stderr)
        return 2
    try:
        agent, test = new_agent(ROOT, arguments[0])
    except AgentNameError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{agent}   the agent: write what it does\n{test}   its test: .venv/bin/python -m pytest {test}")
    print(f"Then `make run`, and POST /v1/agents/{arguments[0]}/run; more in docs/agents.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
