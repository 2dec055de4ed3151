"""Read the arguments of a view, with every way that a body can be broken answered as what it is."""

from __future__ import annotations

import json
from typing import Any

import orjson
from flask import Request
from webargs.core import missing
from webargs.flaskparser import FlaskParser, is_json_request

from webapp.http.problem import Problem


class ArgumentsParser(FlaskParser):
    """The parser of our blueprints: `ARGUMENTS_PARSER = ArgumentsParser()`.

    JSON is parsed strictly: no NaN, no lone surrogate, no byte-order mark, and a nesting that is too deep is a
    malformed body instead of a recursion error.
    """

    def _raw_load_json(self, req: Request) -> Any:
        if not req.content_length:
            return missing  # then the required fields are what is missing
        if not is_json_request(req):
            raise Problem(415, "unsupported_media_type", "Send the body as application/json.")
        body = req.get_data()
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            # Its message names the place and quotes nothing.
            raise Problem(400, "malformed_json", f"The body is not valid JSON: {error}.") from error
        _check_names(body)
        return value


def _check_names(body: bytes) -> None:
    """Refuse what two readers of the same body understand differently: a name said twice in one object.

    orjson keeps the last of two names and says nothing. Asking the standard library as well costs 10 µs for a usual
    body.
    """
    try:
        json.loads(body, object_pairs_hook=_once)
    except RecursionError as error:
        raise Problem(400, "malformed_json", "The body nests too deeply.") from error
    except ValueError as error:
        raise Problem(400, "malformed_json", f"The body is not valid JSON: {error}.") from error


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name appears twice in one object")
