"""Addresses of the built scripts and styles, by the hashed names that the client build wrote. Floor 4."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

from flask import Flask, Response, request

BUILD: Final = Path(__file__).parent / "static" / "build"
ONE_YEAR: Final = 31_536_000


def install(app: Flask) -> None:
    """Make ``asset(name)`` known to the templates and let browsers keep what carries a hash."""
    app.jinja_env.globals["asset"] = asset
    app.after_request(keep_hashed_files)


def asset(name: str) -> str:
    """The address of a built file: ``asset("staff.css")`` → ``/static/build/staff-1a2b3c.css``."""
    return f"/static/build/{_hashed(name)}"  # no url_for: an error page may have no routes to build from


def _hashed(name: str) -> str:
    """The name with its hash; the bare name where nothing was built: a page without style is still a page."""
    path = BUILD / "manifest.json"
    try:
        return _manifest(path, path.stat().st_mtime_ns).get(name, name)
    except FileNotFoundError:
        return name


@lru_cache(maxsize=2)
def _manifest(path: Path, _changed: int) -> dict[str, str]:
    return cast(dict[str, str], json.loads(path.read_text("utf-8")))


def keep_hashed_files(response: Response) -> Response:
    """A name with a hash never changes its content."""
    if request.path.startswith("/static/build/") and response.status_code == 200:  # noqa: PLR2004
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    return response
