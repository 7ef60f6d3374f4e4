"""Values in an address or a form that no page of ours sends and that a database may choke on. Floor 4.

SQLite stores a NUL character and PostgreSQL refuses it; both refuse numbers beyond their columns. Both stores
answer alike here: 400 or 404, never 500.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, abort, request
from sqlalchemy.exc import DataError
from werkzeug.routing import IntegerConverter, Map

from survey_app.error_pages import error_response

NUL: Final = "\0"
NUL_IN_A_QUERY: Final = (b"\0", b"%00")
"""As it is written there; taking every query apart would cost each request more than all other checks."""
LARGEST_INTEGER: Final = 2**31 - 1
FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class BoundedIntegerConverter(IntegerConverter):
    """`<int:…>` in an address: what no integer column can hold is no address of ours (404)."""

    def __init__(self, map: Map, **options: Any) -> None:  # noqa: A002 (Werkzeug's name)
        options.setdefault("max", LARGEST_INTEGER)
        super().__init__(map, **options)


def install(app: Flask) -> None:
    """Refuse odd values before a view sees them. Must come before the routes are added."""
    app.url_map.converters["int"] = BoundedIntegerConverter
    app.before_request(refuse_nul)
    app.register_error_handler(DataError, unstorable)


def refuse_nul() -> None:
    """400 for a NUL in the path, the query or a staff form.

    Not in the public forms: what a respondent sent is kept and flagged, whatever it holds.
    """
    if NUL in request.path or any(written in request.query_string for written in NUL_IN_A_QUERY):
        abort(400)
    if request.path.startswith("/gestion/") and request.mimetype in FORM_TYPES:
        if any(NUL in text for pair in request.form.items(multi=True) for text in pair):
            abort(400)
        if any(NUL in (upload.filename or "") for upload in request.files.values()):
            abort(400)


def unstorable(_error: DataError) -> Response:
    """A value that the database's columns cannot hold and that no check named."""
    return error_response(422)
