"""The thread that judges what waits. It holds no state that matters: killed any time, the next goes on."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time

from flask import Flask

from survey_app.fault_log import told_without_values
from survey_app.responses import inbox
from survey_app.responses.intake import Intake

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
BATCH = 10
"""Small: while a batch is written, on SQLite nobody else writes, and people wait for their receipts."""
PAUSE_BETWEEN_BATCHES_SECONDS = 0.01
REST_SECONDS = 0.02
"""So long after the last record arrived, people are taken to be served."""
LONGEST_YIELD_SECONDS = 0.2
"""Records that never stop arriving delay the judgement, they do not stop it."""
PAUSE_AFTER_FAULT_SECONDS = 5.0


class Worker:
    """Judges in the background until stopped. Each process may have one: a record is judged once."""

    def __init__(self, app: Flask, poll_seconds: float = POLL_SECONDS) -> None:
        self._app = app
        self._poll_seconds = poll_seconds
        minutes = app.extensions["survey_settings"].partial_grace_minutes
        self._intake = Intake(dt.timedelta(minutes=minutes))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin to judge."""
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the batch at hand and end."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        with self._app.app_context():
            while not self._stopping.is_set():
                self._stopping.wait(self._step())

    def _let_others_go_first(self) -> None:
        deadline = time.monotonic() + LONGEST_YIELD_SECONDS
        while inbox.seconds_at_rest() < REST_SECONDS and time.monotonic() < deadline:
            self._stopping.wait(REST_SECONDS)

    def _step(self) -> float:
        """Judge one batch; how long to wait before the next."""
        self._let_others_go_first()
        try:
            full = self._intake.judge_waiting(BATCH) == BATCH
        except Exception as error:  # noqa: BLE001 (the thread must go on)
            # Whatever it is, the next batch is tried: a thread that ends would judge nothing any more.
            log.warning("intake pauses: %s", told_without_values(error))
            return PAUSE_AFTER_FAULT_SECONDS
        return PAUSE_BETWEEN_BATCHES_SECONDS if full else self._poll_seconds


def start(app: Flask) -> Worker | None:
    """Start the worker of this process, unless the settings say that another one does the work."""
    if not app.extensions["survey_settings"].run_worker:
        return None
    worker = Worker(app)
    app.extensions["survey_worker"] = worker
    worker.start()
    return worker
