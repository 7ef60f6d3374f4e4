"""The bare server that ours is compared with: Flask, one Jinja template, one INSERT a record, no check.

`python -m bench.floors PORT DATABASE_URL` serves it with the same gunicorn shape as the application.
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue
from gunicorn.app.base import BaseApplication

from bench.synthetic import twenty_questions
from survey_app import settings
from survey_app.serving import THREADS

TEMPLATE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1><form method="post">
{% for item in items %}<fieldset id="{{ item.name }}"><legend>{{ item.label }}</legend>
{% for option in item.options %}<label><input type="radio" name="{{ item.name }}" value="{{ option.code }}">
<span>{{ option.label }}</span></label>{% endfor %}</fieldset>{% endfor %}
<button>Envoyer</button></form></body></html>"""
CREATE = "CREATE TABLE IF NOT EXISTS bare_record (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
Store = Callable[[Iterable[tuple[str, str]]], None]


def create_floor(url: str) -> Flask:
    """The application."""
    app = Flask(__name__)
    page, form = app.jinja_env.from_string(TEMPLATE), twenty_questions()
    store = _sqlite_store(url) if url.startswith("sqlite") else _postgresql_store(url)

    @app.get("/page")
    def show() -> str:
        return page.render(title=form.title, items=form.items)

    @app.put("/one")
    def one() -> ResponseReturnValue:
        store([(str(uuid.uuid4()), request.get_data(as_text=True))])
        return "", 204

    @app.post("/batch")
    def batch() -> ResponseReturnValue:
        store([(str(uuid.uuid4()), text) for text in json.loads(request.get_data())["records"]])
        return "", 204

    return app


def _sqlite_store(url: str) -> Store:
    from pysqlite3 import dbapi2 as sqlite

    path, local = url.removeprefix("sqlite:///"), threading.local()

    def connection() -> Any:
        if not hasattr(local, "connection"):
            local.connection = sqlite.connect(path, isolation_level=None, timeout=30)
            local.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + CREATE)
        return local.connection

    def store(records: Iterable[tuple[str, str]]) -> None:
        connection().execute("BEGIN IMMEDIATE")
        connection().executemany("INSERT OR IGNORE INTO bare_record VALUES (?, ?)", records)
        connection().execute("COMMIT")

    return store


def _postgresql_store(url: str) -> Store:
    import psycopg

    local = threading.local()

    def store(records: Iterable[tuple[str, str]]) -> None:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url)
        with local.connection.cursor() as cursor:
            cursor.executemany("INSERT INTO bare_record VALUES (%s, %s) ON CONFLICT DO NOTHING", records)
        local.connection.commit()

    with psycopg.connect(url) as first:
        first.execute(CREATE)
    return store


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, port: int, url: str) -> None:
        self._port, self._url = port, url
        super().__init__()

    def load_config(self) -> None:
        workers = settings.testing(database_url=self._url).processes
        shape = {"worker_class": "gthread", "workers": workers, "threads": THREADS, "keepalive": 30}
        for name, value in {"bind": [f"127.0.0.1:{self._port}"], "loglevel": "error", **shape}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_floor(self._url)


if __name__ == "__main__":
    _Server(int(sys.argv[1]), sys.argv[2]).run()
