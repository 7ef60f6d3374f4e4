"""`/healthz`: version, database, disk, for whoever watches the server. Floor 5."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify
from flask.blueprints import BlueprintSetupState
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from survey_app import access, server_facts
from survey_app.background import started_in
from survey_app.database import DatabaseUnavailable, db, write_connection
from survey_app.models import InboxRecord, ServerFact
from survey_app.responses.worker import Judge
from survey_app.settings import Settings

blueprint = Blueprint("health", __name__)
UNAVAILABLE = 503
SECONDS_BETWEEN_PROBES = 5.0


class WriteProbe:
    """Whether a write transaction opens, asked of the database once in a while: we may be asked often."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._asked_at = -math.inf
        self._answer = False

    def writes(self) -> bool:
        """As found at most so many seconds ago."""
        with self._guard:
            if self._clock() - self._asked_at >= SECONDS_BETWEEN_PROBES:
                self._answer = _write_transaction_opens()
                self._asked_at = self._clock()
            return self._answer


def _write_transaction_opens() -> bool:
    try:
        with write_connection() as connection:
            server_facts.try_to_write(connection)
    except (DatabaseUnavailable, DBAPIError):
        return False
    return True


@blueprint.record_once
def _give_the_application_its_probe(setup: BlueprintSetupState) -> None:
    setup.app.extensions["survey_write_probe"] = WriteProbe()


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """200 while answers can be stored and judged, 503 otherwise, with the part that fails and no data."""
    settings = cast(Settings, current_app.extensions["survey_settings"])
    database, disk = _database(), _disk(settings)
    intake = _intake() if database["reads"] else {}
    good = database["ok"] and disk["ok"] and intake.get("running") is not False
    parts = {"database": database, "disk": disk, "intake": intake}
    response = jsonify({"ok": good, "version": version("survey-app"), **parts})
    response.status_code = 200 if good else UNAVAILABLE
    response.headers["Cache-Control"] = "no-store"
    return response


def _database() -> dict[str, Any]:
    kind = db.engine.dialect.name
    try:
        known = db.session.scalars(select(ServerFact.key)).first() is not None
    except (DatabaseUnavailable, DBAPIError):
        return {"ok": False, "kind": kind, "reads": False, "writes": False}
    writes = current_app.extensions["survey_write_probe"].writes()
    return {"ok": writes, "kind": kind, "initialised": known, "reads": True, "writes": writes}


def _intake() -> dict[str, Any]:
    """Whether this process judges (null: another one does), and since when the oldest record waits for it."""
    judge = started_in(current_app).get(Judge.name)
    oldest = db.session.scalar(
        select(func.min(InboxRecord.received_at)).where(InboxRecord.judged_at.is_(None))
    )
    running = None if judge is None else judge.is_alive
    return {"running": running, "waiting_since": None if oldest is None else oldest.isoformat()}


def _disk(settings: Settings) -> dict[str, Any]:
    folder: Path = settings.data_folder
    try:
        free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    except OSError:
        return {"ok": False, "free_bytes": None}
    return {"ok": free >= settings.minimum_free_bytes, "free_bytes": free}
