"""Copies of a PostgreSQL database with its own programs: pg_dump, pg_restore, psql."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.url import URL

from survey_app.backups.manifest import BackupError, Contents

SUFFIX: Final = ".dump"
_LONGEST_COMPLAINT: Final = 300
_EMPTY_SCHEMA: Final = """
SET LOCAL client_min_messages = warning;
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', found.tablename);
  END LOOP;
  FOR found IN SELECT oid::regprocedure AS signature FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace LOOP
    EXECUTE 'DROP FUNCTION IF EXISTS ' || found.signature || ' CASCADE';
  END LOOP;
END $$;
"""
_NEW_EPOCH: Final = """
RESET search_path;
UPDATE server_fact SET value = replace(gen_random_uuid()::text, '-', '') WHERE key = 'epoch';
"""
_OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def copy(engine: Engine, target: Path) -> Contents:
    """Write a copy of the running database into ``target`` and read it back; what it holds.

    What it holds is counted in the very snapshot that is dumped, so that both agree while others write.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        contents = contents_of(connection)
        snapshot = str(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar())
        run(
            "pg_dump",
            engine.url,
            [
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot}",
                f"--file={target}",
            ],
        )
    script_of(target, Path(os.devnull))  # unpacks every row
    return contents


def contents_of(connection: Connection) -> Contents:
    """What a database holds."""
    epoch = connection.exec_driver_sql("SELECT value FROM server_fact WHERE key = 'epoch'").scalar()
    schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    records = connection.exec_driver_sql("SELECT count(*) FROM inbox_record").scalar()
    return Contents(str(epoch or ""), str(schema or ""), int(records or 0))


def replace_contents(engine: Engine, copy: Path) -> None:
    """Put the copy in the place of all there is, under a new epoch, in one transaction: all or nothing."""
    with tempfile.TemporaryDirectory(prefix="survey-restore-") as folder:
        script = Path(folder, "copy.sql")
        script_of(copy, script)
        run(
            "psql",
            engine.url,
            [
                "--no-psqlrc",
                "--quiet",
                "--single-transaction",
                "--set=ON_ERROR_STOP=1",
                "--output=/dev/null",
                f"--command={_EMPTY_SCHEMA}",
                f"--file={script}",
                f"--command={_NEW_EPOCH}",
            ],
        )


def script_of(copy: Path, target: Path) -> None:
    """The statements that make the copy again; whoever asks for them has read it whole."""
    _call(
        ["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--file={target}", str(copy)], {}
    )


def others_connected(engine: Engine) -> int:
    """How many other connections the database has: those of a running server."""
    with engine.connect() as connection:
        return int(connection.execute(sa.text(_OTHERS)).scalar_one())


def run(program: str, url: URL, arguments: Sequence[str]) -> None:
    """Run a program of PostgreSQL on this database. Everybody can read arguments: no password there."""
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    password = {} if not url.password else {"PGPASSWORD": str(url.password)}
    _call([program, f"--dbname={bare.render_as_string()}", *arguments], password)


def _call(command: Sequence[str], environment: dict[str, str]) -> None:
    if shutil.which(command[0]) is None:
        raise BackupError(f"Il manque {command[0]}. Installez-le\u00a0: apt install postgresql-client")
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if done.returncode != 0:
        complaint = " ".join(done.stderr.split())[-_LONGEST_COMPLAINT:]
        raise BackupError(f"{command[0]} a échoué\u00a0: {complaint or f'code {done.returncode}'}")
