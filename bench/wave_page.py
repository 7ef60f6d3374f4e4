"""The results page of a wave of a million responses, in the server, from its tallies."""

from __future__ import annotations

import re
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from numpy.typing import NDArray

from bench.measure import Section, seconds, within
from survey_app import create_app
from survey_app.database import db, write_connection
from survey_app.demonstration import REFERENT_ADDRESS, Contents, fill, visitors_edition
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
        passphrase = fill(settings, today, Contents(officials=None))
        app = create_app(settings)
        wave = visitors_edition(today)
        client, address = _signed_in(app, passphrase), f"/gestion/resultats/{wave}"
        after_an_answer = _median(_visit_after_each_answer(app, client, address, wave))
        with app.app_context():
            responses = _multiply(wave)
        page = _median(_visit(client, address))
        figures = _figures(app, wave)
    return Section(
        f"Wave page over {responses:,} responses",
        "The tallies of the demonstration, each counter multiplied: as many cells as a real wave has "
        "(one per site, mode, language and day). In the server, without the network. The last line is the "
        "hard case: nothing multiplied, so that cells of one or two people are hidden, and judged anew.",
        [
            within("whole page, signed in", page, 20, "ms"),
            within("figures and intervals of all engagements", figures, 20, "ms"),
            within(
                f"whole page of {USERS.size:,} responses, after one new answer, small cells present",
                after_an_answer,
                300,
                "ms",
            ),
        ],
    )


def _visit_after_each_answer(app: Flask, client: FlaskClient, address: str, wave: str) -> list[float]:
    """Each visit finds one answer more than the one before: nothing that was judged can be used again."""

    def once() -> None:
        if client.get(address).status_code != OK:
            raise RuntimeError(f"{address} failed")

    once()
    times = []
    for _ in range(ROUNDS):
        with app.app_context():
            _one_more_answer(wave)
        times.append(seconds(once))
    return times


def _one_more_answer(wave: str) -> None:
    """Somebody answers as the only person of a cell did."""
    with write_connection() as connection:
        for row in connection.execute(sa.select(TallyCell).where(TallyCell.wave_id == wave)).all():
            counters = np.frombuffer(row.counters, dtype="<i8")
            if counters[0] == 1:
                _store(connection, row, counters * 2)
                return
    raise RuntimeError("no cell of one person is left")


def _multiply(wave: str) -> int:
    """Every counter of the wave, so many times."""
    factor = RESPONSES // USERS.size + 1
    total = 0
    with write_connection() as connection:
        for row in connection.execute(sa.select(TallyCell).where(TallyCell.wave_id == wave)).all():
            counters = np.frombuffer(row.counters, dtype="<i8") * factor
            total += int(counters[0])
            _store(connection, row, counters)
    return total


def _store(connection: sa.Connection, row: sa.Row[Any], counters: NDArray[np.int64]) -> None:
    key = [getattr(TallyCell, name) == getattr(row, name) for name in _KEY]
    change = sa.update(TallyCell).where(*key).values(counters=counters.astype("<i8").tobytes())
    connection.execute(change)


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
