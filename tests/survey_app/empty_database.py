"""A migrated SQLite file without rows: made once in a process, copied for each test."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from survey_app.database import make_engine
from survey_app.migrations import upgrade


@lru_cache(maxsize=1)
def empty_database() -> bytes:
    """Its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "survey.db"
        engine = make_engine(f"sqlite:///{path}")
        upgrade(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()
