"""A small nginx in front of web processes, that may be reloaded and killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import TracebackType

from deploy.local.processes import spawn
from deploy.local.valkey import free_port
from tests.support.programs import find_program

CONFIGURATION = """
daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
events {{ worker_connections 1000; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream web {{ {servers} keepalive 32; keepalive_timeout 1s; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_connect_timeout 2s;
      proxy_next_upstream error timeout; proxy_next_upstream_tries 2; proxy_pass http://web;
    }}
  }}
}}
"""


class Front:
    """nginx on a port of its own, which it keeps when it is started again."""

    def __init__(self, folder: Path, *upstreams: int) -> None:
        self._program = find_program("nginx")
        self._folder = folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir()
        servers = " ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in upstreams)
        (folder / "nginx.conf").write_text(CONFIGURATION.format(servers=servers, port=port))

    def __enter__(self) -> Front:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        command = [self._program, "-p", str(self._folder), "-c", "nginx.conf"]
        with (self._folder / "log").open("ab") as out:
            self._process = spawn(command, stdout=out)

    def reload(self) -> None:
        """Read the configuration anew, as after a change of it."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """Kill it with its workers."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
