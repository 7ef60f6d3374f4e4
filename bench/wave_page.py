"""The results page of a wave of a million responses, in the server, from its tallies."""

from __future__ import annotations

import re
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from bench.measure import Section, seconds, within
from survey_app import create_app
from survey_app.database import db, write_connection
from survey_app.demonstration import REFERENT_ADDRESS, demonstration_waves, fill
from survey_app.models import TallyCell
from survey_app.reports import report_of
from survey_app.settings import Settings
from survey_app.synthetic_answers import USERS
from survey_app.waves import find_wave

RESPONSES, ROUNDS = 1_000_000, 15
OK = 200


def measure() -> Section:
    """The page signed in, and the figures alone."""
    today = datetime.now(tz=UTC).date()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            secrets.token_urlsafe(48), secrets.token_urlsafe(48), Path(folder), run_worker=False
        )
        passphrase = fill(settings, today, demonstration_waves(today.year))
        app = create_app(settings)
        wave = demonstration_waves(today.year)[0].code
        with app.app_context():
            responses = _multiply(wave)
        page = _median(_visit(_signed_in(app, passphrase), f"/gestion/resultats/{wave}"))
        figures = _figures(app, wave)
    return Section(
        f"Wave page over {responses:,} responses",
        "The tallies of the demonstration, each counter multiplied: as many cells as a real wave has "
        "(one per site, mode, language and day). In the server, without the network.",
        [
            within("whole page, signed in", page, 20, "ms"),
            within("figures and intervals of all engagements", figures, 20, "ms"),
        ],
    )


def _multiply(wave: str) -> int:
    """Every counter of the wave, so many times."""
    factor = RESPONSES // USERS.size + 1
    total = 0
    with write_connection() as connection:
        for row in connection.execute(sa.select(TallyCell).where(TallyCell.wave_id == wave)).all():
            counters = np.frombuffer(row.counters, dtype="<i8") * factor
            total += int(counters[0])
            key = [getattr(TallyCell, name) == getattr(row, name) for name in _KEY]
            change = sa.update(TallyCell).where(*key).values(counters=counters.astype("<i8").tobytes())
            connection.execute(change)
    return total


_KEY = ("wave_id", "digest", "site", "mode", "language", "day")


def _signed_in(app: Flask, passphrase: str) -> FlaskClient:
    app.config["PREFERRED_URL_SCHEME"] = "https"
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/gestion/connexion").text)
    form = {"email": REFERENT_ADDRESS, "password": passphrase, "csrf_token": found[1] if found else ""}
    client.post("/gestion/connexion", data=form)
    return client


def _visit(client: FlaskClient, address: str) -> list[float]:
    def once() -> None:
        answer = client.get(address)
        if answer.status_code != OK:
            raise RuntimeError(f"{address} answered {answer.status_code}")

    once()
    return [seconds(once) for _ in range(ROUNDS)]


def _figures(app: Flask, code: str) -> float:
    def once() -> None:
        wave = find_wave(code)
        if wave is None or not report_of(wave).commitments:
            raise RuntimeError("the wave has no figures")
        db.session.remove()

    with app.app_context():
        once()
        return _median([seconds(once) for _ in range(ROUNDS)])


def _median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2] * 1e3
