"""Read what a request sends, before a schema judges it."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

import marshmallow as ma
from flask import Request
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict

from webapp.http.arguments import ArgumentsParser


class RequestParser(ArgumentsParser):
    """Refuses what is not known wherever it comes from, and reads a form together with its files."""

    # A misspelled parameter must not be ignored, in a query as little as in a body.
    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "form"), ma.RAISE)

    def load_json(self, req: Request, _: ma.Schema) -> Any:
        """The JSON of the body."""
        try:
            return self._raw_load_json(req)
        except JSONDecodeError as error:
            # webargs would take bytes that are not UTF-8 for no body at all, because orjson quotes nothing of them.
            self._handle_invalid_json_error(error, req)

    def load_form(self, req: Request, schema: ma.Schema) -> MultiDictProxy:
        """The fields and the files of a multipart form, as one object."""
        parts: MultiDict[str, Any] = MultiDict()
        parts.update(req.form)
        parts.update(req.files)
        return _once(parts, schema)

    def load_querystring(self, req: Request, schema: ma.Schema) -> MultiDictProxy:
        """The parameters of the query."""
        return _once(req.args, schema)


def _once(values: MultiDict[str, Any], schema: ma.Schema) -> MultiDictProxy:
    """Refuse what is given twice and can be one thing only: two readers might take another one of them."""
    proxy = MultiDictProxy(values, schema)
    twice = [name for name, given in values.lists() if len(given) > 1 and name not in proxy.multiple_keys]
    if twice:
        raise ma.ValidationError({name: ["is given more than once"] for name in twice})
    return proxy
