"""`/healthz`: version, database, disk, for whoever watches the server. Floor 5."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import select, text

from survey_app import access
from survey_app.database import DatabaseUnavailable, db
from survey_app.models import ServerFact
from survey_app.settings import Settings

blueprint = Blueprint("health", __name__)
UNAVAILABLE = 503


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """200 while answers can be stored, 503 otherwise; says which part fails, nothing about the data."""
    settings = cast(Settings, current_app.extensions["survey_settings"])
    database, disk = _database(), _disk(settings)
    good = database["ok"] and disk["ok"]
    response = jsonify({"ok": good, "version": version("survey-app"), "database": database, "disk": disk})
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


def _disk(settings: Settings) -> dict[str, Any]:
    folder: Path = settings.data_folder
    try:
        free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    except OSError:
        return {"ok": False, "free_bytes": None}
    return {"ok": free >= settings.minimum_free_bytes, "free_bytes": free}
