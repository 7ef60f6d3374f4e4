"""The production server: gunicorn with threads, one process on SQLite, several on PostgreSQL. Floor 5.

SQLite has one writer: with one process, writers queue in memory instead of sleeping at the file lock, and the
slowest answers are three times faster (`python -m bench` measures it). The application is made in each worker
process, after the fork, and so are the threads that judge what was received and send what is due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from survey_app.background import started_in
from survey_app.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

THREADS = 8
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (gunicorn's heartbeat files, not data)
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int


class SurveyServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from our settings alone: no configuration file of its own."""

    def __init__(self, settings: Settings, address: Address, announce: Callable[[], None]) -> None:
        self._settings = settings
        self._address = address
        self._announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Our choices."""
        for name, value in self.choices().items():
            self.cfg.set(name, value)

    def choices(self) -> dict[str, Any]:
        """Every gunicorn setting that differs from its default."""
        return {
            "bind": [f"{self._address.host}:{self._address.port}"],
            "worker_class": "gthread",
            "workers": self._settings.processes,
            "threads": THREADS,
            "timeout": PATIENCE_SECONDS,
            "graceful_timeout": PATIENCE_SECONDS // 2,
            "keepalive": 30,
            "loglevel": "warning",
            "accesslog": None,  # addresses of respondents are never written down
            "proc_name": "survey-app",
            "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
            "when_ready": lambda _arbiter: self._announce(),
            "post_worker_init": _prepare_worker,
            "worker_exit": _stop_threads,
        }

    def load(self) -> Flask:
        """The application, made in the worker process."""
        from survey_app import create_app

        return create_app(self._settings)


def without_addresses(record: logging.LogRecord) -> bool:
    """For a logger: drop the lines in which gunicorn names the address of whoever sent an odd request."""
    return "from ip=" not in record.getMessage()


def _prepare_worker(worker: Any) -> None:
    from survey_app.invitations.worker import MixingWorker
    from survey_app.mailing.worker import MailWorker
    from survey_app.responses.worker import Judge

    worker.log.error_log.addFilter(without_addresses)
    for thread in (Judge, MailWorker, MixingWorker):
        thread.start_in(worker.app.callable)


def _stop_threads(_arbiter: Any, worker: Any) -> None:
    application = getattr(worker.app, "callable", None)
    for thread in started_in(application).values() if application is not None else ():
        thread.stop()


def serve(settings: Settings, address: Address, announce: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal ends it; ``announce`` is called once, when the port is open."""
    SurveyServer(settings, address, announce).run()
