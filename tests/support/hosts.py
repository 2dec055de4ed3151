"""Hosts with addresses of their own on one machine: network namespaces on a bridge, each of which can be cut off."""

from __future__ import annotations

import os
import secrets
import subprocess
from types import TracebackType

import pytest

from tests.support.programs import find_program

# Of the addresses that are nobody's on the internet (RFC 2544: tests of networks).
NETWORK = "198.18.77"


class Hosts:
    """A bridge with the address `.1`, and hosts behind it. Use it as a context manager."""

    def __init__(self) -> None:
        self._ip = find_program("ip")
        if os.geteuid() != 0:
            pytest.skip("only root may make network namespaces")
        self._mark = f"s{secrets.token_hex(3)}"
        self._hosts: dict[str, int] = {}
        self.address = f"{NETWORK}.1"

    def __enter__(self) -> Hosts:
        self._run("link", "add", self._mark, "type", "bridge")
        self._run("addr", "add", f"{self.address}/24", "dev", self._mark)
        self._run("link", "set", self._mark, "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._hosts:
            self._run("netns", "del", self._space(name))
        self._run("link", "del", self._mark)

    def add(self, name: str) -> str:
        """Make a host, and return its address."""
        number = len(self._hosts) + 10
        self._hosts[name] = number
        space, inside = self._space(name), f"{self._mark}i"
        self._run("netns", "add", space)
        self._run("link", "add", self._cable(name), "type", "veth", "peer", "name", inside)
        self._run("link", "set", inside, "netns", space)
        self._run("link", "set", self._cable(name), "master", self._mark, "up")
        self._run("-n", space, "addr", "add", f"{NETWORK}.{number}/24", "dev", inside)
        for device in ("lo", inside):
            self._run("-n", space, "link", "set", device, "up")
        return f"{NETWORK}.{number}"

    def inside(self, name: str, command: list[str]) -> list[str]:
        """A command that runs on a host."""
        return [self._ip, "netns", "exec", self._space(name), *command]

    def cut_off(self, name: str) -> None:
        """Pull its cable: what is sent goes nowhere, and nobody is told."""
        self._run("link", "set", self._cable(name), "down")

    def bring_back(self, name: str) -> None:
        self._run("link", "set", self._cable(name), "up")

    def _space(self, name: str) -> str:
        return f"{self._mark}-{name}"

    def _cable(self, name: str) -> str:
        return f"{self._mark}{self._hosts[name]}"

    def _run(self, *arguments: str) -> None:
        done = subprocess.run([self._ip, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
