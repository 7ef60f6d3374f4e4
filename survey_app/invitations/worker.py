"""The thread that ends what a kill interrupted: closed waves whose answers still lie in the pool."""

from __future__ import annotations

import logging
import threading

from flask import Flask

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


class MixingWorker:
    """Looks now and then until stopped. Each process may have one."""

    def __init__(self, app: Flask, poll_seconds: float = POLL_SECONDS) -> None:
        self._app, self._poll_seconds = app, poll_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mixing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the wave at hand and end."""
        self._stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        with self._app.app_context():
            while not self._stopping.wait(self._poll_seconds):
                self._step()

    def _step(self) -> None:
        try:
            finish_all()
        except Exception as error:  # noqa: BLE001 (the thread must go on)
            log.warning("mixing pauses: %s", told_without_values(error))
        finally:
            db.session.remove()


def start(app: Flask) -> MixingWorker | None:
    """Start the worker of this process, unless the settings say that another one does the work."""
    if not app.extensions["survey_settings"].run_worker:
        return None
    worker = MixingWorker(app)
    app.extensions["survey_mixing_worker"] = worker
    worker.start()
    return worker
