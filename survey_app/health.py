"""`/healthz`: version, database, disk, for whoever watches the server. Floor 5."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import func, select, text

from survey_app import access
from survey_app.database import DatabaseUnavailable, db
from survey_app.models import InboxRecord, ServerFact
from survey_app.settings import Settings

blueprint = Blueprint("health", __name__)
UNAVAILABLE = 503


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """200 while answers can be stored, 503 otherwise; says which part fails, nothing about the data."""
    settings = cast(Settings, current_app.extensions["survey_settings"])
    database, disk = _database(), _disk(settings)
    intake = _intake() if database["ok"] else {}
    good = database["ok"] and disk["ok"]
    parts = {"database": database, "disk": disk, "intake": intake}
    response = jsonify({"ok": good, "version": version("survey-app"), **parts})
    response.status_code = 200 if good else UNAVAILABLE
    response.headers["Cache-Control"] = "no-store"
    return response


def _database() -> dict[str, Any]:
    try:
        name = db.engine.dialect.name
        db.session.execute(text("SELECT 1"))
        known = db.session.scalars(select(ServerFact.key)).first() is not None
    except DatabaseUnavailable:
        return {"ok": False, "kind": db.engine.dialect.name}
    return {"ok": True, "kind": name, "initialised": known}


def _intake() -> dict[str, Any]:
    """Whether this process judges (null: another one does), and since when the oldest record waits for it."""
    worker = current_app.extensions.get("survey_worker")
    oldest = db.session.scalar(
        select(func.min(InboxRecord.received_at)).where(InboxRecord.judged_at.is_(None))
    )
    running = None if worker is None else worker.is_alive
    return {"running": running, "waiting_since": None if oldest is None else oldest.isoformat()}


def _disk(settings: Settings) -> dict[str, Any]:
    folder: Path = settings.data_folder
    try:
        free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    except OSError:
        return {"ok": False, "free_bytes": None}
    return {"ok": free >= settings.minimum_free_bytes, "free_bytes": free}
