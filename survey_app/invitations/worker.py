"""The thread that ends what a kill interrupted: closed waves whose answers still lie in the pool."""

from __future__ import annotations

import logging

from flask import Flask

from survey_app.background import BackgroundThread
from survey_app.database import db
from survey_app.fault_log import told_without_values
from survey_app.invitations import mixing

log = logging.getLogger(__name__)
POLL_SECONDS = 30.0
ACTOR = "mixing"


def finish_all() -> int:
    """Finish what can be finished; how many answers came out of pools. One that cannot holds up no other."""
    mixed = 0
    for wave_id in mixing.unfinished():
        try:
            mixed += mixing.finish(wave_id, actor=ACTOR)
        except Exception as error:  # noqa: BLE001 (the others go on; it is logged, and `doctor` says it)
            log.warning("wave %s is not mixed yet: %s", wave_id, told_without_values(error))
    return mixed


class MixingWorker(BackgroundThread):
    """Looks now and then."""

    name = "mixing"
    pause_after_fault_seconds = POLL_SECONDS

    def __init__(self, app: Flask, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__(app)
        self._poll_seconds = poll_seconds

    def step(self) -> float:
        """Finish all that can be finished."""
        try:
            finish_all()
        finally:
            db.session.remove()
        return self._poll_seconds
