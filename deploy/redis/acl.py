"""Fill in `users.acl`: `python -m deploy.redis.acl > /etc/valkey/users.acl`, for the server's setting `aclfile`.

`users.acl` gives each role what its work needs. The web server cannot block, administer or look outside of our keys;
the workers (the keeper is one of their threads) cannot see API keys and limits; nobody is the default user. The
passwords come from WEB_REDIS_PASSWORD, WORKER_REDIS_PASSWORD and OPERATOR_REDIS_PASSWORD; only hashes are written.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from tasks.jobs.environment import SettingError

FILE = Path(__file__).with_name("users.acl")
ROLES = ("web", "worker", "operator")
# Redis tries passwords as fast as they come: a short one is found.
SHORTEST = 16


def variable(role: str) -> str:
    """Where the password of a role stands in the environment."""
    return f"{role.upper()}_REDIS_PASSWORD"


def render(environ: Mapping[str, str], prefix: str = "slipway") -> str:
    """The file with the hashes of the passwords. Raises `SettingError` when one is missing or short."""
    hashes = {role.upper(): f"#{_hash(variable(role), environ)}" for role in ROLES}
    template = FILE.read_text().replace("~slipway:", f"~{prefix}:").replace("&slipway:", f"&{prefix}:")
    return Template(template).substitute(hashes)


def _hash(name: str, environ: Mapping[str, str]) -> str:
    password = environ.get(name, "")
    if len(password) < SHORTEST:
        raise SettingError(f"{name} must have {SHORTEST} characters at least")
    return hashlib.sha256(password.encode()).hexdigest()


if __name__ == "__main__":
    try:
        print(render(os.environ, os.environ.get("NAMESPACE") or "slipway"), end="")
    except SettingError as error:
        sys.exit(str(error))
