"""The thread that judges what waits."""

from __future__ import annotations

import datetime as dt
import time

from flask import Flask

from survey_app.background import BackgroundThread
from survey_app.responses import inbox
from survey_app.responses.intake import Intake

POLL_SECONDS = 0.5
BATCH = 10
"""Small: while a batch is written, on SQLite nobody else writes, and people wait for their receipts."""
PAUSE_BETWEEN_BATCHES_SECONDS = 0.01
REST_SECONDS = 0.02
"""So long after the last record arrived, people are taken to be served."""
LONGEST_YIELD_SECONDS = 0.2
"""Records that never stop arriving delay the judgement, they do not stop it."""


class Judge(BackgroundThread):
    """Judges in the background. However many there are, a record is judged once."""

    name = "intake"
    pause_after_fault_seconds = 5.0

    def __init__(self, app: Flask, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__(app)
        self._poll_seconds = poll_seconds
        minutes = app.extensions["survey_settings"].partial_grace_minutes
        self._intake = Intake(dt.timedelta(minutes=minutes))

    def step(self) -> float:
        """Judge one batch, once nobody waits for a receipt."""
        self._let_others_go_first()
        full = self._intake.judge_waiting(BATCH) == BATCH
        return PAUSE_BETWEEN_BATCHES_SECONDS if full else self._poll_seconds

    def _let_others_go_first(self) -> None:
        deadline = time.monotonic() + LONGEST_YIELD_SECONDS
        while inbox.seconds_at_rest() < REST_SECONDS and time.monotonic() < deadline:
            self.stopping.wait(REST_SECONDS)
